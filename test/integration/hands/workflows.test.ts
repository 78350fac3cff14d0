import assert from 'node:assert/strict';
import { modelWorkflowId, releaseWorkflowId } from '../../../src/contracts/ids.js';
import { until } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';
import { deleteWorkflow } from '../../support/temporal-hands.js';

const LONG_STEP = { weight: 0.25, minKeys: 200, minSeconds: 600 };

describe('Terminate, cancel and delete in Temporal', function () {
  this.timeout(90_000);
  const stage = useReleaseStage();
  let hurt: Traffic;
  let orphan: Traffic;

  before('two models with a first version in production', async function () {
    this.timeout(120_000);
    [hurt, orphan] = await Promise.all([stage().model('hurt'), stage().model('orphan')]);
    const { canary } = (await stage().tenure.model('hurt')).manifest;
    await stage().apply('hurt', { canary: { ...canary, steps: [LONG_STEP, ...canary.steps.slice(1)] } });
  });
  after(() => Promise.all([hurt, orphan].map((traffic) => traffic?.stop())));

  const acts = {
    terminate: async (id: string) =>
      void (await stage().temporal.workflow.getHandle(id).terminate('by hand')),
    cancel: async (id: string) => void (await stage().temporal.workflow.getHandle(id).cancel()),
    delete: (id: string) => deleteWorkflow(stage().temporal, id),
  };
  const REASONS = {
    terminate: 'the workflow of the release ended without compensating',
    cancel: 'the workflow was cancelled in Temporal',
    delete: 'the workflow of the release ended without compensating',
  };

  for (const [i, how] of (['terminate', 'cancel', 'delete'] as const).entries())
    it(`${how} of a release in mid-canary: the champion serves again, once recorded`, async () => {
      const at = stage();
      hurt.resume();
      const release = await at.submit('hurt', `v-${how}`, logisticModel([0.48 + i / 100], -2.3));
      await at.follow('hurt', release, ({ canary }) => (canary?.weight ?? 0) > 0);
      await acts[how](releaseWorkflowId('hurt', release));
      const summary = await until(
        'the model to have taken it back',
        async () => {
          const { releases, inFlight } = await at.tenure.model('hurt');
          return (
            inFlight === null && releases.find((known) => known.release === release && known.endedAt !== null)
          );
        },
        40_000,
      );
      assert.deepEqual([summary.stage, summary.reason], ['aborted', REASONS[how]]);
      const { champion, candidate } = await at.table('hurt');
      assert.deepEqual([champion?.version, candidate], ['v1', null]);
      const ends = (await at.record('hurt')).filter(
        ({ event }) => event.action === 'release.aborted' && event.subject['release'] === release,
      );
      assert.equal(ends.length, 1);
      allAnswered(hurt);
      hurt.pause();
      await assert.rejects(
        () => at.tenure.abort('hurt', release, { reason: 'late' }),
        new RegExp(`release ${release} of hurt is over: it ended aborted`),
      );
    });

  it('cancel of a model is recorded and ignored: it answers, and releases', async () => {
    const at = stage();
    await acts.cancel(modelWorkflowId('hurt'));
    await until('the record', async () =>
      (await at.history('hurt')).some(({ event }) => event.action === 'model.cancellation-ignored'),
    );
    await at.tenure.freeze('hurt', { reason: 'still answers' });
    await at.tenure.unfreeze('hurt', { reason: 'still answers' });
    const { canary } = (await at.tenure.model('orphan')).manifest;
    await at.apply('hurt', { canary });
    hurt.resume();
    const release = await at.submit('hurt', 'v2', MODELS.v2);
    await at.ends('hurt', release, 'succeeded');
    allAnswered(hurt);
  });

  it('terminate of a model: its release ends by itself and says that nobody heard; nothing starts from nothing', async () => {
    const at = stage();
    orphan.resume();
    const release = await at.submit('orphan', 'v2', MODELS.v2);
    await at.follow('orphan', release, ({ canary }) => (canary?.looks ?? 0) > 0);
    await acts.terminate(modelWorkflowId('orphan'));
    const view = await until(
      'the release to say so',
      async () => {
        const seen = await at.tenure.release('orphan', release);
        return /to take its report/.test(seen.waitingFor) && seen;
      },
      40_000,
    );
    assert.equal(view.outcome, 'succeeded');
    assert.equal((await at.table('orphan')).champion?.version, 'v2');
    const told = await until('the record', async () =>
      (await at.history('orphan')).find(({ event }) => event.action === 'release.report-not-taken'),
    );
    assert.match(told.sentence, /did not take the report/);
    const { db } = await at.session.database();
    await until('the alert', () =>
      db
        .collection('alerts')
        .findOne({ title: `orphan does not know that release ${release} ended succeeded` }),
    );
    // Whoever applies the manifest again gets a model that knows nothing.
    await acts.delete(modelWorkflowId('orphan'));
    await until(
      'the end of the model',
      () =>
        at.tenure.model('orphan').then(
          () => false,
          () => true,
        ),
      60_000,
    );
    await at.apply('orphan');
    await at.register('orphan', 'v3', MODELS.v3);
    const table = await at.table('orphan');
    await assert.rejects(
      () => at.tenure.submitRelease('orphan', 'v3'),
      /by release:orphan:2\/settle\/1, and its workflow knows none: .* See `tenure doctor`/,
    );
    assert.deepEqual(await at.table('orphan'), table);
    orphan.reset();
    await until('answers', () => orphan.seen.sent > 40);
    assert.deepEqual(Object.keys(allAnswered(orphan).byVersion), ['v2']);
  });
});
