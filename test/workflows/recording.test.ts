import { strict as assert } from 'node:assert';
import { ApplicationFailure } from '@temporalio/common';
import type { TrafficChange } from '../../src/contracts/activities.js';
import { FailureType } from '../../src/contracts/failures.js';
import { useModel } from '../support/workflow-env.js';

/** What was decided before an act on the traffic is recorded by the act's own activity. */
describe('recording along with an act', function () {
  this.timeout(60_000);
  const start = useModel();

  it('keeps the order, and costs no activity of its own', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    const along: string[][] = [];
    platform.before = (activity, input: Partial<TrafficChange>) => {
      if (activity === 'changeTraffic') along.push((input.before ?? []).map(({ action }) => action));
    };
    const number = await model.submit('v2');
    assert.equal(await model.ended(number), 'succeeded');
    const [deploy, firstStep] = along;
    assert.deepEqual(deploy, ['release.validated', 'release.deployed-requested']);
    assert.deepEqual(firstStep?.slice(-2), ['canary.planned', 'canary.step-applied-requested']);
    const story = platform.ledger.map(({ action }) => action);
    const order = [
      'release.validated',
      'release.deployed',
      'canary.planned',
      'canary.step-applied',
      'canary.look',
    ];
    assert.deepEqual(
      order.map((action) => story.indexOf(action)).toSorted((a, b) => a - b),
      order.map((action) => story.indexOf(action)),
      story.join(' '),
    );
    assert.equal(new Set(platform.ledger.map(({ id }) => id)).size, platform.ledger.length);
  });

  it('where the ledger has another event of an id, writes what is queued as ever and does the act', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    let refused = 0;
    platform.before = (activity, input: Partial<TrafficChange>) => {
      if (activity !== 'changeTraffic' || (input.before ?? []).length < 2 || refused > 0) return;
      refused += 1;
      throw ApplicationFailure.nonRetryable('another event has the id', FailureType.LedgerConflict);
    };
    const number = await model.submit('v2');
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(refused, 1);
    assert.equal(platform.recorded('release.validated').length, 1);
    assert.equal(platform.recorded('release.deployed').length, 1);
    assert.equal(platform.serving, 'v2');
  });
});
