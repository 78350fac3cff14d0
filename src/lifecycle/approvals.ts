import type {
  ApprovalDecision,
  ApprovalGate,
  DecisionOutcome,
  VerifiedDecision,
} from '../contracts/approvals.js';
import type { ApprovalPoint, Manifest } from '../contracts/manifest.js';
import type { ApprovalView } from '../contracts/views.js';

/** An open or decided request for approval; plain JSON, carried over continue-as-new. */
export interface ApprovalRequest extends ApprovalView {
  /** May not approve: whoever submitted the release. */
  readonly submittedBy: string;
  readonly approvals: readonly Approval[];
}

interface Approval {
  readonly approver: string;
  readonly roles: readonly string[];
  readonly reason: string;
  readonly at: string;
  readonly requestId: string;
}

export type ApprovalStatus = 'waiting' | 'approved' | 'rejected' | 'expired';

/**
 * The approval point that governs a gate. A held canary needs a person even where the tier asks for none before promotion:
 * then the approvers before deployment decide, and without those the model's owner.
 */
export function approvalPoint(manifest: Manifest, gate: ApprovalGate, held: boolean): ApprovalPoint | null {
  const point = manifest.approval[gate];
  if (point !== null || !held) return point;
  return (
    manifest.approval.beforeDeploy ?? {
      quorum: 1,
      approvers: [{ name: manifest.owner, roles: ['owner'] }],
      requiredRoles: [],
      expiresAfterSeconds: 7 * 24 * 3600,
    }
  );
}

export function openApproval(options: {
  readonly gate: ApprovalGate;
  readonly point: ApprovalPoint;
  readonly digest: string;
  readonly evidenceHash: string;
  readonly submittedBy: string;
  readonly now: number;
}): ApprovalRequest {
  const { gate, point, digest, evidenceHash, submittedBy, now } = options;
  const deadlock = deadlockOf(point, submittedBy);
  return {
    gate,
    digest,
    evidenceHash,
    submittedBy,
    quorum: point.quorum,
    requiredRoles: point.requiredRoles,
    approvers: point.approvers.map((approver) => approver.name),
    approvals: [],
    rejection: null,
    ...(deadlock === null ? {} : { deadlock }),
    openedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + point.expiresAfterSeconds * 1000).toISOString(),
  };
}

/** @param now epoch milliseconds */
export function approvalStatus(request: ApprovalRequest, now: number): ApprovalStatus {
  if (request.rejection !== null) return 'rejected';
  if (isComplete(request)) return 'approved';
  return now >= Date.parse(request.expiresAt) ? 'expired' : 'waiting';
}

function isComplete(request: ApprovalRequest): boolean {
  const roles = new Set(request.approvals.flatMap((approval) => approval.roles));
  return (
    request.approvals.length >= Math.max(1, request.quorum) &&
    request.requiredRoles.every((role) => roles.has(role))
  );
}

/**
 * Weighs one verified decision. Refusals leave the request as it is and say why; nothing is ever thrown,
 * since anybody who may signal can send anything.
 * @param request the open request, or null when the release is not waiting for anybody
 * @param now epoch milliseconds, workflow time
 */
export function weighDecision(
  request: ApprovalRequest | null,
  decision: VerifiedDecision,
  now: number,
): { readonly request: ApprovalRequest | null; readonly outcome: DecisionOutcome } {
  const refuse = (reason: string): { request: ApprovalRequest | null; outcome: DecisionOutcome } => ({
    request,
    outcome: { requestId: decision.requestId, accepted: false, reason },
  });
  if (decision.refusal !== undefined) return refuse(decision.refusal);
  if (request === null) return refuse('the release is not waiting for a decision');
  const status = approvalStatus(request, now);
  if (decision.gate !== request.gate)
    return refuse(`the release is waiting for ${request.gate}, not ${decision.gate}`);
  if (status !== 'waiting') return refuse(`the request is already ${status}`);
  if (decision.digest !== request.digest)
    return refuse(
      `the decision is for artifact ${short(decision.digest)}, the release is of ${short(request.digest)}`,
    );
  if (decision.evidenceHash !== request.evidenceHash)
    return refuse(
      `the decision is for evidence ${short(decision.evidenceHash)}, the current evidence is ${short(request.evidenceHash)}: read it and decide again`,
    );
  if (decision.approver === request.submittedBy)
    return refuse(`${decision.approver} submitted the release and cannot decide on it`);
  if (!request.approvers.includes(decision.approver))
    return refuse(`${decision.approver} is not among the approvers: ${request.approvers.join(', ')}`);
  if (request.approvals.some((approval) => approval.approver === decision.approver))
    return refuse(`${decision.approver} has already approved`);

  const at = new Date(now).toISOString();
  const { approver, roles, reason, requestId } = decision;
  const outcome: DecisionOutcome = { requestId, accepted: true };
  if (decision.decision === 'reject')
    return { request: { ...request, rejection: { approver, reason, at } }, outcome };
  return {
    request: { ...request, approvals: [...request.approvals, { approver, roles, reason, at, requestId }] },
    outcome,
  };
}

/** Whether a decision would count if its sender were verified now. */
export const mayCount = (request: ApprovalRequest | null, decision: ApprovalDecision): boolean =>
  request !== null &&
  decision.gate === request.gate &&
  decision.digest === request.digest &&
  decision.evidenceHash === request.evidenceHash &&
  decision.approver !== request.submittedBy &&
  request.approvers.includes(decision.approver) &&
  request.approvals.every((approval) => approval.approver !== decision.approver);

/** Everybody who may decide at any point of a release of this manifest. */
export const decidersOf = (manifest: Manifest): ReadonlySet<string> =>
  new Set(
    (['beforeDeploy', 'beforePromote'] as const).flatMap(
      (gate) => approvalPoint(manifest, gate, true)?.approvers.map(({ name }) => name) ?? [],
    ),
  );

/**
 * Why a request can only expire, whoever decides: too few people are left without the submitter, or a needed role is nobody's.
 * Null when it can be approved.
 */
export function deadlockOf(point: ApprovalPoint, submittedBy: string): string | null {
  const able = point.approvers.filter(({ name }) => name !== submittedBy);
  const quorum = Math.max(1, point.quorum);
  const way = 'abort the release, name other approvers in the manifest, and release again';
  if (able.length < quorum) {
    const who =
      able.length === 0 ? 'nobody may decide' : `only ${able.map(({ name }) => name).join(', ')} may decide`;
    const submitter =
      able.length < point.approvers.length
        ? `${submittedBy} submitted the release and cannot decide on it, so `
        : '';
    return `${submitter}${who} and ${quorum} approval(s) are needed: the request can only expire; ${way}`;
  }
  const roles = new Set(able.flatMap((approver) => approver.roles));
  const missing = point.requiredRoles.filter((role) => !roles.has(role));
  return missing.length === 0
    ? null
    : `nobody but the submitter has the needed role ${missing.join(', ')}: the request can only expire; ${way}`;
}

const short = (hash: string): string => (hash.length > 12 ? `${hash.slice(0, 12)}…` : hash || '(none)');

/** What keeps a decision from even being looked at: its shape. Null when the shape is right. */
export function decisionShapeProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'a decision is an object';
  const fields = value as Record<string, unknown>;
  for (const name of ['requestId', 'approver', 'reason', 'digest', 'evidenceHash'] as const) {
    const field = fields[name];
    if (typeof field !== 'string') return `${name} must be a string`;
    if (field.length > 2000) return `${name} is longer than 2,000 characters`;
    if (name !== 'reason' && field.length === 0) return `${name} is empty`;
  }
  if (fields['gate'] !== 'beforeDeploy' && fields['gate'] !== 'beforePromote')
    return 'gate must be beforeDeploy or beforePromote';
  if (fields['decision'] !== 'approve' && fields['decision'] !== 'reject')
    return 'decision must be approve or reject';
  if (fields['decision'] === 'reject' && fields['reason'] === '') return 'a rejection needs a reason';
  return null;
}

/** What a release waits for. */
export function askedInWords({ gate, quorum, approvals, expiresAt, deadlock }: ApprovalView): string {
  const given = approvals.length === 0 ? '' : ` (${approvals.length} of ${quorum} given)`;
  const asked = `${quorum} ${quorum === 1 ? 'approval' : 'approvals'} ${gateInWords(gate)}${given}`;
  return deadlock === undefined
    ? `${asked}, at the latest by ${expiresAt}`
    : `${asked}, which nobody can give, until ${expiresAt}: ${deadlock}`;
}

export const gateInWords = (gate: ApprovalGate): string =>
  gate === 'beforeDeploy' ? 'before deployment' : 'before promotion';
