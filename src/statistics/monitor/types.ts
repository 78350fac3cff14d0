/** What the evaluation of a model's monitors takes and gives. All of it is plain JSON, whatever the traffic of bounded size. */
import type { Manifest } from '../../contracts/manifest.js';
import type { VersionRef } from '../../contracts/model.js';
import type {
  Finding,
  FindingKind,
  HealthRecord,
  MonitoringSettings,
  MonitorReport,
  Severity,
} from '../../contracts/monitoring.js';
import type { Sketch } from '../../contracts/windows.js';
import type { Moments } from '../drift/prediction.js';
import type { RunLengthState } from '../drift/run-length.js';
import type { ShareWatch } from '../drift/share-watch.js';
import type { ReferenceProfile, WindowCounts } from '../profile/types.js';

/** Everything that a finding rests on, and nothing else: the same input gives the same output. */
export interface MonitorInput {
  readonly model: string;
  /** The champion; null: nobody serves. */
  readonly version: VersionRef | null;
  readonly settings: NonNullable<Manifest['monitoring']>;
  readonly objectives: Manifest['objectives'];
  /** Null: the version has none. */
  readonly profile: MonitoredProfile | null;
  /** Closed stretches of `windowSeconds` that begin where the last evaluation ended, without gaps: one without traffic is empty. */
  readonly windows: readonly MonitoredWindow[];
  /** The same of `SLOT_SECONDS`. */
  readonly slots: readonly TrafficSlot[];
  /** Null: the model is new here. */
  readonly state: DetectorState | null;
  /** The monitor's clock, epoch milliseconds. */
  readonly now: number;
  /** What was counted and cannot be placed in time, in words. */
  readonly strange: readonly string[];
  /** SHA-256 of the canonical JSON, 64 hex digits. */
  readonly digestOf: (content: unknown) => string;
}

export interface MonitoredProfile {
  readonly digest: string;
  readonly profile: ReferenceProfile;
  /** Features that are predictions, by name; the others are inputs. */
  readonly predictions: readonly string[];
  /** Why a binary model has no score in the profile, in words; absent where that is not known. */
  readonly scoreLack?: string;
}

/** What the champion did in one closed stretch. */
export interface MonitoredWindow {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** In the bins of the champion's profile; null where nothing was counted in them. */
  readonly features: WindowCounts | null;
  /** Milliseconds, of answers. */
  readonly latency: Sketch | null;
  /** Requests that users sent, whoever answered, and those that were not answered, or too late. */
  readonly requests: number;
  readonly bad: number;
  /** What was stored in this window and is about earlier ones, in the order of time. */
  readonly late?: readonly LateRows[];
}

/** Rows of one earlier window of the same length. */
export interface LateRows {
  readonly from: number;
  readonly to: number;
  /** As of a window. */
  readonly features: WindowCounts | null;
}

/** As `requests` and `bad` of a window. */
export interface TrafficSlot {
  readonly from: number;
  readonly to: number;
  readonly requests: number;
  readonly bad: number;
}

/** What is carried from one evaluation to the next. */
export interface DetectorState {
  readonly format: 1;
  /** Digest of the champion, and of its profile. */
  readonly version: string | null;
  readonly profile: string | null;
  /** All windows that end here or before are done; epoch milliseconds. */
  readonly evaluatedTo: number;
  readonly slotsTo: number;
  /** Windows of this version whose features were judged. */
  readonly judged: number;
  /** Rows that were too few to be judged. */
  readonly carried: CarriedRows | null;
  /** Of the last days; absent: of a time that did not look back. */
  readonly unjudged?: Unjudged;
  /** Labels that were too few. */
  readonly labels: CarriedLabels | null;
  /** Requests that were too few to say whether an outage is over; absent: of a time that did not gather them. */
  readonly requests?: CarriedRequests | null;
  /** Begins of the windows that were scored last, the newest last. */
  readonly times: readonly number[];
  readonly watches: { readonly drift: readonly FeatureWatch[]; readonly prediction: readonly FeatureWatch[] };
  /** Of the windows whose performance was judged last; absent: of a time that did not keep them. */
  readonly errors?: PerformanceErrors;
  readonly volume: VolumeState;
  /** Of ln(95th percentile of latency), of the version's windows. */
  readonly latency: Moments;
  readonly traffic: TrafficHistory;
  /** The strongest first; at most `MOST_OPEN`. */
  readonly open: readonly OpenCause[];
  readonly waiting: readonly string[];
}

/** Stretches of time whose rows were not judged by themselves, in order: what comes late of them is their first judgement. */
export type Unjudged = readonly (readonly [from: number, to: number])[];

export interface CarriedRows {
  readonly from: number;
  readonly counts: WindowCounts;
  /** So many of them came late. */
  readonly late?: number;
}

export interface CarriedLabels {
  readonly from: number;
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

export interface CarriedRequests {
  readonly requests: number;
  readonly bad: number;
}

/** The newest last. */
export interface PerformanceErrors {
  readonly estimated: readonly ErrorWindow[];
  readonly measured: readonly ErrorWindow[];
}

/** Rows whose prediction at the threshold was wrong, of so many; of an estimate, about so many. */
export type ErrorWindow = readonly [from: number, errors: number, rows: number];

export interface FeatureWatch {
  readonly name: string;
  readonly state: RunLengthState;
  /** One for each of `times`; null where it was not scored. */
  readonly scores: readonly (number | null)[];
  /** Of the last one. */
  readonly allowance: number;
  /** Of a categorical feature, which has no scores. */
  readonly shares?: readonly ShareWatch[];
}

export interface VolumeState {
  /**
   * Requests of the stretches that are complete, the newest last; of those of an open cause, which are not usual, -1 - requests (-1:
   * nothing came).
   */
  readonly history: readonly number[];
  /** Stretches with requests since the cause opened; absent, as what follows: of a time that took every stretch for usual. */
  readonly lasting?: number;
  /** Of stretches in a row in which so few are usual that one by itself cannot say that the cause is over. */
  readonly few?: { readonly requests: number; readonly usual: number } | null;
  /** Length of a stretch, seconds. */
  readonly seconds: number;
  /** Without a rhythm odd stretches leave no gap; absent: of a time in which there were gaps nowhere. */
  readonly season?: MonitoringSettings['season'];
  /** The stretch that is being counted: its begin, and its requests; null before the first. */
  readonly open: { readonly from: number; readonly requests: number } | null;
  readonly watch: RunLengthState;
}

/** Slots of the last hours, and hours of the last days: end, requests, bad. */
export interface TrafficHistory {
  readonly slots: readonly SlotSum[];
  readonly hours: readonly SlotSum[];
}

export type SlotSum = readonly [to: number, requests: number, bad: number];

export interface OpenCause {
  readonly cause: string;
  readonly kind: FindingKind;
  readonly verdict: Finding['verdict'];
  readonly severity: Severity;
  /** End of the window that opened it, epoch milliseconds. */
  readonly since: number;
  readonly features: readonly string[];
  /** Windows in a row in which it was measured as gone. */
  readonly clear: number;
}

/** A finding before it is known whether anybody was told of the cause. */
export type Draft = Pick<
  Finding,
  'kind' | 'cause' | 'verdict' | 'severity' | 'summary' | 'features' | 'rows' | 'onset' | 'detectors'
> & {
  readonly from: number;
  readonly to: number;
  /** What it is about: repeats of the same are no news. */
  readonly about: readonly string[];
};

/** With the counts that it rests on. */
export type Based = Draft & { readonly basis: unknown };

/** What a window said of the causes that are open. What could not be measured is not here. */
export type Standing = ReadonlyMap<string, 'gone' | 'present'>;

/** What one kind of monitor made of one window. */
export interface Judged {
  readonly drafts: readonly Draft[];
  readonly standing: Standing;
  /** What it waits for, in words. */
  readonly waiting: readonly string[];
}

export interface Evaluation {
  /** New ones, also those that do not matter. */
  readonly findings: readonly Finding[];
  readonly cleared: MonitorReport['cleared'];
  readonly state: DetectorState;
  readonly health: HealthRecord;
}

/** Severities, from the least. */
export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];
