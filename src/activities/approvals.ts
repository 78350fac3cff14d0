import type { ApprovalActivities } from '../contracts/activities.js';
import type { ApprovalDecision, VerifiedDecision } from '../contracts/approvals.js';
import type { Manifest } from '../contracts/manifest.js';
import { approvalPoint } from '../lifecycle/approvals.js';

export function createApprovalActivities(): ApprovalActivities {
  return {
    verifyDecisions: async ({ manifest, decisions }) =>
      decisions.map((decision) => verifyDecision(manifest, decision)),
  };
}

/**
 * Who sent a decision, and with which roles. The one place where this is found out: today the name is believed as given and looked
 * up among the gate's approvers; signatures and identity providers go here.
 */
function verifyDecision(manifest: Manifest, decision: ApprovalDecision): VerifiedDecision {
  const { approver, gate } = decision;
  // A held canary may ask people of another point; the workflow weighs the decision against the point that is open.
  const approvers = approvalPoint(manifest, gate, true)?.approvers ?? [];
  const known = approvers.find(({ name }) => name === approver);
  if (known !== undefined) return { ...decision, roles: known.roles };
  const names = approvers.map(({ name }) => name).join(', ');
  return { ...decision, roles: [], refusal: `${approver} is not among the approvers for ${gate}: ${names}` };
}
