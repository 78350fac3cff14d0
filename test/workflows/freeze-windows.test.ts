import { strict as assert } from 'node:assert';
import { decideApproval, freezeModel, unfreezeModel } from '../../src/contracts/messages.js';
import { FREEZE_DAYS, type FreezeWindow } from '../../src/contracts/manifest.js';
import { approvalBy } from '../support/manifests.js';
import { useModel, type Started } from '../support/workflow-env.js';

const HOUR = 3600_000;

/** Holds from so many hours from now until so many, every day. The server's clock starts at the real time. */
function window(from: number, to: number): FreezeWindow {
  const clock = (hours: number): string => new Date(Date.now() + hours * HOUR).toISOString().slice(11, 16);
  return {
    days: [...FREEZE_DAYS],
    from: clock(from),
    to: clock(to),
    timeZone: 'UTC',
    reason: 'month end',
  };
}

const promotedAt = ({ platform }: Started, release: number): number =>
  Date.parse(
    platform.recorded('release.promoted').find(({ subject }) => subject['release'] === release)?.at ?? '',
  );

describe('freeze windows of the manifest', function () {
  this.timeout(60_000);
  const start = useModel();

  it('hold the promotion of a first version until they end, and say so', async () => {
    const started = await start({ freezeWindows: [window(-1, 2)] });
    const { model, platform } = started;
    const first = await model.submit('v1');
    await model.until(
      async () => (await model.releaseView(first).catch(() => null))?.waitingFor === 'the end of the freeze',
    );
    const view = await model.releaseView(first);
    assert.equal(view.hold?.reason, 'month end');
    const until = Date.parse(view.hold.until ?? '');
    assert.ok(until > Date.now() + 1.9 * HOUR && until < Date.now() + 2.1 * HOUR);
    assert.equal(platform.serving, null);
    assert.equal(await model.ended(first), 'succeeded');
    assert.ok(promotedAt(started, first) >= until);
    assert.deepEqual(
      platform.recorded('release.held-back').map(({ evidence }) => evidence),
      [{ reason: 'month end', until: new Date(until).toISOString() }],
    );
    // Asked when it was to be promoted, and when the window was over; not again for the promotion itself.
    assert.equal(platform.count('readFreezeWindows'), 2);
    assert.equal((await model.releaseView(first)).hold, null);
  });

  it('hold the promotion of a canary, which is looked at all the while, until they end', async () => {
    const started = await start({ freezeWindows: [window(-1, 2)] }, { champion: 'v1' });
    const { model, platform } = started;
    const goOn = platform.holdLooks(() => platform.count('awaitLook') > 20);
    const second = await model.submit('v2');
    await model.until(() => platform.count('awaitLook') > 20);
    const { hold, waitingFor } = await model.releaseView(second);
    assert.deepEqual([hold?.reason, waitingFor], ['month end', 'the end of the freeze']);
    // Looks that fail are waited for by timers, so that time goes by.
    platform.fail('awaitLook', () => new Error('the metrics are away'), 95);
    goOn();
    assert.equal(await model.ended(second), 'succeeded');
    assert.ok(promotedAt(started, second) >= Date.parse(hold?.until ?? ''));
  });

  it('hold back no rollback', async () => {
    const { model, platform } = await start({ freezeWindows: [window(-1, 2)] }, { champion: 'v1' });
    const goOn = platform.holdLooks(() => platform.count('awaitLook') > 18);
    const second = await model.submit('v2');
    await model.until(() => platform.count('awaitLook') > 18);
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.7, championBad: 0 };
    goOn();
    assert.equal(await model.ended(second), 'rolled-back');
    assert.equal(platform.serving, 'v1');
  });

  it('that begin later cost one question', async () => {
    const { model, platform } = await start({ freezeWindows: [window(6, 8)] }, { champion: 'v1' });
    assert.equal(await model.ended(await model.submit('v2')), 'succeeded');
    assert.equal(platform.count('readFreezeWindows'), 1);
    assert.deepEqual(platform.recorded('release.held-back'), []);
  });

  it('that begin while the ledger is waited for hold the promotion all the same', async () => {
    const approval = { beforeDeploy: null, beforePromote: approvalBy(1, 'ann') };
    const started = await start({ approval, freezeWindows: [window(1, 3)] });
    const { model, platform } = started;
    let failures = 0;
    platform.before = (activity) => {
      // That it is approved cannot be recorded for two hours and a half.
      if (activity !== 'recordEvents' || platform.recorded('approval.given').length === 0) return;
      if ((failures += 1) <= 45) throw new Error('the ledger is away');
    };
    const first = await model.submit('v1');
    await model.release(first).executeUpdate(decideApproval, { args: [await model.decision(first)] });
    assert.equal(await model.ended(first), 'succeeded');
    assert.ok(failures > 45);
    const [held] = platform.recorded('release.held-back');
    assert.ok(held !== undefined);
    assert.ok(promotedAt(started, first) >= Date.parse(String(held.evidence['until'])));
  });

  it('and a freeze of the model: the longer one holds', async () => {
    const started = await start({ freezeWindows: [window(-1, 2)] });
    const { model } = started;
    await model.ask(freezeModel, { reason: 'holidays' });
    const first = await model.submit('v1');
    await model.until(
      async () => (await model.releaseView(first).catch(() => null))?.hold?.reason === 'holidays',
    );
    assert.equal((await model.releaseView(first)).hold?.until, null);
    await model.ask(unfreezeModel, { reason: 'over' });
    await model.until(async () => (await model.releaseView(first)).hold?.reason === 'month end');
    const { hold } = await model.releaseView(first);
    assert.equal(await model.ended(first), 'succeeded');
    assert.ok(promotedAt(started, first) >= Date.parse(hold?.until ?? ''));
  });
});
