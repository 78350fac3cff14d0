import { strict as assert } from 'node:assert';
import { abortRelease, decideApproval } from '../../src/contracts/messages.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import { approvalBy, manifest } from '../support/manifests.js';
import type { Activity, ScriptedPlatform } from '../support/scripted-platform.js';
import { useModel, type Started } from '../support/workflow-env.js';

/** Everything that a release can do: approvals, shadow, drill, two steps, hold-back. */
const everything: Partial<Manifest> = {
  approval: { beforeDeploy: approvalBy(1, 'ann'), beforePromote: approvalBy(1, 'ann') },
  shadow: { share: 1, minRequests: 500, agreementFloor: 0.95, tolerance: 0.01, maxSeconds: 600 },
  canary: { ...manifest().canary, rollbackDrill: true },
};

/** While people decide on it nothing new is to be seen. */
const askedForPromotion = (platform: ScriptedPlatform): boolean =>
  platform.recorded('release.approval-requested').length > 1 &&
  platform.recorded('release.approved').length < 2;

describe('abort', function () {
  this.timeout(15_000);
  const start = useModel();

  /** Approves whatever is asked, until the release is over. */
  async function approve({ model }: Started, number: number): Promise<void> {
    for (const gate of ['beforeDeploy', 'beforePromote']) {
      await model.until(async () => {
        const view = await model.releaseView(number).catch(() => null);
        return view?.approval?.gate === gate || (view?.outcome ?? null) !== null || view?.reason != null;
      });
      const asked = await model.asked(number);
      if (asked?.gate !== gate) return;
      await model
        .release(number)
        .executeUpdate(decideApproval, { args: [await model.decision(number)] })
        .catch(() => undefined);
    }
  }

  async function assertAborted({ model, platform }: Started, number: number): Promise<void> {
    assert.equal(await model.ended(number), 'aborted');
    assert.equal(platform.serving, 'v1');
    const { candidate, holdback, shadow } = platform.route?.desired ?? {};
    assert.deepEqual([candidate, holdback, shadow], [null, null, null]);
    assert.equal(platform.recorded('release.aborted').length, 1);
    await model.idle();
    const view = await model.view();
    assert.equal(view.champion?.version, 'v1');
    assert.deepEqual(view.queue, []);
    const [ended] = view.releases.filter(({ release }) => release === number);
    assert.equal(ended?.stage, 'aborted');
    assert.equal(view.releases.length, 2, 'nothing was tried again');
    assert.equal(view.generation, platform.route?.generation, 'read back');
  }

  /** Which call of an activity to be aborted at: of what happens many times, the one of each kind. */
  const points: readonly (readonly [Activity, RegExp, string])[] = [
    ['validateVersion', /./, 'validation'],
    ['recordEvents', /release\.validated/, 'the record of the validation'],
    ['verifyDecisions', /./, 'the verification of a decision'],
    ['changeTraffic', /release\.deployed/, 'the deployment'],
    ['checkConformance', /./, 'conformance'],
    ['readBaseline', /./, 'the base line'],
    ['changeTraffic', /release\.shadowing/, 'the start of the shadow'],
    ['awaitLook', /./, 'the first look'],
    ['changeTraffic', /"weight":0.1/, 'the first step'],
    ['rehearseRollback', /./, 'the drill'],
    ['changeTraffic', /"weight":0.5/, 'the second step'],
    ['recordEvents', /beforePromote/, 'the request for approval'],
    ['changeTraffic', /release\.promoted/, 'promotion'],
    ['changeTraffic', /release\.succeeded/, 'the end of the soak'],
  ];
  for (const [activity, input, what] of points)
    it(`wins during ${what}`, async () => {
      const started = await start(everything, { champion: 'v1' });
      const { model, platform } = started;
      platform.shadow = { compared: 2000, agreed: 2000, failed: 0, dropped: 0 };
      let reached = false;
      let goOn: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (goOn = resolve));
      platform.before = (called, request) => {
        if (reached || called !== activity || !input.test(JSON.stringify(request))) return undefined;
        reached = true;
        return held;
      };
      platform.holdLooks(() => askedForPromotion(platform));
      const number = await model.submit('v2');
      const approving = approve(started, number);
      await model.until(() => reached);
      await model
        .release(number)
        .signal(abortRelease, { requestId: 'a1', actor: 'otto', reason: `during ${what}` });
      await model.until(async () => (await model.releaseView(number)).reason !== null);
      goOn();
      await assertAborted(started, number);
      const [end] = platform.recorded('release.aborted');
      assert.deepEqual(end?.actor, { kind: 'person', id: 'otto' });
      assert.equal(end.evidence['reason'], `during ${what}`);
      await approving;
    });

  it('wins while people are waited for', async () => {
    const started = await start(everything, { champion: 'v1' });
    const { model, platform } = started;
    const number = await model.submit('v2');
    await model.until(async () => (await model.asked(number)) !== null);
    await model.release(number).signal(abortRelease, { requestId: 'a1', actor: 'otto', reason: 'no' });
    await assertAborted(started, number).catch((error: unknown) => {
      // Nothing was touched: the table is as it was.
      if (platform.changes.length > 0) throw error;
    });
    assert.deepEqual(platform.changes, []);
    assert.equal(platform.recorded('release.aborted').length, 1);
  });

  it('wins while parked', async () => {
    const started = await start({}, { champion: 'v1' });
    const { model, platform } = started;
    platform.fail('checkConformance', () => new TypeError('broken'));
    const number = await model.submit('v2');
    await model.until(async () => (await model.releaseView(number).catch(() => null))?.parked != null);
    await model.release(number).signal(abortRelease, { requestId: 'a1', actor: 'otto', reason: 'no' });
    await assertAborted(started, number);
  });

  it('wins over a freeze, and twice is once', async () => {
    const started = await start({}, { champion: 'v1' });
    const { model, platform } = started;
    platform.holdLooks(() => true);
    const number = await model.submit('v2');
    // The time-skipping server, unlike the real one, does not know an activity that is cancelled before it has started.
    await model.until(() => platform.count('awaitLook') > 0);
    for (const requestId of ['a1', 'a2'])
      await model.release(number).signal(abortRelease, { requestId, actor: 'otto', reason: requestId });
    await assertAborted(started, number);
    assert.equal(platform.recorded('release.aborted')[0]?.evidence['reason'], 'a1');
  });

  it('is what a cancellation in Temporal does', async () => {
    const started = await start({}, { champion: 'v1' });
    const { model, platform } = started;
    platform.holdLooks(() => true);
    const number = await model.submit('v2');
    // The time-skipping server, unlike the real one, does not know an activity that is cancelled before it has started.
    await model.until(() => platform.count('awaitLook') > 0);
    await model.release(number).cancel();
    await assertAborted(started, number);
    assert.match(
      String(platform.recorded('release.aborted')[0]?.evidence['reason']),
      /cancelled in Temporal/,
    );
  });

  it('changes nothing about a rollback that is under way', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.6, championBad: 0 };
    let reached = false;
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    platform.before = (activity, input) => {
      if (activity !== 'changeTraffic' || !JSON.stringify(input).includes('"safety":true')) return undefined;
      reached = true;
      return held;
    };
    const number = await model.submit('v2');
    await model.until(() => reached);
    await model.release(number).signal(abortRelease, { requestId: 'a1', actor: 'otto', reason: 'no' });
    await model.release(number).cancel();
    goOn();
    assert.equal(await model.ended(number), 'rolled-back');
    assert.equal(platform.serving, 'v1');
    assert.deepEqual(platform.recorded('release.aborted'), []);
    assert.equal(platform.recorded('release.rolled-back').length, 1);
  });
});
