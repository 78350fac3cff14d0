import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examine, repair } from '../../../src/client/doctor.js';
import { openSession } from '../../../src/client/session.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { FailPoint } from '../../../src/fail-points/effects.js';
import { failPlanText } from '../../../src/fail-points/plan.js';
import { readStream } from '../../../src/ledger/index.js';
import { pointsOf } from '../../support/chaos/points.js';
import { marksIn } from '../../support/chaos/troupe.js';
import { Accidents, codesOf } from '../../support/doctor-accidents.js';
import { approvalBy } from '../../support/manifests.js';
import { MODELS, shortManifest } from '../../support/release-plan.js';
import { ReleaseStage } from '../../support/release-stage.js';
import { scale } from '../../support/scale.js';

/** Each costs the ten seconds in which a worker that died is noticed. */
const SHORT: readonly FailPoint[] = [
  'doctor.recover.after',
  'doctor.reconcile.before',
  'doctor.stop-release.after',
  'activity.repairModel.after',
];
const MODELS_OF = {
  gone: 'model-missing',
  moved: 'route-differs',
  doubled: 'release-unknown release 9',
} as const;

describe('doctor: killed in the middle of a repair', function () {
  this.timeout(scale(240_000, 900_000));
  let stage: ReleaseStage;
  let accidents: Accidents;
  let marks: string;
  const keeper = { over: false };
  let keeping: Promise<void> = Promise.resolve();

  before('a model for each kind of repair', async function () {
    this.timeout(240_000);
    marks = await mkdtemp(join(tmpdir(), 'tenure-doctor-kills-'));
    stage = await ReleaseStage.open(['gateway-1']);
    accidents = await Accidents.open(stage);
    await Promise.all(
      Object.keys(MODELS_OF).map(async (name) => {
        const { canary } = shortManifest(name, '', {});
        const steps = [{ weight: 0.5, minKeys: 1, minSeconds: 0 }];
        await stage.apply(name, { canary: { ...canary, steps }, soak: { seconds: 0, holdback: 0 } });
        const release = await stage.submit(name, 'v1', MODELS.v1);
        await stage.follow(name, release, ({ stage: at }) => at === 'soaking');
        const traffic = stage.traffic(name);
        await stage.ends(name, release, 'succeeded');
        await traffic.stop();
      }),
    );
  });
  after(async function () {
    this.timeout(60_000);
    keeper.over = true;
    await stage?.close();
    await keeping;
    await accidents?.close();
    if (marks !== undefined) await rm(marks, { recursive: true, force: true });
  });

  const all = pointsOf('doctor').filter((point) => !/tell/.test(point));
  const wanted = scale(0, 1) === 0 ? SHORT : all;
  const left = (): readonly FailPoint[] => {
    const done = new Set(marksIn(marks).map(({ point }) => point));
    return wanted.filter((point) => !done.has(point));
  };
  const start = (): Promise<void> => {
    const plans = left().map((point) => failPlanText({ point, hit: 1, action: 'kill' }));
    return stage.startWorker(
      plans.length === 0
        ? {}
        : {
            TENURE_FAIL_POINT: plans.join(','),
            TENURE_FAIL_FOLDER: marks,
            TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
          },
    );
  };
  /** A worker that dies where it is told to is started again, to die at what is left; it may not even live to say that it is ready. */
  const keep = async (): Promise<void> => {
    for (;;) {
      await stage.worker.exited;
      if (keeper.over) return;
      await start().catch(() => undefined);
    }
  };
  const eventsOf = async (model: string): Promise<LedgerEvent[]> => {
    const events: LedgerEvent[] = [];
    for await (const event of readStream(accidents.database.collections.ledger, model)) events.push(event);
    return events;
  };

  it('goes on where it was: everything is mended, each act is on record once', async () => {
    const doubled = await stage.tenure.model('doubled');
    const { champion } = doubled;
    assert.ok(champion !== null);
    await accidents.terminateModel('gone');
    await accidents.changeRoute('moved', { champion: null, generation: 30, changeId: 'by hand' });
    await accidents.startRelease({
      model: 'doubled',
      release: 9,
      manifest: {
        ...doubled.manifest,
        approval: { beforeDeploy: approvalBy(1, 'ann'), beforePromote: null },
      },
      version: champion,
      champion,
      warm: [],
      submittedBy: 'nobody',
      submittedAt: new Date().toISOString(),
      generation: doubled.generation,
      frozen: false,
    });
    await stage.follow('doubled', 9, ({ stage: at }) => at === 'awaiting-approval');
    const { report } = await examine(stage.session);
    assert.deepEqual(
      Object.fromEntries(Object.keys(MODELS_OF).map((model) => [model, codesOf(report.differences, model)])),
      Object.fromEntries(Object.entries(MODELS_OF).map(([model, code]) => [model, [code]])),
    );

    await stage.worker.stop();
    await start();
    keeping = keep();
    // A worker takes its time to start beside everything else that is tested.
    const session = openSession(stage.session.config, { patienceMs: 240_000 });
    const repaired = await repair(session, report.differences);
    await session.close();
    assert.deepEqual(repaired.report.differences, [], JSON.stringify(repaired.repairs));
    assert.deepEqual(left(), []);

    for (const model of Object.keys(MODELS_OF)) {
      const events = await eventsOf(model);
      const acts = events.filter(({ action }) =>
        /^model\.(?:recovered|realigned|release-stopped)$/.test(action),
      );
      const actions = acts.map(({ action }) => action).sort();
      const once =
        model === 'gone'
          ? ['model.recovered']
          : model === 'moved'
            ? ['model.realigned']
            : ['model.realigned', 'model.release-stopped'];
      assert.deepEqual(actions, once, model);
      const table = await stage.table(model);
      assert.deepEqual([table.champion?.version, table.candidate], ['v1', null], model);
    }
    assert.equal((await stage.table('moved')).generation, 31);
    const clean = await examine(stage.session);
    assert.deepEqual(clean.report.differences, []);
  });
});
