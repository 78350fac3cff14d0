import type { FreezeReading, RecordedEnd, TrafficChange } from '../contracts/activities.js';
import type { ApprovalDecision, DecisionOutcome } from '../contracts/approvals.js';
import type { BoundState, CanaryHistory, JudgeState, LookResult } from '../contracts/canary.js';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead } from '../contracts/ledger.js';
import type { Manifest } from '../contracts/manifest.js';
import type { ReleaseOutcome, ReleaseStage, VersionRef } from '../contracts/model.js';
import type { ValidationReport } from '../contracts/validation.js';
import type { HoldView, ReleaseView } from '../contracts/views.js';
import type { ApprovalRequest } from './approvals.js';
import { unrecordedView } from './entries.js';
import { holdOf } from './freezing.js';
import { isOutcome } from './stages.js';

/** What a release is given at its start; never changes. */
export interface ReleaseInput {
  readonly model: string;
  readonly release: number;
  readonly manifest: Manifest;
  readonly version: VersionRef;
  /** What serves when the release starts; null for the first release of a model. */
  readonly champion: VersionRef | null;
  /** Former champions that are kept loaded. */
  readonly warm: readonly VersionRef[];
  readonly submittedBy: string;
  readonly submittedAt: string;
  /** Generation of the routing table as the model knows it; null before the first. */
  readonly generation: number | null;
  readonly frozen: boolean;
  /** What the freeze is, when it is frozen. */
  readonly freeze?: HoldView | null;
  /** Tests lower it: continue as new after so many events of history. */
  readonly historyLimit?: number;
}

/** Where a canary stands. */
export interface CanaryProgress {
  readonly step: number;
  /** The step's weight is in force and read back. */
  readonly applied: boolean;
  readonly drilled: boolean;
  /** First generation of the step. */
  readonly sinceGeneration: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly stepStartedAt: number;
  readonly judge: JudgeState;
  readonly look: LookResult | null;
  readonly nextLookAt: number;
  readonly held: 'inconclusive' | 'void' | null;
  /** What a person has promoted it as, against the judge's word. */
  readonly promotedAs: 'inconclusive' | 'void' | null;
  /** The plan's conditions are met: promotion waits for people or the end of a freeze only. */
  readonly cleared: boolean;
}

export interface ShadowProgress {
  readonly startedAt: number;
  /** Until the next look at the latest. */
  readonly pauseMs: number;
  readonly known: BoundState;
}

export interface SoakProgress {
  readonly startedAt: number;
  readonly sinceGeneration: number;
  readonly nextLookAt: number;
  /** Fixed bounds, where there is nobody to compare with. */
  readonly bounds: Readonly<Record<string, BoundState>>;
}

export interface ReleaseEnding {
  readonly outcome: Exclude<ReleaseOutcome, 'succeeded'>;
  readonly reason: string;
  /** The way back; null when no traffic was touched. Made once, so that each try is the same act. */
  readonly takeBack: TrafficChange | null;
}

/** An outcome, and whose decision it was: one person's request id says nothing about another's. */
export interface WeighedDecision extends DecisionOutcome {
  readonly approver: string;
}

/** Messages of no use, counted since the release began; `told` is how many of them are in the ledger. */
export interface Junk {
  readonly malformed: number;
  /** Of the right shape, pushed out of a full inbox. */
  readonly dropped: number;
  /** Weighed and refused, beyond those that are recorded one by one. */
  readonly refused: number;
  readonly examples: readonly string[];
  readonly told: number;
}

/** Everything that a release's workflow knows; plain JSON, carried over continue-as-new. */
export interface ReleaseState {
  readonly input: ReleaseInput;
  stage: ReleaseStage;
  reason: string | null;
  waitingFor: string;
  validation: ValidationReport | null;
  approval: ApprovalRequest | null;
  readonly approved: { beforeDeploy: boolean; beforePromote: boolean };
  /** The candidate is loaded everywhere and answers as it did offline. */
  deployed: boolean;
  shadow: ShadowProgress | null;
  shadowed: boolean;
  /** The champion's figures before the release: tunes the judge. */
  history: CanaryHistory | null;
  slowThresholdMs: number | null;
  canary: CanaryProgress | null;
  soak: SoakProgress | null;
  /** The candidate has been made champion, read back. */
  promoted: boolean;
  /** Any change of traffic has been asked for: ending early must compensate. */
  touchedTraffic: boolean;
  generation: number | null;
  frozen: boolean;
  /** What the model said of its freeze; runs of older workers carry none. */
  freeze?: HoldView | null;
  /** What the freeze windows said when they were last asked; the same. */
  freezeReading?: FreezeReading | null;
  abort: { readonly by: string; readonly reason: string } | null;
  /** The release has ended before, by its record: its workflow was reset. Absent: it has not. */
  over?: RecordedEnd;
  /** How the release ends, once it is clear that it does not succeed; what is left is to take it back. */
  ending: ReleaseEnding | null;
  parked: ReleaseView['parked'];
  head: LedgerHead;
  /** Decisions that have come and are not weighed yet. */
  inbox: readonly ApprovalDecision[];
  /** Recorded by the workflow when it can. */
  unrecorded: readonly LedgerEntry[];
  decisions: readonly WeighedDecision[];
  /** What is only counted of messages that nobody could have meant; absent before the first. */
  junk?: Junk;
  /** Numbers the deliberate repetitions of acts and the batches of junk messages. */
  counters: Readonly<Record<string, number>>;
}

export const initialReleaseState = (input: ReleaseInput): ReleaseState => ({
  input,
  stage: 'validating',
  reason: null,
  waitingFor: 'validation',
  validation: null,
  approval: null,
  approved: { beforeDeploy: false, beforePromote: false },
  deployed: false,
  shadow: null,
  shadowed: false,
  history: null,
  slowThresholdMs: null,
  canary: null,
  soak: null,
  promoted: false,
  touchedTraffic: false,
  generation: input.generation,
  frozen: input.frozen,
  freeze: input.freeze ?? null,
  freezeReading: null,
  abort: null,
  ending: null,
  parked: null,
  head: EMPTY_HEAD,
  inbox: [],
  unrecorded: [],
  decisions: [],
  counters: {},
});

/** @param overdue events that should have been recorded by now */
export function releaseView(state: ReleaseState, overdue: readonly LedgerEntry[] = []): ReleaseView {
  const { input, canary, stage } = state;
  const steps = input.manifest.canary.steps;
  return {
    model: input.model,
    release: input.release,
    version: input.version,
    champion: input.champion,
    submittedBy: input.submittedBy,
    submittedAt: input.submittedAt,
    stage,
    outcome: isOutcome(stage) ? stage : null,
    reason: state.reason,
    waitingFor: state.waitingFor,
    validation: state.validation,
    approval: state.approval,
    canary:
      canary === null
        ? null
        : {
            step: canary.step,
            weights: steps.map((step) => step.weight),
            // Until the next step is in force, the one before it is.
            weight: steps[canary.applied ? canary.step : canary.step - 1]?.weight ?? 0,
            looks: canary.judge.looks,
            verdict: canary.look,
            heldAs: canary.held,
          },
    parked: state.parked,
    frozen: state.frozen,
    hold: isOutcome(stage) ? null : holdOf(state),
    generation: state.generation,
    head: state.head,
    unrecorded: unrecordedView(overdue),
    decisions: state.decisions,
  };
}
