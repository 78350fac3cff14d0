import assert from 'node:assert/strict';
import { createApprovalActivities } from '../../../src/activities/approvals.js';
import type { ApprovalDecision } from '../../../src/contracts/approvals.js';
import { approvalBy, manifest } from '../../support/manifests.js';

const decision = (changes: Partial<ApprovalDecision>): ApprovalDecision => ({
  requestId: 'r1',
  gate: 'beforeDeploy',
  decision: 'approve',
  approver: 'ada',
  reason: 'read it',
  digest: 'd'.repeat(64),
  evidenceHash: 'e'.repeat(64),
  ...changes,
});

describe('verifying decisions', () => {
  const activities = createApprovalActivities();
  const both = manifest({
    approval: { beforeDeploy: approvalBy(1, 'ada'), beforePromote: approvalBy(1, 'bob') },
  });
  const none = manifest({ approval: { beforeDeploy: null, beforePromote: null } });

  it('gives the named approver the roles of the manifest, and changes nothing else', async () => {
    const given = decision({});
    assert.deepEqual(await activities.verifyDecisions({ manifest: both, decisions: [given] }), [
      { ...given, roles: ['role-ada'] },
    ]);
  });

  it('refuses whoever is not an approver of that gate, with the reason', async () => {
    const decisions = [
      decision({ gate: 'beforePromote' }),
      decision({ approver: 'mallory' }),
      decision({ approver: '' }),
    ];
    const verified = await activities.verifyDecisions({ manifest: both, decisions });
    assert.deepEqual(
      verified.map(({ roles }) => roles),
      [[], [], []],
    );
    assert.equal(verified[0]?.refusal, 'ada is not among the approvers for beforePromote: bob');
    assert.ok(verified.every(({ refusal }) => refusal !== undefined));
  });

  it('knows who decides on a held canary where the tier asks for nobody', async () => {
    const { owner } = none;
    const decisions = [
      decision({ gate: 'beforePromote', approver: owner }),
      decision({ gate: 'beforePromote' }),
    ];
    const verified = await activities.verifyDecisions({ manifest: none, decisions });
    assert.deepEqual(
      verified.map(({ refusal }) => refusal === undefined),
      [true, false],
    );
  });
});
