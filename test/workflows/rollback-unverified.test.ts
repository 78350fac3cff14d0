import { strict as assert } from 'node:assert';
import { retryParked } from '../../src/contracts/messages.js';
import { FailureType } from '../../src/contracts/failures.js';
import { ApplicationFailure } from '@temporalio/common';
import type { ScriptedPlatform } from '../support/scripted-platform.js';
import { useModel } from '../support/workflow-env.js';

const BAD = { keysPerSecond: 1000, candidateBad: 0.7, championBad: 0 };

/** The next `times` changes of traffic towards safety are not confirmed. */
function unconfirmed(platform: ScriptedPlatform, times: number, error = 'gateway g1 is silent'): void {
  let left = times;
  platform.before = (activity, input) => {
    if (activity !== 'changeTraffic' || !(input as { safety: boolean }).safety || left <= 0) return;
    left -= 1;
    throw ApplicationFailure.create({ type: FailureType.NotConfirmed, message: error });
  };
}

describe('rollback-unverified', function () {
  this.timeout(60_000);
  const start = useModel();

  it('raises a critical alert once, and keeps trying until it is seen done', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.traffic = BAD;
    unconfirmed(platform, 4);
    const number = await model.submit('v2');
    assert.equal(await model.ended(number), 'rolled-back');
    assert.equal(platform.serving, 'v1');
    const critical = platform.alerts.filter(({ severity }) => severity === 'critical');
    assert.equal(critical.length, 1);
    assert.match(critical[0]?.title ?? '', /Rollback of v2 is not verified/);
    const tries = platform.recorded('release.rollback-unverified').map(({ evidence }) => evidence['tries']);
    assert.deepEqual(tries, [1, 2, 4]);
    assert.equal(platform.changes.filter(({ safety }) => safety).length, 1);
  });

  it('tries again at once when an operator says so', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.traffic = BAD;
    unconfirmed(platform, 1);
    const number = await model.submit('v2');
    await model.until(async () =>
      /rollback-unverified, try 1/.test(
        (await model.releaseView(number).catch(() => null))?.waitingFor ?? '',
      ),
    );
    await model.release(number).signal(retryParked, { requestId: 'r', actor: 'otto' });
    await model.untilStage(number, 'rolled-back');
    assert.equal(platform.serving, 'v1');
  });

  it('continues as new while it tries, and is one act all the same', async () => {
    const { model, platform } = await start({}, { champion: 'v1', releaseHistoryLimit: 150 });
    platform.traffic = BAD;
    unconfirmed(platform, 12);
    const number = await model.submit('v2');
    const first = (await model.release(number).describe()).runId;
    assert.equal(await model.ended(number), 'rolled-back');
    assert.notEqual((await model.release(number).describe()).runId, first);
    assert.equal(platform.changes.filter(({ safety }) => safety).length, 1);
    assert.equal(platform.recorded('release.rolled-back').length, 1);
    await model.idle();
    assert.equal((await model.view()).champion?.version, 'v1');
  });

  it('rolls back first when the ledger is away, and records it when the ledger is back', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.traffic = BAD;
    platform.before = (activity) => {
      if (activity === 'awaitLook') platform.ledgerAway = true;
    };
    const number = await model.submit('v2');
    await model.untilStage(number, 'rolled-back');
    assert.equal(platform.serving, 'v1');
    assert.deepEqual(platform.recorded('release.rolled-back'), []);
    await model.skip(15_000);
    await model.idle();
    assert.equal((await model.view()).champion?.version, 'v1');
    platform.mend();
    assert.equal(await model.ended(number), 'rolled-back');
    for (const action of ['release.rolled-back-requested', 'release.rolled-back', 'canary.look'])
      assert.equal(platform.recorded(action).length, 1, action);
  });
});
