import type { LedgerHead, UnrecordedView } from './ledger.js';
import type { Contact } from './manifest.js';
import type { RiskTier } from './model.js';
import type { IncidentOpening, IncidentSettings, MonitorAction, Severity } from './monitoring.js';

/** Input of the `incident` workflow: what happened, and what the manifest says of whom to tell. Never changes. */
export interface IncidentInput {
  readonly opening: IncidentOpening;
  readonly owner: string;
  readonly riskTier: RiskTier;
  readonly contacts: readonly Contact[];
  readonly settings: IncidentSettings;
  /** Length of the monitor's windows: how long a resolved incident stays, to be reopened, is counted in them. */
  readonly windowSeconds: number;
  /** Tests lower it: continue as new after so many events of history. */
  readonly historyLimit?: number;
}

/**
 * - `open`: nobody has acknowledged it;
 * - `acknowledged`: somebody has, the cause is there;
 * - `mitigated`: users are protected (a rollback, a fallback), the cause is not known to be gone;
 * - `resolved`: the cause is gone, it may come back;
 * - `over`: it has stayed away. What returns is another incident.
 */
export type IncidentPhase = 'open' | 'acknowledged' | 'mitigated' | 'resolved' | 'over';

/** The same cause again, from the model. */
export interface IncidentRepeat {
  readonly findings: readonly string[];
  readonly severity: Severity;
  readonly summary: string;
  /** ISO 8601. */
  readonly at: string;
  readonly release: number | null;
}

/** Users are protected again, from the model. */
export interface IncidentMitigation {
  /** In words, e.g. `rolled back to v1`. */
  readonly how: string;
  readonly at: string;
}

/** The cause was measured as gone, or seen to be over, from the model. */
export interface IncidentClearance {
  /** Windows in a row in which it was gone; null when it was not measured by windows. */
  readonly windows: number | null;
  /** In words. */
  readonly reason: string;
  readonly at: string;
}

/** What a person can do to an incident. */
export const INCIDENT_ACTS = ['acknowledge', 'resolve', 'report'] as const;
export type IncidentAct = (typeof INCIDENT_ACTS)[number];

/** From the workflow to its model. */
export interface IncidentReport {
  readonly incident: number;
  readonly cause: string;
  readonly phase: Extract<IncidentPhase, 'open' | 'resolved' | 'over'>;
  /** When it was resolved, ISO 8601, as it is on record; null: it is open; absent in reports of before there was the field. */
  readonly resolvedAt?: string | null;
  /** A person said that its cause is gone, not the model. */
  readonly byPerson?: boolean;
  readonly head: LedgerHead;
}

/** Who did something, when, and why. */
export interface IncidentDeed {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** Times are ISO 8601 UTC; null: not yet, or not known. */
export interface IncidentTimes {
  readonly onset: string | null;
  readonly detected: string;
  readonly opened: string;
  readonly acknowledged: string | null;
  readonly mitigated: string | null;
  readonly resolved: string | null;
  readonly reported: string | null;
}

/** Answer of the `incidentState` query, and result of the workflow. */
export interface IncidentView {
  readonly model: string;
  readonly incident: number;
  readonly phase: IncidentPhase;
  readonly severity: Severity;
  readonly origin: IncidentOpening['origin'];
  readonly cause: string;
  readonly title: string;
  readonly text: string;
  readonly release: number | null;
  readonly owner: string;
  readonly times: IncidentTimes;
  readonly acknowledged: IncidentDeed | null;
  readonly mitigated: { readonly how: string; readonly at: string } | null;
  readonly resolved: (IncidentDeed & { readonly windows: number | null }) | null;
  readonly reported: IncidentDeed | null;
  /** When it must be reported at the latest; null: no such duty. */
  readonly reportDue: string | null;
  /** Ids of the findings, oldest first; the first and the newest when there are many. */
  readonly findings: readonly string[];
  /** How often the cause was found again. */
  readonly repeats: number;
  readonly reopened: number;
  /** Steps of the escalation that were taken since it was opened, or reopened. */
  readonly escalated: number;
  /** The next thing that happens by the clock. */
  readonly next: { readonly what: string; readonly at: string } | null;
  readonly waitingFor: string;
  /** Alerts that not every receiver has taken; they are tried again. */
  readonly untold: readonly { readonly key: string; readonly why: string; readonly retryAt: string }[];
  /** Messages that were no messages for it; they changed nothing. */
  readonly junk: number;
  readonly head: LedgerHead;
  readonly unrecorded: UnrecordedView | null;
}

/** From a release to its model: an act of it fails, and waits for its next try; or that is over. */
export interface Trouble {
  readonly release: number | null;
  readonly origin: Extract<IncidentOpening['origin'], 'failed-action' | 'unverified'>;
  readonly cause: string;
  readonly severity: Severity;
  readonly title: string;
  readonly text: string;
  readonly at: string;
  readonly over: boolean;
}

/** An incident as its model knows it. */
export interface OpenIncident {
  readonly incident: number;
  readonly cause: string;
  readonly origin: IncidentOpening['origin'];
  readonly severity: Severity;
  readonly title: string;
  readonly release: number | null;
  readonly openedAt: string;
  /** `resolved`: its workflow still waits whether the cause returns. */
  readonly standing: 'open' | 'resolved';
  /** Promotions are held back while it is open. */
  readonly holds: boolean;
  /** But not of what a retraining brings, since the policy asks for that too. Absent from older states. */
  readonly retrains?: boolean;
}

/** Something that a policy asked for and that was not done. */
export interface HeldBack {
  readonly action: MonitorAction;
  readonly finding: string;
  readonly reason: string;
  readonly at: string;
}
