import { strict as assert } from 'node:assert';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { retryParked } from '../../../src/contracts/messages.js';
import { changedBundle } from '../../support/changed-bundle.js';
import { getTestStack } from '../../support/stack.js';
import { quieten, useModel } from '../../support/workflow-env.js';

/** On the real server: only there do stuck workflow tasks, sticky queues and ends of children behave as they will. */
describe('releases on the development server', function () {
  this.timeout(60_000);
  const start = useModel();
  let env: TestWorkflowEnvironment;
  before(async () => {
    quieten();
    const { temporalAddress } = await getTestStack();
    env = await TestWorkflowEnvironment.createFromExistingServer({ address: temporalAddress });
  });
  after(() => env.teardown());

  it('outlive a worker whose activity is broken', async () => {
    const { model, platform } = await start({}, { champion: 'v1', env });
    platform.fail('changeTraffic', () => new TypeError('desired.warm.map is not a function'));
    const number = await model.submit('v2');
    await model.until(async () => (await model.releaseView(number).catch(() => null))?.parked != null);
    await model.stopWorkers();
    platform.mend();
    await model.startWorkers();
    await model.release(number).signal(retryParked, { requestId: 'r', actor: 'otto' });
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.serving, 'v2');
  });

  it('outlive a worker whose workflow code is broken', async () => {
    const broken = await changedBundle(
      'workflows/release/promote.ts',
      'const { state } = context;',
      "const { state } = context; if (state.stage === 'promoting') throw new TypeError('broken');",
    );
    const { model, platform } = await start({}, { champion: 'v1', env });
    await model.stopWorkers();
    await model.startWorkers(broken);
    const number = await model.submit('v2');
    await model.until(() => platform.recorded('canary.look').length > 0);
    const failed = async (): Promise<boolean> =>
      (await model.release(number).fetchHistory()).events?.some(
        (event) => event.workflowTaskFailedEventAttributes != null,
      ) === true;
    await model.until(failed);
    assert.equal(platform.recorded('release.promoted').length, 0);
    await model.stopWorkers();
    await model.startWorkers();
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.recorded('release.promoted').length, 1);
    assert.equal(platform.serving, 'v2');
  });

  it('are taken back by their model when they are terminated', async () => {
    const { model, platform } = await start({}, { champion: 'v1', env });
    platform.holdLooks(() => true);
    const number = await model.submit('v2');
    await model.until(() => platform.count('awaitLook') > 0);
    await model.release(number).terminate('by hand');
    await model.idle();
    await model.until(async () => (await model.view()).releases[0]?.stage === 'aborted');
    assert.equal(platform.serving, 'v1');
    assert.equal(platform.recorded('release.aborted').length, 1);
  });
});
