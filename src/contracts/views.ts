import type { ApprovalGate, DecisionOutcome } from './approvals.js';
import type { LookResult } from './canary.js';
import type { HeldBack, OpenIncident } from './incidents.js';
import type { LedgerHead, UnrecordedView } from './ledger.js';
import type { Manifest } from './manifest.js';
import type { ModelHealth, ReleaseOutcome, ReleaseStage, VersionRef } from './model.js';
import type { RetrainingOutcome, RetrainingTrigger } from './retraining.js';
import type { ValidationReport } from './validation.js';

/** A version's time as champion. Times are ISO 8601 UTC. */
export interface Championship extends VersionRef {
  readonly release: number;
  readonly since: string;
  readonly until: string | null;
}

export interface ReleaseSummary extends VersionRef {
  readonly release: number;
  readonly submittedBy: string;
  readonly submittedAt: string;
  readonly stage: ReleaseStage | 'queued' | 'superseded';
  readonly reason: string | null;
  readonly endedAt: string | null;
  /** Number of the retraining that brought it; absent where none did, and from older states. */
  readonly retraining?: number;
}

/** An act that failed until its attempts were spent, and waits for its next try. */
export interface ParkedView {
  readonly what: string;
  readonly why: string;
  readonly since: string;
  readonly retryAt: string;
}

/** Where a retraining stands, by its own workflow. */
export interface RetrainingStanding {
  /** In words. */
  readonly waitingFor: string;
  readonly parked: ParkedView | null;
  /** What there is to train and to compare on, in words; empty until it is known. */
  readonly facts: readonly string[];
}

/** What a model has to say of its retrainings. */
export interface RetrainingView {
  readonly running: {
    readonly retraining: number;
    readonly trigger: RetrainingTrigger;
    readonly startedAt: string;
  } | null;
  /** The last one that ended. */
  readonly last: {
    readonly retraining: number;
    readonly outcome: RetrainingOutcome;
    readonly reason: string | null;
    readonly release: number | null;
    readonly endedAt: string;
  } | null;
  /** What was held back last, and why; null once another has started since. */
  readonly heldBack: {
    readonly trigger: RetrainingTrigger;
    readonly reason: string;
    readonly at: string;
  } | null;
  /** Next moment of the schedule, ISO 8601. */
  readonly nextScheduled: string | null;
  /** What the clock will ask for, the first before the others; nothing while one runs. Absent from older workers. */
  readonly next?: readonly RetrainingNext[];
}

/** `at` in ISO 8601. */
export type RetrainingNext =
  /** Null: it never comes. */
  | { readonly by: 'schedule'; readonly at: string | null }
  | { readonly by: 'age'; readonly at: string }
  /** When labels are counted; `wanted` of them start one, `counted` were there when they were counted last. */
  | { readonly by: 'labels'; readonly at: string; readonly wanted: number; readonly counted: number | null }
  /** When a finding that was held back is looked at again; so many others wait behind it. Absent from older workers. */
  | { readonly by: 'finding'; readonly at: string; readonly finding: string; readonly others?: number };

/** Answer of the `modelState` query. */
export interface ModelView {
  readonly model: string;
  readonly manifest: Manifest;
  readonly manifestRevision: number;
  readonly health: ModelHealth;
  readonly champion: VersionRef | null;
  /** Newest first, bounded. */
  readonly champions: readonly Championship[];
  /** Former champions still loaded, with the time until which. */
  readonly warm: readonly (VersionRef & { readonly until: string })[];
  /** Newest first, bounded. */
  readonly releases: readonly ReleaseSummary[];
  readonly inFlight: number | null;
  readonly queue: readonly number[];
  readonly freeze: { readonly reason: string; readonly by: string; readonly until: string | null } | null;
  readonly generation: number | null;
  readonly head: LedgerHead;
  /** What it is doing or waiting for now, in words. */
  readonly waitingFor: string;
  /** Acts that it has still to do, in words and in order. */
  readonly acts: readonly string[];
  readonly parked: ParkedView | null;
  readonly unrecorded: UnrecordedView | null;
  /** Incidents that are open, or stay to see whether their cause returns; absent from older workers. */
  readonly incidents?: readonly OpenIncident[];
  /** What policies asked for and was not done, newest first, bounded; the same. */
  readonly heldBack?: readonly HeldBack[];
  /** What holds promotions back: a freeze, or an incident; null when nothing does. Rollback never is. */
  readonly hold?: HoldView | null;
  /** When the champion's validation is due again, ISO 8601; null: never. */
  readonly revalidationDue?: string | null;
  /** Null: the manifest has no retraining, and none was ever asked for. Absent from older workers. */
  readonly retraining?: RetrainingView | null;
}

/** From a release to its model, at each change of stage. */
export interface ReleaseReport {
  readonly release: number;
  readonly stage: ReleaseStage;
  readonly at: string;
  readonly reason: string | null;
  /** What serves now, as far as the release changed it. */
  readonly champion: VersionRef | null;
  readonly former: VersionRef | null;
  readonly generation: number | null;
  readonly head: LedgerHead;
}

export interface ApprovalView {
  readonly gate: ApprovalGate;
  readonly digest: string;
  readonly evidenceHash: string;
  readonly quorum: number;
  readonly requiredRoles: readonly string[];
  /** Names who may decide. */
  readonly approvers: readonly string[];
  readonly approvals: readonly { readonly approver: string; readonly reason: string; readonly at: string }[];
  readonly rejection: { readonly approver: string; readonly reason: string; readonly at: string } | null;
  /** Why it can only expire, whoever decides; absent when it can be approved. */
  readonly deadlock?: string;
  readonly openedAt: string;
  readonly expiresAt: string;
}

/** What holds promotion back. */
export interface HoldView {
  readonly reason: string;
  /** ISO 8601; null: until somebody ends it. */
  readonly until: string | null;
}

/** Answer of the `releaseState` query. */
export interface ReleaseView {
  readonly model: string;
  readonly release: number;
  readonly version: VersionRef;
  readonly champion: VersionRef | null;
  readonly submittedBy: string;
  readonly submittedAt: string;
  readonly stage: ReleaseStage;
  readonly outcome: ReleaseOutcome | null;
  /** Why it ended, or what holds it. */
  readonly reason: string | null;
  readonly waitingFor: string;
  readonly validation: ValidationReport | null;
  readonly approval: ApprovalView | null;
  readonly canary: {
    /** 0-based index into `weights`. */
    readonly step: number;
    readonly weights: readonly number[];
    readonly weight: number;
    readonly looks: number;
    readonly verdict: LookResult | null;
    readonly heldAs: 'inconclusive' | 'void' | null;
  } | null;
  readonly parked: ParkedView | null;
  /** By a command; a freeze window does not set it. */
  readonly frozen: boolean;
  /** What holds promotion back now, as far as it has been asked for; null when nothing does. Rollback never is. */
  readonly hold: HoldView | null;
  readonly generation: number | null;
  readonly head: LedgerHead;
  readonly unrecorded: UnrecordedView | null;
  /** Latest decisions and their outcomes, newest last, bounded. */
  readonly decisions: readonly DecisionOutcome[];
}
