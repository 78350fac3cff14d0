import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { EMPTY_HEAD, type LedgerEntry } from '../../../src/contracts/ledger.js';
import { history, LedgerConflictError, MongoLedger, verifyLedger } from '../../../src/ledger/index.js';
import {
  collectionsOf,
  connectMongo,
  prepareDatabase,
  type TenureDatabase,
} from '../../../src/platform/mongo/index.js';
import { openTestDatabase } from '../../support/database.js';
import { scale } from '../../support/scale.js';

const entry = (stream: string, id: string, changes: Partial<LedgerEntry> = {}): LedgerEntry => ({
  stream,
  id,
  action: 'release.promoted',
  actor: { kind: 'person', id: 'Ada' },
  subject: { release: 1, version: 'v1' },
  evidence: { id, seconds: 0.25, share: 1e-7, keys: { 'a.b': null, $c: [] } },
  at: '2026-01-31T12:00:00.000Z',
  ...changes,
});

describe('ledger in MongoDB', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let second: TenureDatabase;
  let ledger: MongoLedger;
  let streams = 0;
  const newStream = (): string => `model-${(streams += 1)}`;

  before(async () => {
    database = await openTestDatabase();
    second = await connectMongo(database.uri, database.db.databaseName);
    ledger = new MongoLedger(database.collections.ledger);
  });
  after(async () => {
    await second.close();
    await database.drop();
  });

  it('chains what it appends, and verifies', async () => {
    const stream = newStream();
    assert.deepEqual(await ledger.head(stream), EMPTY_HEAD);
    const places = await ledger.append([entry(stream, 'a'), entry(stream, 'b'), entry(stream, 'c')]);
    assert.deepEqual(
      places.map(({ sequence, repeated }) => [sequence, repeated]),
      [
        [1, false],
        [2, false],
        [3, false],
      ],
    );
    const { sequence, hash } = places[2] ?? EMPTY_HEAD;
    assert.deepEqual(await ledger.head(stream), { sequence, hash });
    assert.equal((await ledger.find(stream, 'b'))?.previousHash, places[0]?.hash);
    assert.equal(await ledger.find(stream, 'z'), null);
    const result = await verifyLedger(database.collections.ledger, {
      stream,
      heads: { [stream]: { sequence, hash } },
    });
    assert.deepEqual([result.ok, result.events, result.headsMatched], [true, 3, 1]);
    assert.ok(result.notShown.length > 0);
  });

  it('writes nothing where another event stands, though both come at once', async () => {
    const other = new MongoLedger(second.collections.ledger);
    for (let round = 0; round < scale(60, 2_000); round += 1) {
      const stream = newStream();
      // Now and then it is the first event of the stream, and now and then this writer knows the head.
      if (round % 3 === 0) await ledger.append([entry(stream, 'before')]);
      const [place] = await Promise.all([
        ledger.appendUnless(entry(stream, 'success'), ['taken-back', 'end']),
        ...(round % 2 === 0
          ? [other.append([entry(stream, 'else'), entry(stream, 'taken-back')])]
          : [other.append([entry(stream, 'taken-back')])]),
      ]);
      const success = await ledger.find(stream, 'success');
      const back = await ledger.find(stream, 'taken-back');
      assert.equal(place?.sequence ?? null, success?.sequence ?? null);
      assert.ok(success === null || success.sequence < (back?.sequence ?? 0), `round ${round}`);
    }
    const stream = newStream();
    assert.equal((await ledger.appendUnless(entry(stream, 'first'), ['second']))?.sequence, 1);
    assert.equal(await other.appendUnless(entry(stream, 'second'), ['zeroth', 'first']), null);
    assert.equal((await ledger.head(stream)).sequence, 1);
    assert.equal((await verifyLedger(database.collections.ledger)).ok, true);
    await assert.rejects(ledger.appendUnless(entry('model-x', 'a', { action: '' }), []), /action/);
  });

  it('takes a repeat for done, wherever it stands, and keeps the time of the first recording', async () => {
    const stream = newStream();
    const [first] = await ledger.append([entry(stream, 'a'), entry(stream, 'b')]);
    const again = await ledger.append([
      entry(stream, 'a', { at: '2027-01-01T00:00:00.000Z' }),
      entry(stream, 'c'),
    ]);
    assert.deepEqual(
      again.map(({ sequence, repeated }) => [sequence, repeated]),
      [
        [1, true],
        [3, false],
      ],
    );
    assert.equal(again[0]?.hash, first?.hash);
    assert.equal((await ledger.find(stream, 'a'))?.at, '2026-01-31T12:00:00.000Z');
  });

  it('goes on where another writer has come between', async () => {
    const stream = newStream();
    const other = new MongoLedger(second.collections.ledger);
    const places = [];
    for (const [writer, id] of [
      [ledger, 'a'],
      [other, 'b'],
      [other, 'c'],
      [ledger, 'd'],
      [ledger, 'b'],
      [ledger, 'e'],
    ] as const) {
      places.push(...(await writer.append([entry(stream, id)])));
    }
    assert.deepEqual(
      places.map(({ sequence, repeated }) => `${sequence}${repeated ? ' again' : ''}`),
      ['1', '2', '3', '4', '2 again', '5'],
    );
    const result = await verifyLedger(database.collections.ledger, { stream });
    assert.deepEqual([result.ok, result.events], [true, 5]);
  });

  it('asks anew for a head that it has known for a second: the database may have been put back since', async () => {
    const stream = newStream();
    let now = 0;
    const writer = new MongoLedger(database.collections.ledger, () => now);
    await writer.append([entry(stream, 'a'), entry(stream, 'b')]);
    await database.collections.ledger.deleteOne({ stream, id: 'b' });
    now = 1_000;
    const [place] = await writer.append([entry(stream, 'c')]);
    assert.equal(place?.sequence, 2);
    const result = await verifyLedger(database.collections.ledger, { stream });
    assert.deepEqual([result.ok, result.events], [true, 2]);
  });

  it('refuses another event under a recorded id, and what came before it stays', async () => {
    const stream = newStream();
    await ledger.append([entry(stream, 'a')]);
    const other = entry(stream, 'a', { actor: { kind: 'person', id: 'Mallory' } });
    await assert.rejects(ledger.append([entry(stream, 'b'), other, entry(stream, 'c')]), (error: unknown) => {
      assert.ok(error instanceof LedgerConflictError);
      assert.deepEqual([error.stream, error.id, error.sequence], [stream, 'a', 1]);
      return true;
    });
    assert.equal((await ledger.head(stream)).sequence, 2);
  });

  it('gives a verified stream for any order of appends from many writers, repeats and all', async function () {
    this.timeout(scale(60_000, 900_000));
    const batches = fc.array(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }), {
      minLength: 2,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(batches, async (writers) => {
        const stream = newStream();
        const appended = await Promise.all(
          writers.map((ids, i) => {
            const { ledger: events } = (i % 2 === 0 ? database : second).collections;
            return new MongoLedger(events).append(ids.map((id) => entry(stream, `event/${id}`)));
          }),
        );
        const distinct = new Set(writers.flat()).size;
        const result = await verifyLedger(database.collections.ledger, { stream });
        assert.deepEqual([result.ok, result.events], [true, distinct]);
        const places = appended.flat();
        assert.equal(places.filter((place) => !place.repeated).length, distinct);
        assert.deepEqual(new Set(places.map((place) => place.sequence)).size, distinct);
        const head = await ledger.head(stream);
        assert.equal(head.sequence, distinct);
      }),
      { seed: 7, numRuns: scale(25, 500) },
    );
  });

  it('stores what it hashed: the database itself refuses malformed events', async () => {
    const stream = newStream();
    await ledger.append([entry(stream, 'a')]);
    const { ledger: events } = database.collections;
    await assert.rejects(
      events.updateOne({ stream }, { $set: { note: 'extra' } }),
      /Document failed validation/,
    );
    await assert.rejects(
      events.updateOne({ stream }, { $set: { sequence: 1.5 } }),
      /Document failed validation/,
    );
    await assert.rejects(
      events.updateOne({ stream }, { $unset: { canonical: 1 } }),
      /Document failed validation/,
    );
  });

  it('tells the story of a stream in order', async () => {
    const stream = newStream();
    const generation = { generation: 4, unreachable: ['gw-2'], seconds: 0.2 };
    await ledger.append([
      entry(stream, '1', { action: 'release.submitted', evidence: {} }),
      entry(stream, '2', { action: 'release.promoted-requested', evidence: {} }),
      entry(stream, '3', { evidence: generation, actor: { kind: 'system', id: 'release:m:1' } }),
      entry(stream, '4', {
        action: 'release.rolled-back',
        evidence: { reason: 'errors', ...generation, unreachable: [] },
      }),
      entry(stream, '5', { action: 'moon.full', evidence: { reason: 'it is the time' } }),
    ]);
    const lines = [];
    for await (const line of history(database.collections.ledger, stream)) lines.push(line);
    assert.deepEqual(
      lines.map(({ sequence, sentence, detail }) => [sequence, sentence, detail]),
      [
        [1, 'Ada submitted release 1 of v1', false],
        [2, 'Release promoted requested (v1) by Ada', true],
        [3, 'v1 is the champion (generation 4, 1 gateway(s) unreachable: gw-2)', false],
        [4, 'v1 was rolled back: errors (generation 4)', false],
        [5, 'Moon full (v1) by Ada: it is the time', false],
      ],
    );
  });

  it('prepares a database from many sides at once, empty or not, and again after it was changed', async () => {
    const name = `${database.db.databaseName}-new`;
    const sides = [
      database.client.db(name),
      second.client.db(name),
      database.client.db(name),
      second.client.db(name),
    ];
    const isPrepared = async (): Promise<void> => {
      await Promise.all(sides.map((db) => prepareDatabase(db)));
      const ledgerOf = collectionsOf(second.client.db(name)).ledger;
      const unique = (await ledgerOf.indexes())
        .filter((index) => index.unique === true)
        .map((index) => index.name);
      assert.deepEqual(new Set(unique), new Set(['stream_id', 'stream_sequence']));
      await assert.rejects(ledgerOf.insertOne({ _id: 'x' } as never), /Document failed validation/);
    };
    await isPrepared();
    await second.client.db(name).command({ collMod: 'ledger', validator: {}, validationLevel: 'off' });
    await isPrepared();
    await second.client.db(name).dropDatabase();
  });
});
