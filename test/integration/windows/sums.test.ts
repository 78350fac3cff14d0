import assert from 'node:assert/strict';
import type { WindowBatch } from '../../../src/contracts/windows.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { compactWindows } from '../../../src/platform/windows/compaction.js';
import { readCanaryCounts, type ReleaseCounts } from '../../../src/platform/windows/reader.js';
import { MongoWindowStore } from '../../../src/platform/windows/store.js';
import { openReleaseReader, sumsOf } from '../../../src/platform/windows/sums.js';
import { openTestDatabase } from '../../support/database.js';
import { CANDIDATE, canaryTable, CHAMPION, FakeCounting } from '../../support/windows.js';

const MINUTE = 60_000;
const QUERY = {
  model: 'm',
  release: 1,
  candidate: CANDIDATE.digest,
  champion: CHAMPION.digest,
  guardrails: ['errors', 'slow'],
};

describe('Sums of the closed windows of a release', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let gateways: readonly FakeCounting[];
  let requests = 0;
  beforeEach(async () => {
    database = await openTestDatabase();
    gateways = [new FakeCounting('a'), new FakeCounting('b', 'boot', 25)];
  });
  afterEach(() => database.drop());

  /** One batch of either gateway for each of these times, as if inserted then. */
  const record = async (times: readonly number[]): Promise<void> => {
    const batches = times.flatMap((at): WindowBatch[] => {
      requests += 1;
      const gateway = gateways[requests % 2];
      gateway?.request(canaryTable(1, 0.5), `k${(requests * 7) % 90}`, (requests * 5) % 4);
      return (gateway?.flush(at) ?? []).map((batch) => ({ ...batch, from: at, to: at + 1_000 }));
    });
    await new MongoWindowStore(database.db).insert(batches);
    await windowsOf(database.db).updateMany({ span: 'batch' }, [
      { $set: { insertedAt: { $toDate: '$from' } } },
    ]);
  };
  const every = (ms: number, from: number, to: number): number[] =>
    Array.from({ length: Math.max(0, Math.ceil((to - from) / ms)) }, (_, i) => from + i * ms);
  const look = async (): Promise<ReleaseCounts> => {
    const reader = await openReleaseReader(database.db, QUERY);
    await reader.advance(database.db);
    return reader.result;
  };
  /** A look of that time: nothing newer was there. */
  const lookedAt = async (time: number): Promise<ReleaseCounts> => {
    const result = await look();
    await sumsOf(database.db).updateMany({}, { $set: { upTo: new Date(time - (time % MINUTE)) } });
    return result;
  };
  const whole = (): Promise<ReleaseCounts> => readCanaryCounts(database.db, QUERY);

  it('give what reading all of them gives, before and after they are merged', async () => {
    const now = Date.now();
    const half = now - 30 * MINUTE - (now % MINUTE);
    await record(every(10_000, half - 30 * MINUTE, half));
    assert.deepEqual(await lookedAt(half), await whole());
    await record(every(10_000, half, now - 5_000));
    const before = await whole();
    assert.ok(before.counts.sampleRate < 1);
    assert.deepEqual(await look(), before);
    // The sums end at a minute, so that a minute that is merged later is in them or comes after them.
    const [sums] = await sumsOf(database.db).find().toArray();
    assert.equal((sums?.upTo.getTime() ?? 1) % MINUTE, 0);
    await compactWindows({ client: database.client, name: database.db.databaseName }, now);
    assert.deepEqual(await look(), before);
    assert.deepEqual(await whole(), before);
  });

  it('are all that a look needs of what is older than a few minutes', async () => {
    const now = Date.now();
    await record(every(10_000, now - 30 * MINUTE, now - 5_000));
    const before = await look();
    const { deletedCount } = await windowsOf(database.db).deleteMany({
      insertedAt: { $lt: new Date(now - 4 * MINUTE) },
    });
    assert.ok(deletedCount > 100);
    assert.deepEqual(await look(), before);
    assert.notDeepEqual(await whole(), before);
  });

  it('may be old, as when nobody looked for an hour, or missing', async () => {
    const now = Date.now();
    const past = now - 60 * MINUTE - (now % MINUTE);
    await record(every(10_000, past - 30 * MINUTE, past));
    await lookedAt(past);
    const [old] = await sumsOf(database.db).find().toArray();
    await record(every(10_000, past, now - 5_000));
    await look();
    assert.ok(old !== undefined);
    // As the process had died before it kept the newer ones, and the compactor came by.
    await sumsOf(database.db).replaceOne({ _id: old._id }, old);
    await compactWindows({ client: database.client, name: database.db.databaseName }, now);
    assert.deepEqual(await look(), await whole());
    await sumsOf(database.db).deleteMany({});
    assert.deepEqual(await look(), await whole());
  });

  it('go when nobody has looked for two days', async () => {
    const now = Date.now();
    await record(every(10_000, now - 30 * MINUTE, now - 5_000));
    await look();
    const target = { client: database.client, name: database.db.databaseName };
    await compactWindows(target, now + 47 * 60 * MINUTE);
    assert.equal(await sumsOf(database.db).countDocuments(), 1);
    await compactWindows(target, now + 49 * 60 * MINUTE);
    assert.equal(await sumsOf(database.db).countDocuments(), 0);
  });
});
