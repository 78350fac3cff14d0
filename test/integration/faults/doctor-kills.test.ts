import assert from 'node:assert/strict';
import { examine, repair } from '../../../src/client/doctor.js';
import { openSession } from '../../../src/client/session.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { FailPoint } from '../../../src/fail-points/effects.js';
import { readStream } from '../../../src/ledger/index.js';
import { pointsOf } from '../../support/chaos/points.js';
import { Accidents, codesOf } from '../../support/doctor-accidents.js';
import { approvalBy } from '../../support/manifests.js';
import { MortalWorker } from '../../support/mortal-worker.js';
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
  let mortal: MortalWorker | null = null;

  before('a model for each kind of repair', async function () {
    this.timeout(240_000);
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
    await mortal?.close();
    await accidents?.close();
    await stage?.close();
  });

  const all = pointsOf('doctor').filter((point) => !/tell/.test(point));
  const points = scale(0, 1) === 0 ? SHORT : all;
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

    mortal = await MortalWorker.start(stage, points);
    // A worker takes its time to start beside everything else that is tested.
    const session = openSession(stage.session.config, { patienceMs: 240_000 });
    const repaired = await repair(session, report.differences);
    await session.close();
    assert.deepEqual(repaired.report.differences, [], JSON.stringify(repaired.repairs));
    assert.deepEqual(mortal.left, []);

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
