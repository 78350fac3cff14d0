import assert from 'node:assert/strict';
import type { WindowBatch } from '../../../src/contracts/windows.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { citeWindows, compactWindows } from '../../../src/platform/windows/compaction.js';
import { MongoWindowStore } from '../../../src/platform/windows/store.js';
import { openTestDatabase } from '../../support/database.js';
import { desired } from '../../support/gateway.js';
import { canaryTable, FakeCounting } from '../../support/windows.js';

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
    return batches;
  };
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
    const batches = await record(3, 1_000);
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

  it('stay as they are while their release is in flight, or when cited', async () => {
    await record(8, 15_000);
    const routes = new MongoRoutingStore(database.db);
    const set = (release: number | null, changeId: string) =>
      routes.compareAndSet({
        model: 'm',
        expectedGeneration: 'any',
        desired: desired({ release }),
        changeId,
      });
    await set(1, 'a');
    await compactWindows(target(), START + HOUR);
    assert.equal((await all()).filter(({ span }) => span === 'batch').length, 8);
    await set(null, 'b');
    assert.equal(await citeWindows(target(), { model: 'm', from: START, to: START + 30_000 }), 2);
    await compactWindows(target(), START + HOUR);
    const spans = (await all()).map(({ span }) => span);
    assert.equal(spans.filter((span) => span === 'batch').length, 2);
    assert.deepEqual(await totals(), [8, 4, 8]);
  });
});
