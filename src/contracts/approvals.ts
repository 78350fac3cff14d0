export type ApprovalGate = 'beforeDeploy' | 'beforePromote';

/** A person's decision, as signalled; nothing in it is trusted until `verifyDecisions` has seen it. */
export interface ApprovalDecision {
  /** Chosen by the sender; the same id again is the same decision. */
  readonly requestId: string;
  readonly gate: ApprovalGate;
  readonly decision: 'approve' | 'reject';
  readonly approver: string;
  readonly reason: string;
  /** Digest of the artifact that the approver saw. */
  readonly digest: string;
  /** Hash of the evidence that the approver saw: the validation report, or the verdict table. */
  readonly evidenceHash: string;
}

/** What `verifyDecisions` found out about a decision: the seam for signatures and identity providers. */
export interface VerifiedDecision extends ApprovalDecision {
  readonly roles: readonly string[];
  /** Set when the sender could not be verified; the decision is refused with it. */
  readonly refusal?: string;
}

export interface DecisionOutcome {
  readonly requestId: string;
  readonly accepted: boolean;
  readonly reason?: string;
  /** Not weighed yet: the same request id is to be sent again. */
  readonly pending?: true;
}
