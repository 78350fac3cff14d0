import type { VersionRef } from '../../contracts/model.js';
import type { RetrainingOutcome, RetrainingTrigger, Severity } from '../../contracts/report.js';

/** Of which events facts are read. Times are epoch milliseconds, here and below. */
export interface FactScope {
  /** Windows from here on. */
  readonly since: number;
  /** Events and windows before it. */
  readonly until: number;
  /** Null: all. */
  readonly models: readonly string[] | null;
}

export interface ModelFact {
  readonly model: string;
  readonly team: string;
  readonly owner: string;
  readonly riskTier: string;
  readonly purpose: string;
  /** The validation of what serves is due again after so long; null: never. */
  readonly revalidateSeconds: number | null;
  /** Something but a person can start a retraining: the clock, labels, or a finding whose policy asks for one. */
  readonly automated: boolean;
}

/** Something that happened, with its place in the model's stream. */
export interface Moment {
  readonly at: number;
  readonly sequence: number;
}

export interface Interval {
  readonly from: number;
  readonly to: number;
}

export type Outcome = 'succeeded' | 'rejected' | 'rolled-back' | 'aborted';

export interface ReleaseFact {
  readonly model: string;
  readonly release: number;
  readonly version: string | null;
  readonly digest: string | null;
  readonly submitted: number | null;
  readonly validated: number | null;
  /** In production: all traffic, read back. */
  readonly promoted: Moment | null;
  /** Whom it took over from. */
  readonly former: VersionRef | null;
  /** The first end on record. */
  readonly ended: (Moment & { readonly outcome: Outcome }) | null;
  /** Times of waiting for approval that are over. */
  readonly waits: readonly Interval[];
}

export interface RegistrationFact {
  readonly model: string;
  readonly version: string;
  readonly at: number;
}

/** An act on a model that is no release. */
export interface ModelAct extends Moment {
  readonly model: string;
  readonly action: 'model.rolled-back' | 'model.retired' | 'model.realigned' | 'model.recovered';
  /** What serves from then on. */
  readonly serves: VersionRef | null;
  /** Digest of what was taken away by a roll-back. */
  readonly from: string | null;
  readonly byPerson: boolean;
}

export interface IncidentFact {
  readonly model: string;
  readonly incident: number;
  readonly severity: Severity;
  readonly opened: number;
  readonly onset: number | null;
  readonly detected: number | null;
  readonly release: number | null;
  /** It tells of a version that was taken back: what failed is over with that, the incident with a better version. */
  readonly tookBack: boolean;
  readonly findings: readonly string[];
  readonly acknowledged: number | null;
  /** Since it was opened, or reopened last. */
  readonly mitigated: number | null;
  readonly resolved: number | null;
  /** When it was found that its workflow had been ended by hand. */
  readonly lost: number | null;
}

export interface RetrainingFact {
  readonly model: string;
  readonly retraining: number;
  readonly trigger: RetrainingTrigger | null;
  readonly finding: string | null;
  readonly requested: number | null;
  readonly ended: number | null;
  readonly outcome: RetrainingOutcome | null;
  readonly release: number | null;
  /** An event of it is a person's. */
  readonly byPerson: boolean;
}

/** Requests of a model in windows that began on one day of 24 hours, counted from `since`. */
export interface TrafficFact {
  readonly model: string;
  readonly day: number;
  /** Users' requests, and those of them that were answered. */
  readonly valid: number;
  readonly good: number;
  /** Windows with requests and without an answer. */
  readonly dead: readonly Interval[];
}

export interface Facts {
  readonly models: readonly ModelFact[];
  readonly releases: readonly ReleaseFact[];
  readonly registrations: readonly RegistrationFact[];
  readonly acts: readonly ModelAct[];
  readonly incidents: readonly IncidentFact[];
  readonly retrainings: readonly RetrainingFact[];
  /** Times at which a retraining was held back. */
  readonly heldBack: readonly { readonly model: string; readonly at: number }[];
  /** Releases made by a retraining, with an event by a person. */
  readonly touched: readonly { readonly model: string; readonly release: number }[];
  readonly traffic: readonly TrafficFact[];
}
