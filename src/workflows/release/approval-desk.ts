import { condition } from '@temporalio/workflow';
import type { ApprovalDecision, ApprovalGate, DecisionOutcome } from '../../contracts/approvals.js';
import { person } from '../../lifecycle/entries.js';
import {
  approvalStatus,
  decisionShapeProblem,
  openApproval,
  weighDecision,
} from '../../lifecycle/approvals.js';
import type { ApprovalPoint } from '../../contracts/manifest.js';
import { run } from '../support/run.js';
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
  #inbox: ApprovalDecision[] = [];
  #malformed: string[] = [];
  #dropped = 0;
  #busy = false;

  constructor(context: ReleaseContext) {
    this.#context = context;
  }

  get idle(): boolean {
    return !this.#busy && this.#inbox.length === 0 && this.#malformed.length === 0 && this.#dropped === 0;
  }

  /** From a signal: shape is checked, the rest waits for its batch. */
  receive(decision: ApprovalDecision): void {
    const problem = decisionShapeProblem(decision);
    if (problem !== null) {
      if (this.#malformed.length < MAX_INBOX) this.#malformed.push(problem);
      else this.#dropped += 1;
    } else if (this.#inbox.length < MAX_INBOX) this.#inbox.push(bare(decision));
    else this.#dropped += 1;
  }

  /** From an update: the same, and the answer. */
  async decide(decision: ApprovalDecision): Promise<DecisionOutcome> {
    const known = this.#outcome(decision.requestId);
    if (known !== undefined) return known;
    this.receive(decision);
    await condition(() => this.#outcome(decision.requestId) !== undefined || this.idle, '30s');
    return (
      this.#outcome(decision.requestId) ?? {
        requestId: decision.requestId,
        accepted: false,
        reason:
          'not weighed yet: the release is busy; ask for its status, the same request id is safe to send again',
      }
    );
  }

  #outcome(requestId: string): DecisionOutcome | undefined {
    return this.#context.state.decisions.find((outcome) => outcome.requestId === requestId);
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
      const batch = this.#inbox.splice(0, BATCH);
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
    const verified = await parking.untilDone(
      'verify decisions',
      () =>
        run('verifyDecisions', `verify ${batch.length} decision(s)`, {
          manifest: state.input.manifest,
          decisions: batch,
        }),
      true,
    );
    for (const decision of verified) {
      if (this.#outcome(decision.requestId) !== undefined) continue;
      const { request, outcome } = weighDecision(state.approval, decision, Date.now());
      state.approval = request;
      state.decisions = [...state.decisions, outcome].slice(-MAX_OUTCOMES);
      const { requestId, approver, roles, ...said } = decision;
      const evidence = { ...said, roles, ...(outcome.accepted ? {} : { refused: outcome.reason }) };
      const action = outcome.accepted
        ? decision.decision === 'approve'
          ? 'approval.given'
          : 'approval.rejected'
        : 'approval.refused';
      recorder.add(
        this.#context.entry(this.#context.id(`decision/${requestId}`), action, evidence, person(approver)),
      );
    }
    this.#context.show();
  }
}

/** Only the fields that are known: what else was sent is not carried. */
const bare = (decision: ApprovalDecision): ApprovalDecision => {
  const { requestId, gate, decision: said, approver, reason, digest, evidenceHash } = decision;
  return { requestId, gate, decision: said, approver, reason, digest, evidenceHash };
};
