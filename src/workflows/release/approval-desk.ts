import { condition } from '@temporalio/workflow';
import type {
  ApprovalDecision,
  ApprovalGate,
  DecisionOutcome,
  VerifiedDecision,
} from '../../contracts/approvals.js';
import { person } from '../../lifecycle/entries.js';
import {
  approvalStatus,
  decisionShapeProblem,
  openApproval,
  weighDecision,
} from '../../lifecycle/approvals.js';
import type { ApprovalPoint } from '../../contracts/manifest.js';
import { run } from '../support/run.js';
import type { WeighedDecision } from '../../lifecycle/release-state.js';
import type { ReleaseContext } from './context.js';

const BATCH = 100;
const MAX_INBOX = 2_000;
const MAX_OUTCOMES = 100;

/**
 * Takes decisions in synchronously and works them off in batches: verified by an activity, weighed by a pure function, every
 * outcome recorded. Anybody who may signal can send anything, so nothing here throws.
 */
export class ApprovalDesk {
  readonly #context: ReleaseContext;
  #malformed: string[] = [];
  #dropped = 0;
  #busy = false;
  #verifying = false;

  constructor(context: ReleaseContext) {
    this.#context = context;
  }

  /** Nothing is left to weigh. */
  get idle(): boolean {
    const { inbox } = this.#context.state;
    return !this.#busy && inbox.length === 0 && this.#malformed.length === 0 && this.#dropped === 0;
  }

  /** No effect is in flight: what is left is carried over. */
  get settled(): boolean {
    return !this.#verifying && this.#malformed.length === 0 && this.#dropped === 0;
  }

  /** From a signal: shape is checked, the rest waits for its batch. */
  receive(decision: ApprovalDecision): void {
    const { state } = this.#context;
    const problem = decisionShapeProblem(decision);
    if (problem !== null) {
      if (this.#malformed.length < MAX_INBOX) this.#malformed.push(problem);
      else this.#dropped += 1;
    } else if (state.inbox.length < MAX_INBOX) state.inbox = [...state.inbox, bare(decision)];
    else this.#dropped += 1;
  }

  /** From an update: the same, and the answer. */
  async decide(decision: ApprovalDecision): Promise<DecisionOutcome> {
    const { requestId } = decision;
    if (this.#outcome(decision) === undefined) {
      this.receive(decision);
      await condition(() => this.#outcome(decision) !== undefined, '30s', {
        summary: 'longest wait for an answer',
      });
    }
    const outcome = this.#outcome(decision);
    if (outcome === undefined) {
      const reason =
        'not weighed yet: the release is busy; ask for its status, the same request id is safe to send again';
      return { requestId, accepted: false, reason };
    }
    const { accepted, reason } = outcome;
    return { requestId, accepted, ...(reason === undefined ? {} : { reason }) };
  }

  #outcome({ requestId, approver }: ApprovalDecision): WeighedDecision | undefined {
    return this.#context.state.decisions.find(
      (outcome) => outcome.requestId === requestId && outcome.approver === approver,
    );
  }

  /** Opens the request that people decide on; its evidence is the newest event of the ledger's stream. */
  open(gate: ApprovalGate, point: ApprovalPoint, evidenceHash: string): void {
    const { input } = this.#context.state;
    this.#context.state.approval = openApproval({
      gate,
      point,
      digest: input.version.digest,
      evidenceHash,
      submittedBy: input.submittedBy,
      now: Date.now(),
    });
  }

  get status(): ReturnType<typeof approvalStatus> | 'none' {
    const { approval } = this.#context.state;
    return approval === null ? 'none' : approvalStatus(approval, Date.now());
  }

  /** The loop that works the inbox off; started once a workflow run, ends with it. */
  async work(): Promise<never> {
    for (;;) {
      await condition(() => !this.idle);
      this.#busy = true;
      this.#recordMalformed();
      const batch = this.#context.state.inbox.slice(0, BATCH);
      if (batch.length > 0) await this.#weigh(batch);
      this.#busy = false;
    }
  }

  #recordMalformed(): void {
    if (this.#malformed.length === 0 && this.#dropped === 0) return;
    const context = this.#context;
    const id = context.id('malformed-decisions', context.next('malformed'));
    const evidence = {
      malformed: this.#malformed.length,
      examples: [...new Set(this.#malformed)].slice(0, 5),
      dropped: this.#dropped,
    };
    context.recorder.addLazily(context.entry(id, 'approval.malformed', evidence));
    this.#malformed = [];
    this.#dropped = 0;
  }

  async #weigh(batch: readonly ApprovalDecision[]): Promise<void> {
    const { state, parking, recorder } = this.#context;
    const verified = await parking.untilDone('verify decisions', () => this.#verify(batch), true);
    state.inbox = state.inbox.slice(batch.length);
    for (const decision of verified) {
      if (this.#outcome(decision) !== undefined) continue;
      const { request, outcome } = weighDecision(state.approval, decision, Date.now());
      state.approval = request;
      state.decisions = [...state.decisions, { ...outcome, approver: decision.approver }].slice(
        -MAX_OUTCOMES,
      );
      const { requestId, approver, roles, ...said } = decision;
      const evidence = { ...said, roles, ...(outcome.accepted ? {} : { refused: outcome.reason }) };
      const action = outcome.accepted
        ? decision.decision === 'approve'
          ? 'approval.given'
          : 'approval.rejected'
        : 'approval.refused';
      recorder.add(
        this.#context.entry(
          this.#context.id(`decision/${approver}/${requestId}`),
          action,
          evidence,
          person(approver),
        ),
      );
    }
    this.#context.show();
  }

  async #verify(decisions: readonly ApprovalDecision[]): Promise<readonly VerifiedDecision[]> {
    const { manifest } = this.#context.state.input;
    this.#verifying = true;
    try {
      return await run('verifyDecisions', `verify ${decisions.length} decision(s)`, { manifest, decisions });
    } finally {
      this.#verifying = false;
    }
  }
}

/** Only the fields that are known: what else was sent is not carried. */
const bare = (decision: ApprovalDecision): ApprovalDecision => {
  const { requestId, gate, decision: said, approver, reason, digest, evidenceHash } = decision;
  return { requestId, gate, decision: said, approver, reason, digest, evidenceHash };
};
