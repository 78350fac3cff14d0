import { condition, patched } from '@temporalio/workflow';
import type {
  ApprovalDecision,
  ApprovalGate,
  DecisionOutcome,
  VerifiedDecision,
} from '../../contracts/approvals.js';
import { person } from '../../lifecycle/entries.js';
import {
  approvalStatus,
  askedInWords,
  decidersOf,
  decisionShapeProblem,
  openApproval,
  weighDecision,
} from '../../lifecycle/approvals.js';
import { admit } from '../../lifecycle/inbox.js';
import { addJunk, isJunkDue, type JunkKind, MAX_REFUSALS, NO_JUNK, totalJunk } from '../../lifecycle/junk.js';
import type { ApprovalPoint } from '../../contracts/manifest.js';
import { run } from '../support/run.js';
import type { Junk, WeighedDecision } from '../../lifecycle/release-state.js';
import type { ReleaseContext } from './context.js';

const BATCH = 100;
const MAX_OUTCOMES = 100;

/**
 * Takes decisions in synchronously and works them off in batches: verified by an activity, weighed by a pure function, outcomes
 * recorded one by one, and in sums once they are a flood. Anybody who may signal can send anything, so nothing here throws.
 */
export class ApprovalDesk {
  readonly #context: ReleaseContext;
  readonly #deciders: ReadonlySet<string>;
  #busy = false;
  #verifying = false;
  #resting = false;
  /** Runs from before junk was summed tell of every batch; null: no junk has come in this run. */
  #inSums: boolean | null = null;

  constructor(context: ReleaseContext) {
    this.#context = context;
    this.#deciders = decidersOf(context.state.input.manifest);
  }

  get #junk(): Junk {
    return this.#context.state.junk ?? NO_JUNK;
  }

  /** Nothing is left to weigh, nor to be told at once. */
  get idle(): boolean {
    return !this.#busy && this.#context.state.inbox.length === 0 && !this.#isJunkDue;
  }

  /** No effect is in flight: what is left is carried over. */
  get settled(): boolean {
    return !this.#verifying;
  }

  get #isJunkDue(): boolean {
    const junk = this.#junk;
    return (this.#inSums ?? true) ? isJunkDue(junk) : totalJunk(junk) > junk.told;
  }

  /** Takes nothing up any more in this run: what is left is for the next. Whoever waits for an answer is told to ask again. */
  rest(): void {
    this.#resting = true;
  }

  wake(): void {
    this.#resting = false;
  }

  /** From a signal: shape is checked, the rest waits for its batch. */
  receive(decision: ApprovalDecision): void {
    const { state } = this.#context;
    const problem = decisionShapeProblem(decision);
    if (problem !== null) return this.#count('malformed', problem);
    const { inbox, dropped } = admit(state.inbox, bare(decision), {
      request: state.approval,
      deciders: this.#deciders,
    });
    state.inbox = inbox;
    if (dropped) this.#count('dropped', 'more decisions than can be held');
  }

  /** From an update: the same, and the answer. */
  async decide(decision: ApprovalDecision): Promise<DecisionOutcome> {
    const { requestId } = decision;
    const isOver = (): boolean => this.#outcome(decision) !== undefined || this.#resting;
    if (this.#outcome(decision) === undefined) {
      this.receive(decision);
      await condition(isOver, '30s', { summary: 'longest wait for an answer' });
    }
    const outcome = this.#outcome(decision);
    if (outcome === undefined) {
      const reason =
        'not weighed yet: the release is busy; ask for its status, the same request id is safe to send again';
      return { requestId, accepted: false, reason, pending: true };
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
      await condition(() => !this.idle && !this.#resting);
      this.#busy = true;
      if (this.#isJunkDue) this.tellJunk();
      const batch = this.#context.state.inbox.slice(0, BATCH);
      if (batch.length > 0) await this.#weigh(batch);
      this.#busy = false;
    }
  }

  #count(kind: JunkKind, example: string): void {
    this.#inSums ??= patched('junk-in-sums');
    this.#context.state.junk = addJunk(this.#junk, kind, example);
  }

  /** Records how much junk has come since it was last told of. */
  tellJunk(): void {
    const context = this.#context;
    const junk = this.#junk;
    const total = totalJunk(junk);
    if (total === junk.told) return;
    const id = context.id('malformed-decisions', context.next('malformed'));
    const { malformed, dropped, refused, examples } = junk;
    context.recorder.addLazily(
      context.entry(id, 'approval.malformed', { malformed, dropped, refused, examples }),
    );
    context.state.junk = { ...junk, told: total };
  }

  async #weigh(batch: readonly ApprovalDecision[]): Promise<void> {
    const { state, parking } = this.#context;
    const verified = await parking.untilDone('verify decisions', () => this.#verify(batch), true);
    state.inbox = state.inbox.slice(batch.length);
    const asked = state.approval === null ? null : askedInWords(state.approval);
    for (const decision of verified) {
      if (this.#outcome(decision) !== undefined) continue;
      const { request, outcome } = weighDecision(state.approval, decision, Date.now());
      state.approval = request;
      state.decisions = [...state.decisions, { ...outcome, approver: decision.approver }].slice(
        -MAX_OUTCOMES,
      );
      if (outcome.accepted || this.#isWorthALine(decision)) this.#record(decision, outcome);
      else this.#count('refused', outcome.reason ?? 'refused');
    }
    if (state.approval !== null && state.waitingFor === asked)
      this.#context.waitFor(askedInWords(state.approval));
    else this.#context.show();
  }

  /** Refusals are evidence, and a flood of them is one: strangers cannot use up the lines of those who may decide. */
  #isWorthALine({ approver }: ApprovalDecision): boolean {
    const kind = this.#deciders.has(approver) ? 'refused-deciders' : 'refused-strangers';
    if (this.#context.next(kind) <= MAX_REFUSALS) return true;
    this.#inSums ??= patched('junk-in-sums');
    return !this.#inSums;
  }

  #record(decision: VerifiedDecision, outcome: DecisionOutcome): void {
    const { requestId, approver, roles, ...said } = decision;
    const evidence = { ...said, roles, ...(outcome.accepted ? {} : { refused: outcome.reason }) };
    const given = decision.decision === 'approve' ? 'approval.given' : 'approval.rejected';
    const id = this.#context.id(`decision/${approver}/${requestId}`);
    const action = outcome.accepted ? given : 'approval.refused';
    this.#context.recorder.add(this.#context.entry(id, action, evidence, person(approver)));
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
