import { strict as assert } from 'node:assert';
import type { WorkflowHandle } from '@temporalio/client';
import type { WorkflowBundle } from '@temporalio/worker';
import { freezeModel, retryParked, rollBackModel } from '../../../src/contracts/messages.js';
import { changedBundle } from '../../support/changed-bundle.js';
import { type ModelUnderTest, type Started, useModel, useRealServer } from '../../support/workflow-env.js';

/**
 * A build is broken, deployed in the middle of something, and replaced by the fixed one. What is broken in a release's own code and
 * activities on its first way is in test/integration/workflows; here it is every workflow type, mid-way, in each way of being broken.
 */
describe('Broken code, on the development server', function () {
  this.timeout(300_000);
  const start = useModel();
  const server = useRealServer();

  const taskFailures = async (handle: WorkflowHandle): Promise<string[]> =>
    ((await handle.fetchHistory()).events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
      failed == null ? [] : [String(failed.failure?.message)],
    );

  const replaceWorkers = async (model: ModelUnderTest, bundle?: WorkflowBundle): Promise<void> => {
    await model.stopWorkers();
    await model.startWorkers(bundle);
  };

  /** A release in its canary, whose looks wait. */
  async function inCanary(): Promise<Started & { number: number; goOn: () => void }> {
    const { model, platform } = await start({}, { champion: 'v1', env: server() });
    const goOn = platform.holdLooks(() => platform.recorded('canary.look').length > 0);
    const number = await model.submit('v2');
    await model.until(() => platform.recorded('canary.step-applied').length > 0);
    await model.until(() => platform.count('awaitLook') > 1);
    return { model, platform, number, goOn };
  }

  it('of a release that throws in mid-canary: the fixed build ends it', async () => {
    const { model, platform, number, goOn } = await inCanary();
    const broken = await changedBundle(
      'workflows/release/canary.ts',
      'const { progress: next, look: judged, move } =',
      "if (state.canary !== null) throw new TypeError('broken look');\n  const { progress: next, look: judged, move } =",
    );
    await replaceWorkers(model, broken);
    goOn();
    await model.until(async () =>
      (await taskFailures(model.release(number))).some((why) => /broken look/.test(why)),
    );
    assert.deepEqual(platform.recorded('release.promoted'), []);
    await replaceWorkers(model);
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.recorded('release.promoted').length, 1);
    assert.equal(platform.serving, 'v2');
  });

  it('of a release that does things in another order than its history: the fixed build ends it', async () => {
    const { model, platform, number, goOn } = await inCanary();
    const broken = await changedBundle(
      'workflows/release/deploy.ts',
      'if (goldenDigest !== null)',
      'if (input.champion !== null) await readChampion(context);\n  if (goldenDigest !== null)',
    );
    await replaceWorkers(model, broken);
    goOn();
    await model.until(async () =>
      (await taskFailures(model.release(number))).some((why) => /TMPRL1100|[Nn]ondeterminism/.test(why)),
    );
    await replaceWorkers(model);
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(new Set(platform.changes.map(({ changeId }) => changeId)).size, platform.changes.length);
    assert.equal(platform.serving, 'v2');
  });

  it('of a release whose activity is broken in mid-canary: it parks, is judged on, and the fixed build ends it', async () => {
    const { model, platform, number, goOn } = await inCanary();
    platform.fail('changeTraffic', () => new TypeError('desired.steps is not iterable'));
    goOn();
    await model.until(async () => (await model.releaseView(number)).parked !== null);
    assert.match((await model.releaseView(number)).parked?.why ?? '', /is not iterable/);
    await model.stopWorkers();
    platform.mend();
    await model.startWorkers();
    await model.release(number).signal(retryParked, { requestId: 'r', actor: 'otto' });
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.serving, 'v2');
  });

  it('of a model that throws at a report: the fixed build hears it, and the next release starts', async () => {
    const { model, platform, number, goOn } = await inCanary();
    const broken = await changedBundle(
      'lifecycle/model-reports.ts',
      'const flying = state.inFlight === report.release;',
      "const flying = state.inFlight === report.release;\n  if (report.stage === 'soaking') throw new TypeError('broken report');",
    );
    await replaceWorkers(model, broken);
    goOn();
    await model.until(async () =>
      (await taskFailures(model.handle)).some((why) => /broken report/.test(why)),
    );
    await replaceWorkers(model);
    assert.equal(await model.ended(number), 'succeeded');
    await model.idle();
    assert.equal((await model.view()).champion?.version, 'v2');
    assert.equal(await model.ended(await model.submit('v3')), 'succeeded');
    assert.equal(platform.serving, 'v3');
  });

  it('of a model that does things in another order than its history: the fixed build answers what was asked', async () => {
    const { model, platform, number, goOn } = await inCanary();
    const broken = await changedBundle(
      'workflows/modelLifecycle.ts',
      'context.starting = number;',
      "context.starting = number;\n  context.parking.tell('started', 'info', 'started', 'a release starts');",
    );
    await replaceWorkers(model, broken);
    const asked = model.ask(freezeModel, { reason: 'quarter' });
    await model.until(async () =>
      (await taskFailures(model.handle)).some((why) => /TMPRL1100|[Nn]ondeterminism/.test(why)),
    );
    await replaceWorkers(model);
    assert.equal((await asked).accepted, true);
    goOn();
    await model.release(number).signal('abortRelease', { requestId: 'a', actor: 'otto', reason: 'enough' });
    assert.equal(await model.ended(number), 'aborted');
    await model.idle();
    assert.equal(platform.recorded('model.frozen').length, 1);
    assert.deepEqual([platform.serving, (await model.view()).health], ['v1', 'frozen']);
  });

  it('of a model whose activity is broken: a rollback is done by the fixed build', async () => {
    const { model, platform } = await start({}, { champion: 'v1', env: server() });
    await model.succeed('v2');
    platform.fail('changeTraffic', () => new TypeError('broken'));
    assert.equal((await model.ask(rollBackModel, { reason: 'complaints' })).accepted, true);
    await model.until(async () => (await model.view()).health === 'alarm');
    await model.stopWorkers();
    platform.mend();
    await model.startWorkers();
    await model.handle.signal(retryParked, { requestId: 'r', actor: 'otto' });
    await model.until(async () => (await model.view()).champion?.version === 'v1');
    assert.deepEqual([platform.serving, (await model.view()).health], ['v1', 'healthy']);
    assert.equal(platform.recorded('model.rolled-back').length, 1);
  });
});
