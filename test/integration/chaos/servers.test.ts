import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAIL_POINTS, type FailPoint } from '../../../src/fail-points/effects.js';
import type { FailPlan } from '../../../src/fail-points/plan.js';
import { build, type Built } from '../../support/built.js';
import { ABORTED_AT, KINDS } from '../../support/chaos/kinds.js';
import { Lane } from '../../support/chaos/lane.js';
import { letGo, outagesAt, serverOf } from '../../support/chaos/outages.js';
import { Merging } from '../../support/chaos/merging.js';
import { pointsOf, processOf } from '../../support/chaos/points.js';
import { Servers } from '../../support/chaos/servers.js';
import { marksIn, Troupe } from '../../support/chaos/troupe.js';
import { scale } from '../../support/scale.js';

/** Every effect of worker and gateway on a server, before and after it; the doctor's are in test/integration/faults. */
const ALL = FAIL_POINTS.filter(
  (point) => serverOf(point) !== null && ['worker', 'gateway'].includes(processOf(point)),
);

/** What matters most of them: the record, the traffic, the counts, and the answers of activities. */
const SOME: readonly FailPoint[] = [
  'ledger.insert.before',
  'ledger.insert.after',
  'routes.set.before',
  'routes.set.after',
  'windows.insert.after',
  'activity.changeTraffic.after',
];

const SPOOL = FAIL_POINTS.filter((point) => point.startsWith('spool.'));
/** Long enough for a gateway to find out that MongoDB is away, and for a window to be spooled. */
const SPOOLING_MS = 4_000;

describe('mongod and Temporal killed while a process is about to use them, or has just done so', function () {
  this.timeout(scale(600_000, 1_800_000));
  let built: Built;
  let servers: Servers;
  let lane: Lane | undefined;

  before('build and start', async () => {
    built = await build();
    servers = await Servers.start();
  });
  after(async () => {
    lane?.giveUp(new Error('The test is over'));
    await lane?.close();
    await servers?.end();
    await built?.remove();
  });

  it('end every release as it should, and gateways killed over their spools count nothing twice', async () => {
    const wanted = scale(0, 1) === 1 ? ALL : SOME;
    const stops = new Set(wanted);
    const spoolLeft = (marks: string): readonly FailPoint[] => {
      const done = new Set(marksIn(marks).map(({ point }) => point));
      return SPOOL.filter((point) => !done.has(point));
    };
    const plans = (process: string, marks: string): readonly FailPlan[] => {
      const kind = process.replace(/-\d+$/, '');
      const stop = [...stops].map((point): FailPlan => ({ point, hit: 1, action: 'pause' }));
      const die = spoolLeft(marks).map((point): FailPlan => ({ point, hit: 1, action: 'kill' }));
      return [...stop, ...die].filter(({ point }) => processOf(point) === kind);
    };
    const at = await Lane.open({ name: 'servers', servers, built, gateways: 1, plans });
    lane = at;
    const models = ['servers-1', 'servers-2', 'servers-3'];
    const troupe = new Troupe(at, models, { rate: 8, abortAt: (n) => ABORTED_AT[n % ABORTED_AT.length]! });
    let over = false;
    let played = false;
    let lettingGo = Promise.resolve();
    const outages = async (): Promise<void> => {
      try {
        await outagesAt(at, servers, stops);
        lettingGo = letGo(at, () => played);
        while (spoolLeft(at.marksFolder).length > 0) {
          at.signal.throwIfAborted();
          await servers.kill('mongod');
          await sleep(SPOOLING_MS);
          await servers.revive();
          await sleep(SPOOLING_MS);
        }
      } catch (error) {
        at.giveUp(error);
      } finally {
        over = true;
      }
    };
    await Promise.all([
      outages(),
      troupe
        .play(
          (driver, n) => KINDS[(n + 1 + troupe.drivers.indexOf(driver)) % KINDS.length]!,
          () => over,
        )
        .finally(() => (played = true)),
    ]);
    await lettingGo;
    assert.deepEqual(await troupe.judge(), [], at.said(60));
    assert.deepEqual([...stops], [], `of ${wanted.join(', ')}`);
    assert.deepEqual(spoolLeft(at.marksFolder), []);
  });

  it('and windows are merged whole or not at all, whether the compactor or mongod is killed in the middle', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-merging-'));
    const points = pointsOf('compactor');
    const cases = await Promise.all(
      points.map(async (point) => ({
        point,
        dies: await Merging.open(servers.mongodbUri, join(folder, `${point}-dies`)),
        stops: await Merging.open(servers.mongodbUri, join(folder, `${point}-stops`)),
      })),
    );
    try {
      const before = await Promise.all(cases.map(({ dies }) => dies.read()));
      // Side by side: all stop, mongod is killed once under all of them, and they go on into the outage.
      const stopping = cases.map(({ point, stops }) => stops.merge(`${point}=pause`));
      const marks = await Promise.all(cases.map(({ stops }) => stops.stopped()));
      await servers.kill('mongod');
      await Promise.all(cases.map(({ stops }, i) => stops.goOn(marks[i]!)));
      await servers.revive();
      await Promise.all(stopping.map(({ exited }) => exited));
      const ends = await Promise.all(cases.map(({ point, dies }) => dies.merge(point).exited));
      assert.deepEqual(new Set(ends.map(({ signal }) => signal)), new Set(['SIGKILL']));
      for (const [i, { point, dies, stops }] of cases.entries())
        for (const found of [dies, stops]) {
          assert.deepEqual(await found.read(), before[i], point);
          await found.mergeHere();
          assert.deepEqual(await found.read(), before[i], `${point}, merged again`);
          assert.deepEqual(await found.spans(), ['minute'], point);
        }
    } finally {
      await Promise.all(cases.flatMap(({ dies, stops }) => [dies.close(), stops.close()]));
      await rm(folder, { recursive: true, force: true });
    }
  });
});
