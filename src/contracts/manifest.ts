import type { RiskTier, Task } from './model.js';
import type { MonitoringSettings } from './monitoring.js';

/**
 * A model's manifest with every default filled in: what workflows and activities work with.
 * The zod schema in src/manifest is the source of validation; its output type equals this one (compile-time test).
 * Durations are seconds; shares and probabilities are 0..1.
 */
export interface Manifest {
  readonly apiVersion: 'tenure/v1';
  readonly kind: 'Model';
  readonly name: string;
  readonly team: string;
  readonly owner: string;
  readonly contacts: readonly Contact[];
  readonly purpose: string;
  readonly task: Task;
  readonly riskTier: RiskTier;
  readonly schema: { readonly inputs: readonly InputField[]; readonly outputs: readonly OutputField[] };
  readonly prediction: Prediction;
  readonly validation: Validation;
  readonly approval: {
    readonly beforeDeploy: ApprovalPoint | null;
    readonly beforePromote: ApprovalPoint | null;
  };
  readonly shadow: ShadowPlan | null;
  readonly canary: CanarySettings;
  readonly soak: SoakSettings;
  readonly objectives: Objectives;
  readonly serving: ServingSettings;
  /** How long a former champion stays loaded, ready to take over at once. */
  readonly rollbackWindowSeconds: number;
  /** When promotion is held back, week by week. A manifest that was applied before there were such has none. */
  readonly freezeWindows: readonly FreezeWindow[];
  /** Null: not monitored. A manifest that was applied before there was monitoring has null. */
  readonly monitoring: MonitoringSettings | null;
  /** Null: nobody trains by itself. A manifest that was applied before there was such may not have the field. */
  readonly retraining: RetrainingSettings | null;
}

/** How and when a challenger is trained. */
export interface RetrainingSettings {
  readonly platform: 'process';
  /** The trainer; the contract is in docs/training.md. */
  readonly command: readonly string[];
  /** Of one attempt. */
  readonly timeoutSeconds: number;
  /** Of all its processes together, MiB. */
  readonly memoryMb: number;
  /** Labelled rows beside the recent ones, Parquet or CSV. Applying the manifest puts them into the artifact store. */
  readonly data?: string;
  readonly dataDigest?: string;
  /** SQL over the tables `reference` and `recent` that gives the training set; all rows of both unless given. */
  readonly query?: string;
  readonly triggers: {
    /** A finding that asks for it. */
    readonly finding: boolean;
    readonly schedule: { readonly cron: string; readonly timeZone: string } | null;
    /** So many labels since the last start; null: labels start nothing. */
    readonly newLabels: number | null;
    /** Of the champion; again after each such time. Null: age starts nothing. */
    readonly maxAgeSeconds: number | null;
  };
  /** Least time between two starts. */
  readonly cooldownSeconds: number;
  /** Fewest labels since the last start. */
  readonly minLabels: number;
  readonly budget: { readonly runs: number; readonly perSeconds: number };
  /** How far back labelled rows are taken. */
  readonly recentSeconds: number;
  /** What challenger and champion are compared by. */
  readonly metric: Metric;
  /** The challenger must be better by more than this, with 95 % confidence. */
  readonly margin: number;
}

export const FREEZE_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Held back on these days from `from` until `to`, by the clocks of the time zone; past midnight when `to` is not later. */
export interface FreezeWindow {
  readonly days: readonly (typeof FREEZE_DAYS)[number][];
  /** `HH:MM`. */
  readonly from: string;
  /** `HH:MM`, also `24:00`. */
  readonly to: string;
  /** IANA name, e.g. `Europe/Paris`. */
  readonly timeZone: string;
  readonly reason: string;
}

export interface Contact {
  readonly name: string;
  readonly email?: string;
  readonly role: string;
}

export type Datatype = 'BOOL' | 'INT64' | 'FP32' | 'FP64' | 'BYTES';

export interface InputField {
  readonly name: string;
  readonly datatype: Datatype;
  /** Values per row; 1 for a column. */
  readonly width: number;
  readonly nullable: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly categories?: readonly (string | number)[];
  /** It says something about persons: profiles single nobody out, and no category of it is stored by name. */
  readonly personal?: boolean;
}

export interface OutputField {
  readonly name: string;
  readonly datatype: Datatype;
  readonly width: number;
}

export interface Prediction {
  /** Output that holds P(positive class) (binary, width 1), class probabilities (multiclass, width k) or the value (regression). */
  readonly score: string;
  /** Classes in the order of the probabilities; binary: `[negative, positive]`; empty for regression. */
  readonly classes: readonly (string | number)[];
  /** Score at or above which a binary prediction is positive. */
  readonly threshold: number;
}

export interface Validation {
  /** Data set, Parquet or CSV. Applying the manifest puts it into the artifact store and fills `dataDigest`. */
  readonly data: string;
  readonly dataDigest: string | null;
  /** Column of the label. */
  readonly target: string;
  /** Rows kept for the conformance check after deployment. */
  readonly goldenRows: number;
  /** Largest difference between an offline and a served score. */
  readonly goldenTolerance: number;
  readonly gates: readonly Gate[];
}

export type Metric = 'auc' | 'logLoss' | 'brier' | 'accuracy' | 'ece' | 'macroF1' | 'ovrEce' | 'mae' | 'rmse';

export type Gate =
  | { readonly kind: 'metric'; readonly metric: Metric; readonly min?: number; readonly max?: number }
  /** One-sided 95 % confidence limit of the loss against the champion on the same rows is below `margin`. */
  | { readonly kind: 'no-regression'; readonly metric: Metric; readonly margin: number }
  | SubgroupGate
  | { readonly kind: 'latency'; readonly p95Ms: number; readonly rows: number }
  | { readonly kind: 'size'; readonly maxBytes: number }
  /** A command of the user's own; the contract is in docs/gates.md. */
  | {
      readonly kind: 'command';
      readonly name: string;
      readonly command: readonly string[];
      readonly timeoutSeconds: number;
    };

export interface SubgroupGate {
  readonly kind: 'subgroup';
  readonly column: string;
  readonly measure: 'disparate-impact' | 'equal-opportunity' | 'no-regression';
  /** disparate impact: least ratio; equal opportunity: largest difference; no-regression: largest loss of accuracy against the champion. */
  readonly bound: number;
  /** Compared on confidence limits (`true`), or only reported. */
  readonly enforce: boolean;
  /** Group that the others are compared with; the largest group when absent. */
  readonly reference?: string | number;
  readonly minRows: number;
  /** What becomes of groups with fewer rows. */
  readonly smallGroups:
    { readonly policy: 'merge-into'; readonly into: string } | { readonly policy: 'report-only' };
  readonly exceptions: readonly SubgroupException[];
}

/** A documented exception: this group may miss the bound until `expires`. */
export interface SubgroupException {
  readonly group: string | number;
  readonly reason: string;
  readonly approver: string;
  /** ISO 8601 date. */
  readonly expires: string;
}

export interface ApprovalPoint {
  /** Distinct approvals needed. */
  readonly quorum: number;
  readonly approvers: readonly Approver[];
  /** With roles: at least one approval from each. */
  readonly requiredRoles: readonly string[];
  readonly expiresAfterSeconds: number;
}

export interface Approver {
  readonly name: string;
  readonly roles: readonly string[];
}

export interface ShadowPlan {
  /** Share of requests that are copied. */
  readonly share: number;
  /** Compared requests needed. */
  readonly minRequests: number;
  /** Least share of requests on which candidate and champion agree. */
  readonly agreementFloor: number;
  /** Largest difference of scores that counts as agreement. */
  readonly tolerance: number;
  readonly maxSeconds: number;
}

export interface CanarySettings {
  /** Weights rise strictly; the last may be 1. */
  readonly steps: readonly {
    readonly weight: number;
    readonly minKeys: number;
    readonly minSeconds: number;
  }[];
  readonly guardrails: readonly GuardrailSettings[];
  /** `prove`: promote only when non-inferiority is proven. `watch`: promote after the minimum unless rolled back. */
  readonly judgement: 'prove' | 'watch';
  /** Bound on rolling back a healthy candidate. */
  readonly alpha: number;
  /** Bound on promoting one that is worse by the margin. */
  readonly beta: number;
  /** Undecided after so long: held for a person. */
  readonly maxSeconds: number;
  /** At the first step: to weight 0 and back, timed. */
  readonly rollbackDrill: boolean;
}

export type GuardrailSettings = {
  readonly name: string;
  /** The margin is the wider of the two: `relativeMargin` times the champion's share, `absoluteMargin` above it. */
  readonly relativeMargin: number;
  readonly absoluteMargin: number;
  /** Share of the candidate's requests above which it is rolled back at once; null for none. */
  readonly hardLimit: number | null;
} & (
  | { readonly kind: 'errors' }
  /** Slow: inside the thread longer than the wider of `floorMs` and `factor` times the champion's `quantile`. */
  | { readonly kind: 'slow'; readonly quantile: number; readonly factor: number; readonly floorMs: number }
  | {
      readonly kind: 'share';
      readonly output: string;
      readonly index: number;
      readonly op: '<' | '<=' | '>' | '>=' | '==' | '!=';
      readonly value: number;
    }
);

export interface SoakSettings {
  readonly seconds: number;
  /** Share of keys that stay on the former champion, 0..0.5. */
  readonly holdback: number;
}

/** Service objectives: fixed bounds where there is no champion to compare with. */
export interface Objectives {
  /** Least share of requests answered without error. */
  readonly availability: number;
  /** Largest share of answers slower than `latencyMs`. */
  readonly latencyMs: number;
  readonly slowShare: number;
}

export interface ServingSettings {
  readonly deadlineMs: number;
  readonly fallback: boolean;
  readonly leaseSeconds: number;
  /** Requests in flight per version and gateway before 503. */
  readonly maxConcurrency: number;
  /** Request header that carries the routing key. */
  readonly routingKeyHeader: string;
}
