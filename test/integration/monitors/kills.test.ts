import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { monitorWorkflowId } from '../../../src/contracts/ids.js';
import type { FailPoint } from '../../../src/fail-points/effects.js';
import { shardOf } from '../../../src/lifecycle/monitor-ticks.js';
import { FindingStore } from '../../../src/platform/monitors/index.js';
import { connectMongo, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { pointsOf } from '../../support/chaos/points.js';
import { HOUR, MonitoredModels } from '../../support/monitored-models.js';
import { MortalWorker } from '../../support/mortal-worker.js';
import { createRandom } from '../../support/random.js';
import { ReleaseStage } from '../../support/release-stage.js';
import { scale } from '../../support/scale.js';
import { until } from '../../support/until.js';
import { MadeModel } from '../../unit/statistics/monitor/made-model.js';

/** Each kill costs the fifteen seconds in which a worker that died is noticed. */
const SHORT: readonly FailPoint[] = ['monitor.carry.after', 'monitor.report.after'];

describe('monitors whose worker is killed, started anew, and told of other shards', function () {
  this.timeout(scale(300_000, 900_000));
  let stage: ReleaseStage;
  let models: MonitoredModels;
  let database: TenureDatabase;
  let mortal: MortalWorker | null = null;
  let closed = 0;
  const made = new MadeModel(createRandom(12), 3);
  before(async () => {
    stage = await ReleaseStage.open([]);
    await stage.worker.stop();
    const { temporal, mongodbUri } = stage.session.config;
    database = await connectMongo(mongodbUri ?? '', stage.session.config.database);
    models = await MonitoredModels.open(database, temporal?.address ?? '');
    closed = Math.floor((Date.now() - 20_000) / HOUR) * HOUR;
  });
  after(async () => {
    for (let shard = 0; shard < 3; shard += 1)
      await handleOf(shard)
        .terminate('over')
        .catch(() => undefined);
    await models?.close();
    await database?.close();
    await mortal?.close();
    await stage?.close();
  });

  const handleOf = (shard: number) =>
    stage.temporal.workflow.getHandle(monitorWorkflowId(stage.session.config.taskQueue, shard));
  /** Status of each of these monitors, and the run that it is. */
  const running = async (shards: readonly number[]) =>
    Promise.all(
      shards.map(async (shard) => {
        const { status, runId } = await handleOf(shard).describe();
        return { status: status.name, runId };
      }),
    );
  const settings = (shards: number) => ({
    TENURE_MONITOR_SECONDS: '1',
    TENURE_MONITOR_SHARDS: String(shards),
  });
  /** A model of this shard of two, whose last hour had a fault. */
  const faulty = async (shard: number): Promise<string> => {
    const name = Array.from({ length: 100 }, (_, i) => `killed-${randomUUID().slice(0, 8)}-${i}`).find(
      (one) => shardOf(one, 2) === shard,
    );
    assert.ok(name !== undefined);
    await models.serve(name, stage.session.config.taskQueue);
    const profile = await models.profile(name, made.profile);
    const features = { ...made.counts({ rows: 300, unseen: 90 }), profile };
    // Whatever the hour is by then, that one is looked at.
    await models.evaluatedTo(name, closed - HOUR);
    await models.window(name, { at: closed - HOUR / 2, features, requests: 300 });
    return name;
  };
  /** Everything that a finding leads to, each once: the finding, its record, the model's incident. */
  const isToldOnce = async (model: string): Promise<void> => {
    const id = `${model}/data-quality/color/${closed}`;
    // Skew of the same column opens one of its own, of which nobody can say whether it is recorded before or after.
    const opened = async (): Promise<number> => {
      const all = await database.collections.ledger
        .find({ stream: model, action: 'incident.opened' })
        .toArray();
      return all.filter(({ evidence }) => JSON.stringify(evidence).includes(id)).length;
    };
    await until(`the incident of ${id}`, async () => (await opened()) > 0, 120_000);
    const findings = (await new FindingStore(database.db).newest(model, 100)).map((one) => one.id);
    assert.ok(findings.includes(id), findings.join());
    const recorded = await database.collections.ledger
      .find({ stream: model, action: 'monitor.found' })
      .toArray();
    assert.equal(recorded.filter(({ subject }) => subject['finding'] === id).length, 1);
    assert.equal(await opened(), 1);
    const told = (await models.reports(model)).filter(({ findings: all }) =>
      all.some((one) => one.id === id),
    );
    // More than once only where it died between the telling and the note of it: the model acts once.
    assert.ok(told.length >= 1 && told.length <= 1 + (mortal?.deaths ?? 0), `${told.length}`);
  };

  it('lose and repeat nothing; a restarted worker finds them running', async () => {
    const [first, second] = [await faulty(0), await faulty(1)];
    mortal = await MortalWorker.start(stage, scale(0, 1) === 0 ? SHORT : pointsOf('monitor'), settings(2));
    await until('all kills', () => mortal?.left.length === 0, scale(240_000, 840_000));
    await Promise.all([first, second].map(isToldOnce));
    const before = await running([0, 1]);
    assert.deepEqual(
      before.map(({ status }) => status),
      ['RUNNING', 'RUNNING'],
    );
    await mortal.close();
    mortal = null;
    // What comes while nobody works is found by the next tick; the monitors are those of before.
    const third = await faulty(1);
    await stage.startWorker(settings(2));
    await isToldOnce(third);
    assert.deepEqual(await running([0, 1]), before);
  });

  it('follow another number of shards, and the models that are there', async () => {
    await stage.worker.stop();
    // The third is retired: nobody serves it, so it is nobody's.
    const gone = await faulty(0);
    await database.collections.routes.updateOne({ _id: gone }, { $set: { champion: null } });
    await stage.startWorker(settings(3));
    await until('the third monitor', async () => (await running([2]))[0]?.status === 'RUNNING', 60_000);
    const before = await running([0, 1, 2]);
    await stage.worker.stop();
    const late = await faulty(1);
    await stage.startWorker(settings(1));
    await isToldOnce(late);
    await until(
      'fewer monitors',
      async () => (await running([1, 2])).every(({ status }) => status === 'COMPLETED'),
      60_000,
    );
    assert.deepEqual((await running([0]))[0], before[0]);
    assert.deepEqual(await new FindingStore(database.db).newest(gone, 10), []);
    const beat = await database.db.collection('monitors').findOne({ _id: 0 as never });
    const serving = await database.collections.routes.countDocuments({ champion: { $ne: null } });
    assert.equal(beat?.['models'], serving);
  });

  it('that were named before installations had names of their own end at their next tick', async () => {
    const former = await stage.temporal.workflow.start('monitorShard', {
      workflowId: 'monitor:0',
      taskQueue: stage.session.config.taskQueue,
      args: [{ shard: 0, seconds: 1 }],
    });
    const { seconds, models: count } = (await former.result()) as { seconds: number; models: number };
    assert.deepEqual([seconds, count], [0, 0]);
    assert.equal((await running([0]))[0]?.status, 'RUNNING');
  });
});
