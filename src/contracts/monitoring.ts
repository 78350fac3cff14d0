import type { EscalationStep } from './escalation.js';
import type { VersionRef } from './model.js';

/** What a monitor can state. */
export const FINDING_KINDS = [
  'data-drift',
  'prediction-drift',
  'estimated-performance',
  'measured-performance',
  'data-quality',
  'skew',
  'traffic',
  'latency',
  'availability',
  'monitor-silent',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export type Severity = 'info' | 'warning' | 'critical';

/** One feature of a finding; score, latency and the like under their own names. */
export interface FeatureFinding {
  readonly name: string;
  /** What changed, in words, e.g. `unseen value 99` or `shifted up`. */
  readonly what: string;
  /** Share of rows, or in the measure's own unit; null where a name says it all. */
  readonly effect: number | null;
  readonly interval: readonly [least: number, most: number] | null;
  /** After correction over features and windows; null where nothing was tested. */
  readonly p: number | null;
  readonly rows: number;
}

/** A monitor's statement that something changed. Plain JSON, as it is stored and recorded. */
export interface Finding {
  /**
   * `<model>/<cause>/<window end, epoch milliseconds>`: the same evidence has the same id. Of rows that came late
   * `/<end of the window in which they came>` follows.
   */
  readonly id: string;
  readonly model: string;
  readonly version: VersionRef | null;
  readonly kind: FindingKind;
  /** What repeats are joined by, within the model: the kind, and where it is needed what it is about, e.g. `data-quality/SCHL`. */
  readonly cause: string;
  /** Only `found` leads to an action. */
  readonly verdict: 'found' | 'immaterial';
  readonly severity: Severity;
  /** Plain words. */
  readonly summary: string;
  /** The strongest first, bounded. */
  readonly features: readonly FeatureFinding[];
  readonly rows: number;
  /** ISO 8601. */
  readonly onset: { readonly estimate: string; readonly from: string; readonly to: string } | null;
  /**
   * Of performance: the stream detectors that see the errors rise as well, and since when (ISO 8601), at most four. Absent: none does, or
   * the finding is of a time that did not ask them.
   */
  readonly detectors?: readonly { readonly name: string; readonly since: string }[];
  /** What it rests on: the closed stretch, and the digest of its counts. */
  readonly window: { readonly from: string; readonly to: string; readonly digest: string };
  /** Digest of the reference profile. */
  readonly profile: string | null;
  /** By the monitor's clock, ISO 8601. */
  readonly detectedAt: string;
}

/** From a monitor to a model's lifecycle workflow, by the signal `monitorReported`: bounded. */
export interface MonitorReport {
  /** New findings with the verdict `found`: at most 20, the most severe first. */
  readonly findings: readonly FindingNotice[];
  /** Causes that were measured as gone for as many windows as the manifest asks for. */
  readonly cleared: readonly {
    readonly cause: string;
    readonly windows: number;
    /** End of the last of them, ISO 8601. */
    readonly at: string;
  }[];
}

/** What a workflow needs of a finding; the whole is in the ledger and in the collection `findings`. */
export type FindingNotice = Pick<
  Finding,
  'id' | 'version' | 'kind' | 'cause' | 'severity' | 'summary' | 'detectedAt'
> & {
  /** Estimated start, ISO 8601. */
  readonly onset: string | null;
};

/** What a policy can ask for. */
export const MONITOR_ACTIONS = ['notify', 'hold', 'roll-back', 'retrain', 'fallback'] as const;
/**
 * - `notify`: an incident;
 * - `hold`: no promotion while the incident is open;
 * - `roll-back`: to the champion before, if the change began soon after the promotion; else nothing;
 * - `retrain`: a retraining, if the change did not begin soon after the promotion; else nothing;
 * - `fallback`: to the manifest's fallback version.
 */
export type MonitorAction = (typeof MONITOR_ACTIONS)[number];

/** Findings that one policy answers. */
export const POLICY_GROUPS = ['drift', 'performance', 'quality', 'traffic', 'availability'] as const;
export type PolicyGroup = (typeof POLICY_GROUPS)[number];

/** Manifest section `monitoring`. */
export interface MonitoringSettings {
  /** Length of a closed window, the unit of a test; aligned to the epoch. */
  readonly windowSeconds: number;
  /** Mean time between false findings of the model, over all its features. */
  readonly falseFindingSeconds: number;
  /** Rows that a window needs; fewer are carried into the next. */
  readonly minRows: number;
  /** Smallest effect that matters, a share of rows. */
  readonly material: number;
  /** The rhythm that volume and means are compared in. */
  readonly season: 'none' | 'day' | 'week';
  /** Inputs that are counted but not tested. */
  readonly ignore: readonly string[];
  /** Smallest loss of the estimated or measured metric that matters. Classification only. */
  readonly performance: {
    readonly metric: 'auc' | 'accuracy' | 'f1';
    readonly margin: number;
  };
  /** Rows kept for retraining and inspection. */
  readonly samples: { readonly share: number; readonly retainSeconds: number };
  /** How long labels may come after their request. */
  readonly labelSeconds: number;
  /** What is done about a finding. */
  readonly policy: Readonly<Record<PolicyGroup, readonly MonitorAction[]>>;
  /** A change that began so soon after a promotion is the promotion's. */
  readonly promotionSeconds: number;
  /** Of the action `fallback`. */
  readonly fallbackVersion: string | null;
  /** The champion's validation is due again after so long; null for never. */
  readonly revalidateSeconds: number | null;
  readonly incidents: IncidentSettings;
}

export interface IncidentSettings {
  /** Windows in which the cause must be measured as gone. */
  readonly clearWindows: number;
  /** One that has not been acknowledged: who else is told, and when. Rising. */
  readonly escalation: readonly EscalationStep[];
  /** Critical incidents are to be reported (to an authority, say) within so long; null for no such duty. */
  readonly reportSeconds: number | null;
}

/** What the incident is about when it was not a monitor that found it. */
export type IncidentOrigin =
  'finding' | 'rolled-back' | 'unverified' | 'failed-action' | 'monitor-silent' | 'revalidation';

/** Input of the `incident` workflow. */
export interface IncidentOpening {
  /** `fleet` for what belongs to no model. */
  readonly model: string;
  readonly incident: number;
  readonly origin: IncidentOrigin;
  /** One open incident a cause. */
  readonly cause: string;
  readonly severity: Severity;
  readonly title: string;
  readonly text: string;
  readonly findings: readonly string[];
  /** The release that caused it. */
  readonly release: number | null;
  readonly onset: string | null;
  readonly detectedAt: string;
}

/** Compact health of a model, one document a model in the collection `health`. */
export interface HealthRecord {
  readonly model: string;
  readonly version: VersionRef | null;
  /** End of the last window that was evaluated, ISO 8601; null before the first. */
  readonly evaluatedTo: string | null;
  /** When the monitor was last here, ISO 8601. */
  readonly seenAt: string;
  readonly state: 'healthy' | 'alarm' | 'waiting';
  /** What the monitors that cannot judge yet wait for, in words. */
  readonly waitingFor: readonly string[];
  /** Causes that are open, with the windows in a row in which they were gone. */
  readonly open: readonly { readonly cause: string; readonly since: string; readonly clear: number }[];
}
