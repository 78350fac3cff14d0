import assert from 'node:assert/strict';
import type { Collection, Document } from 'mongodb';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead } from '../../../src/contracts/ledger.js';
import { type BadKind, chain, type LedgerCollection, verifyLedger } from '../../../src/ledger/index.js';
import { openTestDatabase } from '../../support/database.js';
import { scale } from '../../support/scale.js';

/** Somebody who may do anything in the database: validation and unique indexes do not stop him. */
const BYPASS = { bypassDocumentValidation: true } as const;
const FAST = { writeConcern: { w: 1 }, readConcern: { level: 'local' } } as const;
const STREAM = 'employment';
const LENGTH = 240;

const entry = (n: number, evidence: LedgerEntry['evidence'] = { n, share: n / 7 }): LedgerEntry => ({
  stream: STREAM,
  id: `release:employment:1/look/${n}`,
  action: 'canary.look',
  actor: { kind: 'system', id: 'release:employment:1' },
  subject: { release: 1, version: 'v1' },
  evidence,
  at: '2026-01-31T12:00:00.000Z',
});

interface Tampering {
  readonly what: string;
  /** A variant of another one, tried at fewer positions. */
  readonly variant?: true;
  /** @param other a second position, after `n` */
  readonly act: (events: Collection, n: number, other: number) => Promise<void>;
  readonly undo: (
    events: Collection,
    n: number,
    other: number,
    original: readonly Document[],
  ) => Promise<void>;
  /** The newest event is `LENGTH`. */
  readonly kind: (n: number) => BadKind;
}

/** xorshift32: the same positions in every run. */
function* seeded(seed: number): Generator<number, never> {
  for (let x = seed; ;) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x >>> 0;
  }
}

const at = (original: readonly Document[], n: number): Document => {
  const document = original[n - 1];
  assert.ok(document !== undefined);
  return document;
};

const restore = async (events: Collection, document: Document): Promise<void> => {
  await events.replaceOne({ sequence: document['sequence'] }, document, BYPASS);
};

describe('tampering with the ledger in MongoDB', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let events: Collection;
  let ledger: LedgerCollection;
  let original: readonly Document[];
  let head: LedgerHead;

  before(async () => {
    database = await openTestDatabase();
    // Nobody fails over here, so nothing has to wait for the disk.
    events = database.db.collection('ledger', FAST);
    ledger = database.db.collection('ledger', FAST);
    let last: LedgerHead = EMPTY_HEAD;
    original = Array.from({ length: LENGTH }, (_, i) => {
      const event = chain(entry(i + 1), last);
      last = event;
      return { _id: event.hash as never, ...event };
    });
    head = { sequence: last.sequence, hash: last.hash };
    await events.insertMany([...original]);
    // What an administrator can drop does not have to hold for the chain to be checked.
    await events.dropIndex('stream_sequence');
    await events.dropIndex('stream_id');
    await events.createIndex({ stream: 1, sequence: 1 });
    await events.createIndex({ sequence: 1 });
  });
  after(() => database.drop());

  const verify = () => verifyLedger(ledger, { stream: STREAM, heads: { [STREAM]: head } });

  const forged = (n: number): Document => {
    const before = n === 1 ? EMPTY_HEAD : { sequence: n - 1, hash: String(at(original, n - 1)['hash']) };
    const event = chain({ ...entry(n, { forged: true }), id: `forged/${n}` }, before);
    return { _id: event.hash as never, ...event };
  };

  const tamperings: readonly Tampering[] = [
    {
      what: 'a changed field',
      act: async (into, n) => {
        await into.updateOne({ sequence: n }, { $set: { 'evidence.n': -1 } }, BYPASS);
      },
      undo: (into, n, _other, from) => restore(into, at(from, n)),
      kind: () => 'fields-differ',
    },
    {
      what: 'a changed text',
      variant: true,
      act: async (into, n) => {
        const text = String(at(original, n)['canonical']).replace('"v1"', '"v2"');
        await into.updateOne({ sequence: n }, { $set: { canonical: text, 'subject.version': 'v2' } }, BYPASS);
      },
      undo: (into, n, _other, from) => restore(into, at(from, n)),
      kind: () => 'changed',
    },
    {
      what: 'an event replaced by a well-formed one',
      variant: true,
      act: async (into, n) => {
        await into.deleteOne({ sequence: n });
        await into.insertOne(forged(n), BYPASS);
      },
      undo: async (into, n, _other, from) => {
        await into.deleteOne({ sequence: n });
        await into.insertOne(at(from, n));
      },
      kind: (n) => (n === LENGTH ? 'rewritten' : 'changed'),
    },
    {
      what: 'a deleted event',
      act: async (into, n) => {
        await into.deleteOne({ sequence: n });
      },
      undo: async (into, n, _other, from) => {
        await into.insertOne(at(from, n));
      },
      kind: (n) => (n === LENGTH ? 'cut-off' : 'missing'),
    },
    {
      what: 'two swapped events',
      act: async (into, n, other) => {
        await into.updateOne({ sequence: n }, { $set: { sequence: -1 } }, BYPASS);
        await into.updateOne({ sequence: other }, { $set: { sequence: n } }, BYPASS);
        await into.updateOne({ sequence: -1 }, { $set: { sequence: other } }, BYPASS);
      },
      undo: async (into, n, other, from) => {
        for (const place of [n, other]) {
          const document = at(from, place);
          await into.replaceOne({ _id: document['_id'] as never }, document, BYPASS);
        }
      },
      kind: () => 'out-of-order',
    },
    {
      what: 'an inserted event, with room made for it',
      act: async (into, n) => {
        await into.updateMany({ sequence: { $gte: n } }, { $inc: { sequence: 1 } }, BYPASS);
        await into.insertOne(forged(n), BYPASS);
      },
      undo: async (into, n) => {
        await into.deleteOne({ _id: forged(n)['_id'] as never });
        await into.updateMany({ sequence: { $gt: n } }, { $inc: { sequence: -1 } }, BYPASS);
      },
      kind: () => 'inserted',
    },
    {
      what: 'an inserted event under a number that is taken',
      variant: true,
      act: async (into, n) => {
        await into.insertOne(forged(n), BYPASS);
      },
      undo: async (into, n) => {
        await into.deleteOne({ _id: forged(n)['_id'] as never });
      },
      kind: () => 'inserted',
    },
  ];

  for (const [i, { what, variant, act, undo, kind }] of tamperings.entries()) {
    it(`detects ${what} at every position tried, with its place`, async function () {
      this.timeout(scale(60_000, 900_000));
      const random = seeded(1_000 + i);
      const tries = variant === true ? scale(24, 998) : scale(100, 2_000);
      const positions = Array.from({ length: tries }, () => 1 + (random.next().value % LENGTH));
      for (const n of [1, LENGTH, ...positions]) {
        const room = LENGTH - n;
        const other = room === 0 ? n - 1 : n + 1 + (random.next().value % room);
        await act(events, n, other);
        const result = await verify();
        const place = what.startsWith('two swapped') ? Math.min(n, other) : n;
        assert.deepEqual(
          result.bad.map((bad) => ({ stream: bad.stream, sequence: bad.sequence, kind: bad.kind })),
          [{ stream: STREAM, sequence: place, kind: kind(n) }],
          `position ${n}`,
        );
        assert.equal(result.ok, false);
        await undo(events, n, other, original);
      }
      assert.deepEqual((await verify()).bad, []);
    });
  }

  it('says of a stream cut off without a kept head that nothing is bad, and that this is not shown', async () => {
    await events.deleteOne({ sequence: LENGTH });
    const result = await verifyLedger(ledger, { stream: STREAM });
    assert.equal(result.ok, true);
    assert.match(result.notShown.join('\n'), /cut off unseen/);
    await events.insertOne(at(original, LENGTH));
  });

  it('names the first bad event of each stream, also of streams of which nothing is left', async () => {
    const other = chain({ ...entry(1), stream: 'other' }, EMPTY_HEAD);
    await events.insertOne({ _id: other.hash as never, ...other, evidence: {} }, BYPASS);
    const heads = { [STREAM]: head, gone: { sequence: 3, hash: 'a'.repeat(64) }, never: EMPTY_HEAD };
    const result = await verifyLedger(ledger, { heads });
    assert.deepEqual(
      result.bad.map(({ stream, sequence, kind }) => [stream, sequence, kind]),
      [
        ['other', 1, 'fields-differ'],
        ['gone', 1, 'cut-off'],
      ],
    );
    assert.deepEqual([result.streams, result.badStreams, result.headsMatched], [3, 2, 1]);
    await events.deleteOne({ stream: 'other' });
  });
});
