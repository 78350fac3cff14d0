import assert from 'node:assert/strict';
import type { ObservedRoute } from '../../../src/contracts/routes.js';
import { collectionsOf, connectMongo, MongoUnusableError } from '../../../src/platform/mongo/index.js';
import {
  ChangedTables,
  MongoRoutingStore,
  StaleGenerationError,
} from '../../../src/platform/serving/index.js';
import { openTestDatabase } from '../../support/database.js';
import { desired } from '../../support/gateway.js';

describe('connecting to MongoDB', () => {
  const refused = (uri: string, words: RegExp) =>
    assert.rejects(connectMongo(uri, 'tenure', { serverSelectionTimeoutMs: 200 }), (error: unknown) => {
      assert.ok(error instanceof MongoUnusableError, String(error));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });

  it('says where nobody answers and what to do, and never the password', async () => {
    await refused('mongodb://ada:secret@127.0.0.1:1/', /not reachable at 127\.0\.0\.1:1: .*MONGODB_URI/);
    await refused('mongodb://ada:secret@127.0.0.1:1/?bogus=secret', /not a MongoDB connection string/);
    await refused('postgres://ada:secret@127.0.0.1/', /not a MongoDB connection string/);
    await refused('', /not a MongoDB connection string/);
  });
});

describe('routing store in MongoDB', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let routes: MongoRoutingStore;
  before(async () => {
    database = await openTestDatabase();
    routes = new MongoRoutingStore(database.db);
  });
  after(() => database.drop());

  const set = (model: string, expectedGeneration: number | 'any', changeId: string, salt = 'salt') =>
    routes.compareAndSet({ model, expectedGeneration, desired: desired({ salt }), changeId });

  it('counts generations from 1 and finds a repeat done', async () => {
    assert.equal(await routes.read('a'), null);
    const first = await set('a', 0, 'c1', '$salt');
    assert.deepEqual([first.outcome, first.generation], ['applied', 1]);
    assert.deepEqual(await routes.read('a'), first.table);
    assert.equal(first.table.salt, '$salt');
    assert.deepEqual(await set('a', 0, 'c1'), { ...first, outcome: 'already' });
    assert.equal((await set('a', 1, 'c2')).generation, 2);
    assert.equal((await set('a', 'any', 'c2')).outcome, 'already');
    assert.equal((await set('a', 'any', 'c3')).generation, 3);
    assert.deepEqual(
      (await routes.readAll()).map(({ model, generation }) => [model, generation]),
      [['a', 3]],
    );
  });

  it('goes beyond generations that are known though the table does not have them', async () => {
    const above = (changeId: string, generation: number) =>
      routes.compareAndSet({
        model: 'above',
        expectedGeneration: 'any',
        desired: desired({}),
        changeId,
        above: generation,
      });
    assert.equal((await above('first', 6)).generation, 7);
    assert.deepEqual((await above('first', 9)).outcome, 'already');
    assert.equal((await above('set back', 12)).generation, 13);
    assert.equal((await above('known', 2)).generation, 14);
  });

  it('refuses what somebody else has overtaken, and says by what', async () => {
    await set('b', 0, 'c1');
    await set('b', 1, 'c2');
    for (const [expected, id] of [
      [0, 'c9'],
      [1, 'c1'],
      [1, 'c9'],
      [7, 'c9'],
    ] as const) {
      await assert.rejects(set('b', expected, id), (error: unknown) => {
        assert.ok(error instanceof StaleGenerationError);
        assert.deepEqual([error.expected, error.found], [expected, 2]);
        return true;
      });
    }
    await assert.rejects(set('never', 3, 'c1'), StaleGenerationError);
  });

  it('lets one of many win, and all of those that may follow any generation', async () => {
    const race = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => set('c', 0, `race-${i}`)));
    assert.equal(race.filter(({ status }) => status === 'fulfilled').length, 1);
    const any = await Promise.all(Array.from({ length: 8 }, (_, i) => set('c', 'any', `any-${i}`)));
    assert.deepEqual(new Set(any.map(({ generation }) => generation)), new Set([2, 3, 4, 5, 6, 7, 8, 9]));
  });

  it('keeps each gateway’s last word, under the time of the server', async () => {
    const record = {
      gateway: 'g',
      boot: 'b1',
      url: 'http://127.0.0.1:9',
      startedAt: '1999-01-01T00:00:00.000Z',
    } as const;
    const observed = {
      'a.b': { generation: 1, ready: [], failed: [{ digest: 'd', reason: '$reason' }], trips: [] },
    };
    await Promise.all([1, 2, 3].map(() => routes.report({ ...record, status: 'serving', observed })));
    const { now, gateways } = await routes.gateways();
    const [seen] = gateways;
    assert.equal(gateways.length, 1);
    assert.ok(seen !== undefined && Math.abs(now - Date.parse(seen.seenAt)) < 5_000);
    assert.deepEqual({ ...seen, seenAt: '' }, { ...record, status: 'serving', observed, seenAt: '' });
    await routes.retireGateway('g');
    assert.equal((await routes.gateways()).gateways[0]?.status, 'retired');
    await routes.report({ ...record, boot: 'b2', status: 'serving', observed: {} });
    const [back] = (await routes.gateways()).gateways;
    assert.deepEqual([back?.status, back?.boot, back?.observed], ['serving', 'b2', {}]);
    // The goodbye of the process before arrives late: it is not that of the one that serves.
    await routes.report({ ...record, status: 'stopped', observed: {} });
    assert.equal((await routes.gateways()).gateways[0]?.status, 'serving');
    await routes.report({ ...record, boot: 'b2', status: 'stopped', observed: {} });
    assert.equal((await routes.gateways()).gateways[0]?.status, 'stopped');
  });

  it('is told by a gateway that nothing has changed with the time alone, and the whole when anything has', async () => {
    const tables = new ChangedTables(database.db);
    const route = (generation: number) => ({ generation, ready: [], failed: [], trips: [] });
    const [one, two] = [route(1), route(2)];
    const tell = (observed: Readonly<Record<string, ObservedRoute>>) =>
      tables.report({
        gateway: 'thrifty',
        boot: 'b',
        url: 'http://127.0.0.1:9',
        startedAt: '1999-01-01T00:00:00.000Z',
        status: 'serving',
        observed,
      });
    const kept = async () =>
      (await tables.gateways()).gateways.find(({ gateway }) => gateway === 'thrifty')?.observed;
    /** Leaves a mark, which goes with the next whole report. */
    const mark = () =>
      collectionsOf(database.db).gateways.updateOne({ _id: 'thrifty' }, { $set: { observed: {} } });
    await tell({ one, two });
    assert.deepEqual(await kept(), { one, two });
    await mark();
    await tell({ one, two });
    assert.deepEqual(await kept(), {});
    const later: readonly Readonly<Record<string, ObservedRoute>>[] = [
      { one, two: route(3) },
      { one },
      { one, two },
      { one: two, two: one },
    ];
    for (const changed of later) {
      await mark();
      await tell(changed);
      assert.deepEqual(await kept(), changed);
    }
    await collectionsOf(database.db).gateways.deleteOne({ _id: 'thrifty' });
    await tell({ one: two, two: one });
    assert.deepEqual(await kept(), { one: two, two: one });
  });
});
