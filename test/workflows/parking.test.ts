import { strict as assert } from 'node:assert';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/contracts/failures.js';
import { retryParked } from '../../src/contracts/messages.js';
import type { TrafficChange } from '../../src/contracts/activities.js';
import type { Activity } from '../support/scripted-platform.js';
import { useModel } from '../support/workflow-env.js';

describe('parked acts', function () {
  this.timeout(60_000);
  const start = useModel();
  const bug = (): Error => new TypeError("Cannot read properties of undefined (reading 'rows')");

  for (const activity of [
    'validateVersion',
    'checkConformance',
    'readBaseline',
    'changeTraffic',
    'recordEvents',
  ] as const)
    it(`waits until ${activity} is mended, by itself, and tells people once`, async () => {
      const { model, platform } = await start({}, { champion: 'v1' });
      const number = await model.submit('v2');
      platform.fail(activity, bug, 12);
      assert.equal(await model.ended(number), 'succeeded');
      const alerts = platform.alerts.filter(({ key }) => key.includes('/parked/'));
      // The model's own workflow records too.
      const places = new Set(alerts.map(({ key }) => key.split('/')[0]));
      assert.equal(alerts.length, places.size);
      assert.equal(new Set(platform.ledger.map(({ id }) => id)).size, platform.ledger.length);
    });

  it('shows what is parked, and goes on at once when an operator says so', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.fail('checkConformance', bug);
    const number = await model.submit('v2');
    await model.until(async () => (await model.releaseView(number).catch(() => null))?.parked != null);
    const { parked } = await model.releaseView(number);
    assert.equal(parked?.what, 'check that v2 answers as it did offline');
    assert.match(parked.why, /reading 'rows'/);
    assert.equal(Date.parse(parked.retryAt) - Date.parse(parked.since) >= 60_000, true);
    platform.mend();
    await model.release(number).signal(retryParked, { requestId: 'r', actor: 'otto' });
    assert.equal(await model.ended(number), 'succeeded');
  });

  it('judges a canary on while its next step is parked', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.before = (activity, input: Partial<TrafficChange>) => {
      if (activity !== 'changeTraffic' || input.desired?.candidate?.weight !== 0.5) return;
      platform.traffic = { keysPerSecond: 1000, candidateBad: 0.3, championBad: 0 };
      throw new Error('the second step cannot be confirmed');
    };
    assert.equal(await model.ended(await model.submit('v2')), 'rolled-back');
    assert.equal(platform.serving, 'v1');
  });

  const refusals: readonly (readonly [Activity, string])[] = [
    ['changeTraffic', FailureType.StaleGeneration],
    ['changeTraffic', FailureType.ArtifactInvalid],
    ['checkConformance', FailureType.ServingSkew],
    ['validateVersion', FailureType.InvalidInput],
  ];
  for (const [activity, type] of refusals)
    it(`takes the release back on ${type} of ${activity}, at the first attempt`, async () => {
      const { model, platform } = await start({}, { champion: 'v1' });
      platform.fail(activity, () => ApplicationFailure.nonRetryable(`refused: ${type}`, type), 1);
      assert.equal(await model.ended(await model.submit('v2')), 'rolled-back');
      assert.equal(platform.serving, 'v1');
      assert.equal(platform.recorded('release.rolled-back')[0]?.evidence['reason'], `refused: ${type}`);
      assert.deepEqual(
        platform.alerts.filter(({ key }) => key.includes('/parked/')),
        [],
      );
    });
});
