import { strict as assert } from 'node:assert';
import { useModel } from '../support/workflow-env.js';

describe('shadow', function () {
  this.timeout(60_000);
  const start = useModel();
  const plan = { share: 1, minRequests: 500, agreementFloor: 0.95, tolerance: 0.01, maxSeconds: 600 };

  it('goes on to the canary when candidate and champion agree', async () => {
    const { model, platform } = await start({ shadow: plan }, { champion: 'v1' });
    platform.shadow = { compared: 2000, agreed: 1995, failed: 0, dropped: 3 };
    assert.equal(await model.ended(await model.submit('v2')), 'succeeded');
    assert.equal(platform.recorded('release.shadow-agreed').length, 1);
    assert.equal(platform.changes.find(({ desired }) => desired.shadow !== null)?.desired.candidate, null);
  });

  it('rolls back when they do not, and counts a failed copy as no agreement', async () => {
    const { model, platform } = await start({ shadow: plan }, { champion: 'v1' });
    platform.shadow = { compared: 1600, agreed: 1600, failed: 400, dropped: 0 };
    assert.equal(await model.ended(await model.submit('v2')), 'rolled-back');
    assert.match(String(platform.recorded('release.rolled-back')[0]?.evidence['reason']), /below 0.95/);
    assert.equal(platform.route?.desired.shadow, null);
  });

  it('rolls back when too few were compared in its time', async () => {
    const { model, platform } = await start({ shadow: plan }, { champion: 'v1' });
    platform.shadow = { compared: 20, agreed: 20, failed: 0, dropped: 0 };
    assert.equal(await model.ended(await model.submit('v2')), 'rolled-back');
    assert.match(
      String(platform.recorded('release.rolled-back')[0]?.evidence['reason']),
      /undecided after 20 copies/,
    );
    assert.equal(platform.serving, 'v1');
  });
});

describe('soak', function () {
  this.timeout(60_000);
  const start = useModel();

  it('takes the route of a first version away when it misses its objectives, with the reason', async () => {
    const { model, platform } = await start();
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.1, championBad: 0 };
    const number = await model.submit('v1');
    assert.equal(await model.ended(number), 'rolled-back');
    assert.equal(platform.serving, null);
    assert.match(
      platform.route?.desired.unavailableReason ?? '',
      /version v1 was taken back: service objective missed: errors was bad for \d+ of \d+ keys/,
    );
    await model.idle();
    const view = await model.view();
    assert.deepEqual([view.champion, view.health], [null, 'no-champion']);
  });

  it('never ends a probation on too little data', async () => {
    const { model, platform } = await start();
    platform.traffic = { keysPerSecond: 0, candidateBad: 0, championBad: 0 };
    let looks = 0;
    platform.before = (activity) => {
      // Eight empty looks, long after the soak's time is over; then requests come.
      if (activity === 'awaitLook' && ++looks > 8)
        platform.traffic = { ...platform.traffic, keysPerSecond: 1000 };
    };
    const number = await model.submit('v1');
    assert.equal(await model.ended(number), 'succeeded');
    assert.ok(looks > 8, `${looks} looks`);
    const [end] = platform.recorded('release.succeeded');
    assert.equal(end?.evidence['commonCausesExcluded'], false);
  });

  it('puts the old champion back when the hold-back does better after promotion', async () => {
    const { model, platform } = await start({ soak: { seconds: 3600, holdback: 0.2 } }, { champion: 'v1' });
    platform.before = (activity) => {
      if (activity === 'awaitLook' && platform.recorded('release.promoted').length > 0)
        platform.traffic = { keysPerSecond: 1000, candidateBad: 0.2, championBad: 0.01 };
    };
    assert.equal(await model.ended(await model.submit('v2')), 'rolled-back');
    assert.equal(platform.recorded('release.promoted').length, 1);
    assert.equal(platform.serving, 'v1');
    assert.equal(platform.route?.desired.holdback, null);
    await model.idle();
    const view = await model.view();
    assert.equal(view.champion?.version, 'v1');
    assert.deepEqual(view.warm, []);
    assert.deepEqual(
      view.champions.map(({ version, until }) => [version, until === null]),
      [
        ['v1', true],
        ['v2', false],
        ['v1', false],
      ],
    );
  });
});
