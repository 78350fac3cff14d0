import assert from 'node:assert/strict';
import type { WindowBatch } from '../../../src/contracts/windows.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { citeWindows } from '../../../src/platform/windows/cite.js';
import { compactWindows } from '../../../src/platform/windows/compaction.js';
import { readCanaryCounts, ReleaseReader } from '../../../src/platform/windows/reader.js';
import { MongoWindowStore } from '../../../src/platform/windows/store.js';
import { openTestDatabase } from '../../support/database.js';
import { desired } from '../../support/gateway.js';
import { CANDIDATE, canaryTable, CHAMPION, FakeCounting } from '../../support/windows.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);

describe('Windows in MongoDB', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let store: MongoWindowStore;
  beforeEach(async () => {
    database = await openTestDatabase();
    store = new MongoWindowStore(database.db);
  });
  afterEach(() => database.drop());

  const target = () => ({ client: database.client, name: database.db.databaseName });
  const all = () => windowsOf(database.db).find({}).sort({ from: 1 }).toArray();
  /** One request a batch, a batch every `everyMs` from START on. */
  const record = async (count: number, everyMs: number, name = 'g'): Promise<WindowBatch[]> => {
    const gateway = new FakeCounting(name);
    const batches = Array.from({ length: count }, (_, i) => {
      gateway.request(canaryTable(1, 0.5), `k${i}`, i % 2);
      return gateway
        .flush(START + i * everyMs)
        .map((batch) => ({ ...batch, from: START + i * everyMs, to: START + (i + 1) * everyMs }));
    }).flat();
    await store.insert(batches);
    await backdate();
    return batches;
  };
  /** As if each had been inserted in the minute that it is about. */
  const backdate = () =>
    windowsOf(database.db).updateMany({}, [{ $set: { insertedAt: { $toDate: '$from' } } }]);
  const totals = async () => {
    const cells = (await all()).flatMap((document) => document.cells);
    const sum = (of: (cell: (typeof cells)[number]) => number): number =>
      cells.reduce((t, cell) => t + of(cell), 0);
    return [
      sum(({ requests }) => requests.split),
      sum(({ bad }) => bad['errors'] ?? 0),
      sum(({ latency }) => latency.count),
    ];
  };

  it('are inserted once, with the time of the server', async () => {
    const gateway = new FakeCounting('g');
    const batches = ['a', 'b', 'c'].flatMap((key) => {
      gateway.request(canaryTable(1, 0.5), key);
      return gateway.flush(START);
    });
    await store.insert(batches);
    const before = await all();
    await store.insert(batches);
    await new MongoWindowStore(database.db).insert(batches);
    assert.deepEqual(await all(), before);
    assert.equal(before.length, 3);
    assert.ok(before.every(({ insertedAt }) => Math.abs(insertedAt.getTime() - Date.now()) < 60_000));
  });

  it('become minutes, hours and days, lose nothing, and come once even if sent again', async () => {
    const batches = await record(40, 15_000);
    const [requests, bad, answered] = await totals();
    assert.deepEqual([requests, bad, answered], [40, 20, 40]);
    const expectSpans = async (now: number, ...spans: string[]): Promise<void> => {
      await compactWindows(target(), now);
      assert.deepEqual(new Set((await all()).map(({ span }) => span)), new Set(spans));
      assert.deepEqual(await totals(), [requests, bad, answered]);
    };
    await expectSpans(START + 5 * MINUTE, 'batch');
    await expectSpans(START + HOUR, 'minute');
    assert.equal((await all()).length, 10);
    await store.insert(batches.slice(0, 5));
    assert.deepEqual(await totals(), [requests, bad, answered]);
    await expectSpans(START + 3 * DAY, 'hour');
    await store.insert(batches);
    assert.deepEqual(await totals(), [requests, bad, answered]);
    await expectSpans(START + 40 * DAY, 'day');
    const { deleted } = await compactWindows(target(), START + 4 * 365 * DAY);
    assert.equal(deleted, 1);
    assert.deepEqual(await all(), []);
  });

  it('are merged once by several compactors at a time', async () => {
    await record(40, 15_000, 'a');
    await record(40, 15_000, 'b');
    const runs = await Promise.all([1, 2, 3].map(() => compactWindows(target(), START + HOUR)));
    assert.equal(
      runs.reduce((sum, { merged }) => sum + merged, 0),
      80,
    );
    assert.deepEqual(await totals(), [80, 40, 80]);
    assert.equal((await all()).length, 10);
  });

  it('stay as they are when cited', async () => {
    await record(8, 15_000);
    assert.equal(await citeWindows(database.db, { model: 'm', from: START, to: START + 30_000 }), 2);
    await compactWindows(target(), START + 3 * DAY);
    const spans = (await all()).map(({ span }) => span);
    assert.equal(spans.filter((span) => span === 'batch').length, 2);
    assert.deepEqual(await totals(), [8, 4, 8]);
  });

  it('of a release in flight stay minutes, and are read with the same result', async () => {
    const routes = new MongoRoutingStore(database.db);
    const set = (release: number | null, changeId: string) =>
      routes.compareAndSet({
        model: 'm',
        expectedGeneration: 'any',
        desired: desired({ release }),
        changeId,
      });
    await set(1, 'a');
    const gateways = [new FakeCounting('a'), new FakeCounting('b', 'boot', 25)];
    const batches: WindowBatch[] = [];
    for (let i = 0; i < 200; i += 1) {
      const table = canaryTable(i < 100 ? 1 : 2, i < 100 ? 0.2 : 0.6);
      const gateway = gateways[i % 2];
      // Keys and their bad events come again and again, at both gateways.
      gateway?.request(table, `k${(i * 7) % 90}`, (i * 5) % 4);
      gateway?.request(table, `k${(i * 3) % 90}`, i % 3);
      const at = START + i * 2_000;
      batches.push(...(gateway?.flush(at) ?? []).map((batch) => ({ ...batch, from: at, to: at + 2_000 })));
    }
    await store.insert(batches);
    await backdate();
    const query = {
      model: 'm',
      release: 1,
      candidate: CANDIDATE.digest,
      champion: CHAMPION.digest,
      guardrails: ['errors', 'slow'],
    };
    const before = await readCanaryCounts(database.db, query);
    assert.ok(before.counts.sampleRate < 1);
    const reader = new ReleaseReader(query);
    await reader.advance(database.db);
    await compactWindows(target(), START + HOUR);
    assert.deepEqual(new Set((await all()).map(({ span }) => span)), new Set(['minute']));
    assert.deepEqual(await readCanaryCounts(database.db, query), before);
    // One that was reading when it happened counts nothing again.
    await reader.advance(database.db);
    assert.deepEqual(reader.result, before);
    await compactWindows(target(), START + 3 * DAY);
    assert.deepEqual(new Set((await all()).map(({ span }) => span)), new Set(['minute']));
    await set(null, 'b');
    await compactWindows(target(), START + 3 * DAY);
    assert.deepEqual(new Set((await all()).map(({ span }) => span)), new Set(['hour']));
  });
});
