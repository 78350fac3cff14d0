import { strict as assert } from 'node:assert';
import { decideApproval } from '../../src/contracts/messages.js';
import type { CanarySettings } from '../../src/contracts/manifest.js';
import { approvalBy, manifest } from '../support/manifests.js';
import { useModel, type ModelUnderTest } from '../support/workflow-env.js';

const canary = (overrides: Partial<CanarySettings>): { canary: CanarySettings } => ({
  canary: { ...manifest().canary, ...overrides },
});

describe('canary verdicts', function () {
  this.timeout(60_000);
  const start = useModel();
  /** A held canary of a tier without approvers is the owner's decision. */
  const decide = async (model: ModelUnderTest, number: number, decision: 'approve' | 'reject') => {
    const answer = await model.release(number).executeUpdate(decideApproval, {
      args: [await model.decision(number, { approver: 'olga', decision })],
    });
    assert.deepEqual([answer.accepted, answer.reason], [true, undefined]);
  };

  /** Too few keys come to prove anything. */
  const undecided = { keysPerSecond: 1, candidateBad: 0.03, championBad: 0.05 };

  for (const decision of ['approve', 'reject'] as const)
    it(`holds what is undecided at the end of the time; a person says ${decision}`, async () => {
      const { model, platform } = await start(canary({ maxSeconds: 900 }), { champion: 'v1' });
      platform.traffic = undecided;
      const goOn = platform.holdLooks(() => platform.recorded('release.approval-requested').length > 0);
      const number = await model.submit('v2');
      await model.until(async () => (await model.asked(number)) !== null);
      const view = await model.releaseView(number);
      assert.equal(view.canary?.heldAs, 'inconclusive');
      assert.ok(
        (view.canary.verdict?.guardrails[0]?.keysToProveIfEqual ?? 0) > 0,
        'says how many keys are still needed',
      );
      assert.equal(platform.recorded('release.approval-requested')[0]?.evidence['heldAs'], 'inconclusive');
      await decide(model, number, decision);
      if (decision === 'approve') await model.untilStage(number, 'soaking');
      goOn();
      assert.equal(await model.ended(number), decision === 'approve' ? 'succeeded' : 'rejected');
      assert.equal(platform.serving, decision === 'approve' ? 'v2' : 'v1');
      const [promoted] = platform.recorded('release.promoted');
      assert.equal(promoted?.evidence['held'], decision === 'approve' ? 'inconclusive' : undefined);
      if (promoted !== undefined) assert.equal(promoted.evidence['proven'], false);
    });

  it('voids and holds a canary whose split is not the configured one', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0, championBad: 0, realShare: 0.3 };
    platform.holdLooks(() => platform.recorded('release.approval-requested').length > 0);
    const number = await model.submit('v2');
    await model.until(async () => (await model.asked(number)) !== null);
    assert.equal((await model.releaseView(number)).canary?.heldAs, 'void');
    await decide(model, number, 'reject');
    assert.equal(await model.ended(number), 'rejected');
    assert.equal(platform.serving, 'v1');
  });

  it('promotes unproven after the minimum where the tier only watches, and says so', async () => {
    const { model, platform } = await start(canary({ judgement: 'watch' }), { champion: 'v1' });
    platform.traffic = { ...undecided, keysPerSecond: 200 };
    assert.equal(await model.ended(await model.submit('v2')), 'succeeded');
    const [promoted] = platform.recorded('release.promoted');
    assert.deepEqual([promoted?.evidence['judgement'], promoted?.evidence['proven']], ['watch', false]);
  });

  it('rolls back when a hard limit is passed, at the first look', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.6, championBad: 0 };
    assert.equal(await model.ended(await model.submit('v2')), 'rolled-back');
    assert.equal(platform.recorded('canary.look').length, 1);
    assert.equal(platform.serving, 'v1');
    assert.equal(platform.recorded('release.rolled-back').length, 1);
    await model.idle();
    assert.deepEqual((await model.view()).warm, [], 'what was taken back is not kept loaded');
  });

  it('enters a step that takes all traffic only when the promotion is cleared', async () => {
    const steps = [0.2, 1].map((weight) => ({ weight, minKeys: 200, minSeconds: 0 }));
    const { model, platform } = await start(canary({ steps }), { champion: 'v1' });
    assert.equal(await model.ended(await model.submit('v2')), 'succeeded');
    const applied = platform.ledger.findIndex(
      ({ action, evidence }) => action === 'canary.step-applied' && evidence['weight'] === 1,
    );
    const proven = platform.ledger.findIndex(
      ({ action, evidence }) => action === 'canary.look' && (evidence['look'] as { proven: boolean }).proven,
    );
    assert.ok(proven >= 0 && proven < applied, `proven at ${proven}, all traffic at ${applied}`);
  });

  it('holds all traffic with too few keys at the end of the time, and asks again', async () => {
    const steps = [
      { weight: 0.2, minKeys: 200, minSeconds: 0 },
      { weight: 1, minKeys: 1e6, minSeconds: 0 },
    ];
    const approval = { beforeDeploy: null, beforePromote: approvalBy(1, 'ann') };
    const { model, platform } = await start(
      { ...canary({ steps, maxSeconds: 900 }), approval },
      { champion: 'v1' },
    );
    const goOn = platform.holdLooks(() => platform.recorded('release.approval-requested').length === 1);
    const number = await model.submit('v2');
    const first = await model.decision(number);
    await model.release(number).executeUpdate(decideApproval, { args: [first] });
    goOn();
    platform.traffic = { keysPerSecond: 1, candidateBad: 0, championBad: 0 };
    const held = platform.holdLooks(() => platform.recorded('release.approval-requested').length > 1);
    await model.until(() => platform.recorded('release.approval-requested').length > 1);
    const second = await model.decision(number);
    assert.notEqual(second.evidenceHash, first.evidenceHash);
    assert.equal((await model.releaseView(number)).canary?.heldAs, 'inconclusive');
    assert.equal(platform.serving, 'v1', 'all traffic to the candidate, and the champion still stands');
    await model.release(number).executeUpdate(decideApproval, { args: [second] });
    await model.untilStage(number, 'soaking');
    held();
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.recorded('release.approved').length, 2);
    assert.equal(new Set(platform.ledger.map(({ id }) => id)).size, platform.ledger.length);
  });

  it('says at once that a held canary can only expire when nobody but the submitter may decide', async () => {
    const { model, platform } = await start(canary({ maxSeconds: 900 }), { champion: 'v1' });
    platform.traffic = undecided;
    platform.holdLooks(() => platform.recorded('release.approval-requested').length > 0);
    const number = await model.submit('v2', { actor: 'olga' });
    await model.until(async () => (await model.asked(number)) !== null);
    const { approval, waitingFor } = await model.releaseView(number);
    assert.match(
      approval?.deadlock ?? '',
      /^olga submitted the release .* nobody may decide .* can only expire/,
    );
    assert.match(waitingFor, /which nobody can give/);
  });

  it('asks a person where the only step takes all traffic and nothing can be proven', async () => {
    const steps = [{ weight: 1, minKeys: 100, minSeconds: 0 }];
    const { model, platform } = await start(canary({ steps }), { champion: 'v1' });
    const number = await model.submit('v2');
    await model.until(async () => (await model.asked(number)) !== null);
    assert.equal(platform.serving, 'v1');
    assert.deepEqual(platform.recorded('canary.step-applied'), []);
    await decide(model, number, 'approve');
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.serving, 'v2');
  });

  it('rehearses the rollback once, at the first step', async () => {
    const { model, platform } = await start(canary({ rollbackDrill: true }), { champion: 'v1' });
    assert.equal(await model.ended(await model.submit('v2')), 'succeeded');
    assert.equal(platform.count('rehearseRollback'), 1);
    const actions = platform.actions.filter((action) => /step-applied$|rehearsed$/.test(action));
    assert.deepEqual(actions, ['canary.step-applied', 'canary.rollback-rehearsed', 'canary.step-applied']);
  });
});
