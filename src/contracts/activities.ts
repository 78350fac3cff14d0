import type { ApprovalDecision, VerifiedDecision } from './approvals.js';
import type { CanaryCounts, LookMoment } from './canary.js';
import type { LedgerEntry, LedgerHead } from './ledger.js';
import type { Contact, FreezeWindow, Manifest } from './manifest.js';
import type { Lineage, ReleaseOutcome, VersionRecord, VersionRef } from './model.js';
import type { RetrainingActivities } from './retraining.js';
import type { DesiredRoute, GuardrailProbe } from './routes.js';
import type { ValidationReport } from './validation.js';

/** How a release ended, by its record. */
export interface RecordedEnd {
  readonly outcome: ReleaseOutcome;
  /** Of the artifact that was released. */
  readonly digest: string | null;
  readonly generation: number | null;
}

/** What the ledger says after writing: null when a safety act went ahead without it. */
export interface Recorded {
  readonly head: LedgerHead | null;
  /** Entries that could not be written; the workflow queues them and writes them later. */
  readonly unrecorded: readonly LedgerEntry[];
}

export interface LedgerActivities {
  /** Appends entries in order; a repeat of an id with equal content is success, with other content a `LedgerConflict`. */
  recordEvents(input: { readonly entries: readonly LedgerEntry[] }): Promise<LedgerHead>;
}

export interface RegisterVersionInput {
  readonly manifest: Manifest;
  readonly version: string;
  /** SHA-256 that the artifact must have; it must be in the artifact store under it. */
  readonly digest: string;
  readonly lineage: Lineage;
  readonly registeredBy: string;
  readonly requestId: string;
  readonly at: string;
}

export type Answer<T> =
  ({ readonly accepted: true } & T) | { readonly accepted: false; readonly reason: string };

export interface TableSight {
  readonly generation: number;
  readonly changeId: string;
}

export interface FoundVersion extends VersionRecord {
  /** Null when the model has none; absent where it was not looked at. */
  readonly table?: TableSight | null;
}

export interface RegistryActivities {
  /** Reads the artifact, checks its digest, loads it, compares inputs and outputs with the manifest, then registers and records it. */
  registerVersion(
    input: RegisterVersionInput,
  ): Promise<Answer<{ readonly record: VersionRecord; readonly head: LedgerHead }>>;
  /** With the routing table as it is, for the model to compare with what it knows. */
  findVersion(input: { readonly model: string; readonly version: string }): Promise<FoundVersion | null>;
}

export interface TrafficChange {
  readonly model: string;
  /** Identity of the act: a repeat finds its own work done. */
  readonly changeId: string;
  readonly desired: DesiredRoute;
  /** The generation that the caller believes in; `any` for acts towards safety. */
  readonly expectedGeneration: number | 'any';
  /** The new generation is above this one too: a table that was lost or set back does not use numbers again. */
  readonly above?: number;
  /** Recorded before the act, e.g. the verdict that led to it. The last one is the intent. */
  readonly before: readonly LedgerEntry[];
  /** Recorded after the act was read back; generation, unreachable gateways and seconds are added to its evidence. */
  readonly after: LedgerEntry;
  /** Acts towards safety do not wait for the ledger. */
  readonly safety: boolean;
}

export interface TrafficChanged extends Recorded {
  readonly generation: number;
  /** Silent for longer than lease and clock margin, counted out. */
  readonly unreachable: readonly string[];
  /** Gateways that confirmed. */
  readonly confirmed: readonly string[];
  /** From compare-and-set to the last confirmation. */
  readonly seconds: number;
}

export interface TrafficActivities {
  /**
   * Compare-and-set to the next generation, wait until every live gateway reports it with all routed versions ready, read back.
   * Throws `StaleGeneration`, `ArtifactInvalid` (a gateway cannot load a version) or, retryable, `NotConfirmed`.
   */
  changeTraffic(input: TrafficChange): Promise<TrafficChanged>;
  /** The drill: candidate weight to 0 and back, timed. Two generations; requests of both are counted apart. */
  rehearseRollback(input: TrafficChange): Promise<TrafficChanged & { readonly rollbackSeconds: number }>;
}

export interface ConformanceActivities {
  /** Sends the golden rows through every live gateway to the named version; throws `ServingSkew` with the worst rows. */
  checkConformance(input: {
    readonly model: string;
    readonly version: VersionRef;
    readonly goldenDigest: string;
    readonly scoreOutput: string;
    readonly tolerance: number;
  }): Promise<{ readonly gateways: number; readonly rows: number; readonly worstDifference: number }>;
}

export interface ValidationActivities {
  /** Runs every gate and reports every one; heartbeats. Never throws because a gate failed. */
  validateVersion(input: {
    readonly manifest: Manifest;
    readonly version: VersionRef;
    readonly champion: VersionRef | null;
    readonly release: number;
    /** Workflow time, ISO 8601: exceptions expire by it. */
    readonly at: string;
  }): Promise<ValidationReport>;
}

export interface LookRequest {
  readonly model: string;
  readonly release: number;
  readonly candidate: VersionRef;
  /** The version it is compared with; null: fixed bounds only. */
  readonly champion: VersionRef | null;
  readonly guardrails: readonly string[];
  /** The generation in force; a trip counts only for it. */
  readonly generation: number;
  /** Return when so many routing keys have been seen in the release. */
  readonly untilKeys: number;
  /** Return at this time at the latest, epoch milliseconds. Never waits longer than ten minutes. */
  readonly untilTime: number;
  /**
   * Return from this time on (epoch milliseconds) once the candidate has had more requests in the release than these: a look
   * that is due by the clock, but without anything new would only be undecided.
   */
  readonly whenNew: { readonly from: number; readonly requests: number } | null;
  /** Id of the event that the look will be: a look that is recorded is not taken again, after a reset. Absent: none. */
  readonly recordedAs?: string;
}

export interface LookTaken {
  readonly why: 'keys' | 'time' | 'trip';
  /** Cumulative over the release. */
  readonly counts: CanaryCounts;
  readonly shadow: {
    readonly compared: number;
    readonly agreed: number;
    readonly failed: number;
    readonly dropped: number;
  };
  readonly trips: readonly {
    readonly gateway: string;
    readonly guardrail: string;
    readonly bad: number;
    readonly requests: number;
  }[];
  /** Epoch milliseconds. */
  readonly takenAt: number;
  /** Of a look from the record: the moment that it was judged in. */
  readonly moment?: LookMoment;
}

export interface Baseline {
  /** The champion's requests and bad events before the release: tunes the test, never its validity. */
  readonly requests: number;
  readonly bad: Readonly<Record<string, number>>;
  /** Latency inside the thread at the asked quantiles, milliseconds; null without data. */
  readonly latencyMs: Readonly<Record<string, number | null>>;
}

export interface MetricsActivities {
  readBaseline(input: {
    readonly model: string;
    readonly champion: VersionRef;
    readonly probes: readonly GuardrailProbe[];
    readonly quantiles: readonly number[];
    readonly lookBackSeconds: number;
    /** Workflow time, epoch milliseconds. */
    readonly at: number;
  }): Promise<Baseline>;
}

/** What the freeze windows of a manifest say of a moment. */
export interface FreezeReading {
  /** Why promotion is held back; null when it is not. */
  readonly reason: string | null;
  /** Until when this stays so, ISO 8601; then ask again. */
  readonly until: string;
}

export interface FreezeActivities {
  /** Needs the data of time zones, which differ between workers: what it says stands in the history. */
  readFreezeWindows(input: {
    readonly windows: readonly FreezeWindow[];
    /** Workflow time, epoch milliseconds. */
    readonly at: number;
  }): Promise<FreezeReading>;
}

/** On the waiting task queue. */
export interface WaitingActivities {
  awaitLook(input: LookRequest): Promise<LookTaken>;
}

export interface ApprovalActivities {
  /** Who sent these, and with which roles. Believed as named today; signatures go under this one function. */
  verifyDecisions(input: {
    readonly manifest: Manifest;
    readonly decisions: readonly ApprovalDecision[];
  }): Promise<readonly VerifiedDecision[]>;
}

/** What people are told of. */
export interface AlertMessage {
  readonly model: string;
  /** The same key again, in the same state, is the same alert: it is told once. */
  readonly key: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly title: string;
  readonly text: string;
  readonly at: string;
  /** `resolved`: what the key told of is over. Absent: it holds. */
  readonly state?: 'firing' | 'resolved';
  /** Of an incident, whose alerts belong together; absent for an alert that stands alone. */
  readonly incident?: AlertIncident;
}

/** What receivers need to join the alerts of an incident, and people to find it. */
export interface AlertIncident {
  /** Id of its workflow: receivers join alerts by it. */
  readonly id: string;
  /** Which of its alerts this is, e.g. `opened` or `escalation-1`: for receivers that tell one alert only once. */
  readonly notice: string;
  /** Who is meant. */
  readonly contacts: readonly Contact[];
  /** Where the evidence is: ids of findings in the ledger and in the collection `findings`. */
  readonly findings: readonly string[];
  /** With `resolved`: each alert of it that this ends, for receivers that keep these apart. */
  readonly ends?: readonly AlertTold[];
}

/** An alert of an incident that has been told. */
export interface AlertTold {
  readonly severity: AlertMessage['severity'];
  readonly notice: string;
}

export interface AlertActivities {
  /** Tells the model's contacts through every receiver. */
  sendAlert(input: AlertMessage): Promise<void>;
}

export interface TenureActivities
  extends
    LedgerActivities,
    RegistryActivities,
    TrafficActivities,
    ConformanceActivities,
    ValidationActivities,
    MetricsActivities,
    FreezeActivities,
    ApprovalActivities,
    AlertActivities,
    RetrainingActivities {}
