import { strict as assert } from 'node:assert';
import type { ApprovalDecision, DecisionOutcome } from '../../src/contracts/approvals.js';
import { approvalDecision, decideApproval } from '../../src/contracts/messages.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import { approvalBy } from '../support/manifests.js';
import { useModel, type ModelUnderTest, type Started } from '../support/workflow-env.js';

describe('approvals', function () {
  this.timeout(60_000);
  const start = useModel();
  const beforeDeploy = (...names: string[]): Partial<Manifest> => ({
    approval: { beforeDeploy: approvalBy(2, ...names), beforePromote: null },
  });
  const decide = (
    model: ModelUnderTest,
    number: number,
    decision: ApprovalDecision,
  ): Promise<DecisionOutcome> => model.release(number).executeUpdate(decideApproval, { args: [decision] });

  it('needs a quorum, and says why each other decision is refused', async () => {
    const { model, platform } = await start(beforeDeploy('ann', 'bob', 'eve'), { champion: 'v1' });
    const number = await model.submit('v2');
    const good = await model.decision(number);
    const refused: [Partial<ApprovalDecision>, RegExp][] = [
      [{ approver: 'eve' }, /submitted the release/],
      [{ approver: 'zoe' }, /not among the approvers: ann, bob, eve/],
      [{ gate: 'beforePromote' }, /waiting for beforeDeploy/],
      [{ digest: '0'.repeat(64) }, /is for artifact 000000000000…/],
      [{ evidenceHash: 'stale' }, /is for evidence stale/],
    ];
    for (const [wrong, why] of refused) {
      const answer = await decide(model, number, { ...good, ...wrong, requestId: JSON.stringify(wrong) });
      assert.equal(answer.accepted, false);
      assert.match(answer.reason ?? '', why);
    }
    assert.deepEqual(await decide(model, number, good), { requestId: good.requestId, accepted: true });
    // The same again is the same; another one of the same person is not.
    assert.deepEqual(await decide(model, number, good), { requestId: good.requestId, accepted: true });
    const twice = await decide(model, number, { ...good, requestId: 'twice' });
    assert.match(twice.reason ?? '', /ann has already approved/);
    const { stage, waitingFor } = await model.releaseView(number);
    assert.equal(stage, 'awaiting-approval');
    assert.match(waitingFor, /^2 approvals before deployment \(1 of 2 given\), at the latest by /);
    assert.equal(platform.changes.length, 0);

    await model.release(number).signal(approvalDecision, { ...good, approver: 'bob', requestId: 'bob' });
    assert.equal(await model.ended(number), 'succeeded');
    const reasons = platform.recorded('approval.refused').map(({ evidence }) => String(evidence['refused']));
    assert.equal(reasons.length, refused.length + 1);
    for (const [, why] of refused) assert.ok(reasons.some((reason) => why.test(reason)));
    assert.deepEqual(
      platform.recorded('approval.given').map(({ actor }) => actor),
      [
        { kind: 'person', id: 'ann' },
        { kind: 'person', id: 'bob' },
      ],
    );
    assert.equal(platform.recorded('release.approved').length, 1);
    await assert.rejects(model.release(number).signal(approvalDecision, good), /completed|not found/i);
    await assert.rejects(decide(model, number, good), /completed|not found/i);
  });

  it('needs each required role', async () => {
    const point = { ...approvalBy(1, 'ann', 'bob'), requiredRoles: ['role-bob'] };
    const { model } = await start(
      { approval: { beforeDeploy: point, beforePromote: null } },
      { champion: 'v1' },
    );
    const number = await model.submit('v2');
    await decide(model, number, await model.decision(number));
    assert.equal((await model.releaseView(number)).stage, 'awaiting-approval');
    await decide(model, number, await model.decision(number, { approver: 'bob' }));
    assert.equal(await model.ended(number), 'succeeded');
  });

  it('ends with a rejection, with its reason', async () => {
    const { model, platform } = await start(beforeDeploy('ann', 'bob'), { champion: 'v1' });
    const number = await model.submit('v2');
    const no = await model.decision(number, { decision: 'reject', reason: 'not fair to group 6' });
    await model.release(number).signal(approvalDecision, no);
    assert.equal(await model.ended(number), 'rejected');
    assert.equal(platform.changes.length, 0);
    const [end] = platform.recorded('release.rejected');
    assert.equal(end?.evidence['reason'], 'rejected by ann: not fair to group 6');
    await model.idle();
    assert.equal((await model.view()).releases[0]?.reason, 'rejected by ann: not fair to group 6');
  });

  it('expires by itself before deployment', async () => {
    const { model, platform } = await start(beforeDeploy('ann', 'bob'), { champion: 'v1' });
    const number = await model.submit('v2');
    await decide(model, number, await model.decision(number));
    assert.equal(await model.ended(number), 'rejected');
    const [end] = platform.recorded('release.rejected');
    assert.equal(end?.evidence['reason'], 'approval-expired');
    const [asked] = platform.recorded('release.approval-requested');
    const day = 24 * 3600_000;
    const waited = Date.parse(end?.at ?? '') - Date.parse(asked?.at ?? '');
    assert.ok(waited >= day && waited < day + 60_000, `waited ${waited} ms`);
  });

  describe('before promotion', () => {
    /** The canary is clear; people decide while it is looked at, and no requests come meanwhile. */
    const asking = async (): Promise<Started & { number: number; goOn: () => void }> => {
      const started = await start(
        {
          approval: {
            beforeDeploy: null,
            beforePromote: { ...approvalBy(1, 'ann'), expiresAfterSeconds: 7200 },
          },
        },
        { champion: 'v1' },
      );
      const { model, platform } = started;
      const goOn = platform.holdLooks(() => platform.recorded('release.approval-requested').length > 0);
      const number = await model.submit('v2');
      await model.until(async () => (await model.asked(number)) !== null);
      return { ...started, number, goOn };
    };

    it('promotes on approval, which binds the evidence of the verdict table', async () => {
      const { model, platform, number, goOn } = await asking();
      assert.equal((await model.releaseView(number)).stage, 'awaiting-approval');
      assert.equal(platform.route?.desired.candidate?.weight, 0.5);
      const [asked] = platform.recorded('release.approval-requested');
      assert.ok(asked?.evidence['look']);
      const answer = await decide(model, number, await model.decision(number));
      assert.equal(answer.accepted, true);
      await model.untilStage(number, 'soaking');
      goOn();
      assert.equal(await model.ended(number), 'succeeded');
      assert.equal(platform.serving, 'v2');
    });

    it('rejects with the champion back, and refuses what comes after', async () => {
      const { model, platform, number } = await asking();
      const no = await model.decision(number, { decision: 'reject', reason: 'too risky now' });
      await decide(model, number, no);
      assert.equal(await model.ended(number), 'rejected');
      assert.equal(platform.serving, 'v1');
      assert.equal(platform.route?.desired.candidate, null);
    });

    it('expires by itself, even while nothing can be looked at', async () => {
      const { model, platform, number, goOn } = await asking();
      platform.fail('awaitLook', () => new Error('the metrics are away'));
      goOn();
      assert.equal(await model.ended(number), 'rejected');
      assert.equal(platform.recorded('release.rejected')[0]?.evidence['reason'], 'approval-expired');
      assert.equal(platform.serving, 'v1');
    });

    it('rolls back on a breach while people decide', async () => {
      const { model, platform, number, goOn } = await asking();
      platform.trips = [{ gateway: 'g1', guardrail: 'errors', bad: 30, requests: 40 }];
      goOn();
      assert.equal(await model.ended(number), 'rolled-back');
      assert.equal(platform.serving, 'v1');
      assert.match(
        String(platform.recorded('release.rolled-back')[0]?.evidence['reason']),
        /gateway g1 tripped/,
      );
    });
  });

  it('works many decisions off in batches, one record each', async () => {
    const { model, platform } = await start(beforeDeploy('ann', 'bob'), { champion: 'v1' });
    const number = await model.submit('v2');
    const good = await model.decision(number);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    platform.before = (activity) => (activity === 'verifyDecisions' ? gate : undefined);
    const junk = Array.from({ length: 120 }, (_, index) => ({
      ...good,
      approver: `nobody-${index % 7}`,
      requestId: `junk-${index}`,
    }));
    await Promise.all(junk.map((decision) => model.release(number).signal(approvalDecision, decision)));
    await model.release(number).signal(approvalDecision, good);
    // Far more than are remembered: sent again they are weighed again, and recorded beside the first.
    release();
    await model.until(() => platform.recorded('approval.refused').length === 120);
    await Promise.all(
      junk.slice(0, 10).map((again) => model.release(number).signal(approvalDecision, again)),
    );
    await model.release(number).signal(approvalDecision, { ...good, approver: 'bob', requestId: 'bob' });
    assert.equal(await model.ended(number), 'succeeded');
    // Of 132 decisions; how many come while one is weighed is up to the machine.
    assert.ok(platform.count('verifyDecisions') <= 12, `${platform.count('verifyDecisions')} batches`);
    assert.equal(new Set(platform.ledger.map(({ id }) => id)).size, platform.ledger.length);
    assert.equal(platform.recorded('approval.given').length, 2);
    assert.ok(platform.recorded('approval.refused').length > 120);
  });
});
