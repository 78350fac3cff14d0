import type { LedgerHead } from './ledger.js';
import type { Manifest, Metric } from './manifest.js';
import type { VersionRef } from './model.js';
import type { RetrainingOutcome, RetrainingTrigger } from './report.js';

export type { RetrainingOutcome, RetrainingTrigger } from './report.js';

export interface RetrainingInput {
  readonly model: string;
  readonly retraining: number;
  readonly manifest: Manifest;
  readonly champion: VersionRef;
  readonly trigger: RetrainingTrigger;
  readonly by: string;
  readonly finding: string | null;
  /** Labels are fresh that came after this, ISO 8601. */
  readonly labelsSince: string;
  /** When the change began that a finding tells of, ISO 8601: rows of before say nothing of it. Absent from older inputs. */
  readonly onset?: string | null;
}

/** A data set in the artifact store. */
export interface StoredRows {
  readonly digest: string;
  readonly rows: number;
}

/** What a retraining has to work with. */
export interface TrainingSet {
  /** CSV; null when there is nothing to train on. */
  readonly training: StoredRows | null;
  /** Parquet: recent labelled rows that no training sees, since a change if one is followed; null when there are none. */
  readonly comparison: StoredRows | null;
  /** Of the training set. */
  readonly referenceRows: number;
  /** Labelled rows of the time that is looked back on, and how many of them could not be used. */
  readonly recentRows: number;
  readonly unusableRows: number;
}

/** A model that a trainer left, in the artifact store. */
export interface Challenger {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly metrics: Readonly<Record<string, number>> | null;
  readonly attempt: number;
  /** Whether an earlier attempt had made it. */
  readonly adopted: boolean;
  readonly seconds: number;
  /** Bytes of the trainer's output that were not kept. */
  readonly cutBytes: number;
}

/** Challenger and champion on the same rows. */
export type ChallengerJudgement =
  /** It cannot be used: the artifact does not load, or takes other inputs. */
  | { readonly kind: 'unfit'; readonly reason: string }
  /** Too few rows to compare on. */
  | { readonly kind: 'insufficient'; readonly reason: string; readonly rows: number }
  | {
      readonly kind: 'compared';
      readonly metric: Metric;
      readonly method: string;
      readonly challenger: number;
      readonly champion: number;
      /** How much better the challenger is, in the metric's unit. */
      readonly gain: number;
      /** One-sided 95 % limits of the gain. */
      readonly lower: number;
      readonly upper: number;
      readonly rows: number;
    };

/** From a retraining to its model, once, when it ends. */
export interface RetrainingReport {
  readonly retraining: number;
  readonly outcome: RetrainingOutcome;
  readonly reason: string | null;
  /** What is to be registered and released; null unless the outcome is `submitted`. */
  readonly challenger: {
    readonly digest: string;
    readonly trainingDataDigest: string;
    /** The champion that it was compared with. */
    readonly comparedWith: VersionRef;
    readonly metrics: Readonly<Record<string, number>>;
  } | null;
  readonly head: LedgerHead;
}

export interface RetrainingActivities {
  /** Labels that came after a moment, of rows of the time that is looked back on; and the next moment of a schedule. */
  readRetrainingSigns(input: {
    readonly model: string;
    /** Rows from this time on, ISO 8601. */
    readonly rowsSince: string;
    /** ISO 8601. */
    readonly labelsSince: string;
    readonly schedule: { readonly cron: string; readonly timeZone: string; readonly after: string } | null;
  }): Promise<{
    readonly labels: number;
    /** ISO 8601; null without a schedule, or when it never comes. */
    readonly next: string | null;
  }>;
}

/** On the waiting task queue: these take long. */
export interface RetrainingWork {
  assembleTrainingSet(input: {
    readonly manifest: Manifest;
    /** Rows from this time on, ISO 8601. */
    readonly since: string;
    /** Of these, what is compared on is not older than this, ISO 8601. All of them when absent. */
    readonly comparedSince?: string;
  }): Promise<TrainingSet>;
  /** Waits for a place among the fleet's trainings, then trains. Heartbeats with the progress. Throws `TrainingFailed`. */
  trainChallenger(input: {
    readonly retraining: number;
    readonly manifest: Manifest;
    readonly champion: VersionRef;
    readonly training: StoredRows;
  }): Promise<Challenger>;
  judgeChallenger(input: {
    readonly manifest: Manifest;
    readonly challenger: VersionRef;
    readonly champion: VersionRef;
    readonly comparison: StoredRows;
  }): Promise<ChallengerJudgement>;
}
