/** A figure, or in words why there is none: no data is null, never 0. */
export interface Figure {
  readonly value: number | null;
  /** Null when there is a value. */
  readonly why: string | null;
}

/** `part` of `whole`, 0..1. */
export interface Share extends Figure {
  readonly part: number;
  readonly whole: number;
}

/** Of durations in seconds, by linear interpolation between order statistics. */
export interface Spread {
  readonly n: number;
  readonly median: number | null;
  readonly p90: number | null;
  /** Null when there are values. */
  readonly why: string | null;
}

export type Severity = 'info' | 'warning' | 'critical';
export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

export type RetrainingTrigger = 'finding' | 'schedule' | 'labels' | 'age' | 'hand';
export const RETRAINING_TRIGGERS: readonly RetrainingTrigger[] = [
  'finding',
  'schedule',
  'labels',
  'age',
  'hand',
];
export type RetrainingOutcome = 'submitted' | 'not-better' | 'insufficient' | 'failed' | 'cancelled';
export const RETRAINING_OUTCOMES: readonly RetrainingOutcome[] = [
  'submitted',
  'not-better',
  'insufficient',
  'failed',
  'cancelled',
];

/** What a report is about. Half open: `since` is in it, `until` is not. */
export interface ReportScope {
  /** ISO 8601 UTC. */
  readonly since: string;
  readonly until: string;
  readonly model: string | null;
  readonly team: string | null;
}

/** A version's way into production. */
export interface LeadTime {
  readonly model: string;
  readonly version: string;
  /** Registered, ISO 8601 UTC. */
  readonly from: string;
  /** First in production. */
  readonly to: string;
  readonly seconds: number;
  /** Of them, waiting for people's approval. */
  readonly approvalSeconds: number;
}

/** What is not over yet is named with its age, and in no median. */
export interface OpenCase {
  readonly model: string;
  /** Of the release or the incident. */
  readonly number: number;
  readonly ageSeconds: number;
}

/** A day of 24 hours, counted from `since`. */
export interface DayFigures {
  /** Its start, ISO 8601 UTC. */
  readonly day: string;
  readonly deployments: number;
  /** Of those deployments, failed since. */
  readonly failed: number;
  /** Null where there were no requests. */
  readonly availability: number | null;
  /** Opened, by severity. */
  readonly incidents: Readonly<Record<Severity, number>>;
}

/** A model in the report. */
export interface ModelFigures {
  readonly model: string;
  readonly team: string;
  readonly owner: string;
  readonly riskTier: string;
  readonly deployments: number;
  readonly failed: number;
  readonly leadTime: Spread;
  readonly availability: { readonly byRequests: Share; readonly byTime: Share };
  readonly incidents: number;
  readonly automatedRetraining: boolean;
}

export interface FleetReport extends ReportScope {
  /** Length of the window in days. */
  readonly days: number;
  /** Models on record by the end of the window. */
  readonly models: number;
  readonly deployments: {
    readonly count: number;
    /** A day. */
    readonly frequency: Figure;
    /** Median over whole weeks of the days with a deployment. */
    readonly daysPerWeek: Figure;
    /** Neither succeeded nor failed yet. */
    readonly undecided: number;
  };
  /** Releases that ended without ever being in production, by how. */
  readonly stopped: { readonly rejected: number; readonly rolledBack: number; readonly aborted: number };
  readonly leadTime: {
    readonly total: Spread;
    readonly approvalWait: Spread;
    readonly withoutApproval: Spread;
    /** Versions in production whose registration is not on record, or later than that. */
    readonly unusable: number;
    /** Newest first, bounded. */
    readonly versions: readonly LeadTime[];
  };
  readonly changeFailRate: Share;
  readonly reworkRate: Share;
  readonly recovery: {
    readonly time: Spread;
    readonly open: readonly OpenCase[];
    readonly unusable: number;
  };
  readonly availability: { readonly byRequests: Share; readonly byTime: Share };
  readonly incidents: {
    readonly count: number;
    readonly bySeverity: Readonly<Record<Severity, { readonly opened: number; readonly open: number }>>;
    readonly detect: Spread;
    /** Incidents whose onset nobody knows: in no figure of detection. */
    readonly onsetUnknown: number;
    readonly remediate: Spread;
    /** Their workflows were terminated: neither open nor resolved. */
    readonly endedByHand: number;
    /** Means over the resolved ones, seconds; they add up to the mean time to remediate. */
    readonly phases: {
      readonly acknowledge: number | null;
      readonly mitigate: number | null;
      readonly verify: number | null;
    };
    readonly open: readonly OpenCase[];
    readonly unusable: number;
  };
  readonly retraining: {
    /** Models in production with a trigger that is on, of all in production. */
    readonly enabled: Share;
    /** The same whose trigger has also led to a comparison or a release within the window. */
    readonly proven: Share;
    /** Of retrainings that ended within the window and whose outcome is known. */
    readonly untouched: Share;
    /** Also those that people had a hand in. */
    readonly reachedProduction: number;
    /** Their release is not over yet. */
    readonly undecided: number;
    readonly requested: Readonly<Record<RetrainingTrigger, number>>;
    readonly ended: Readonly<Record<RetrainingOutcome, number>>;
    readonly heldBack: number;
  };
  readonly byDay: readonly DayFigures[];
  readonly byModel: readonly ModelFigures[];
}

/** A row of the inventory. */
export interface InventoryRow {
  readonly model: string;
  readonly team: string;
  readonly owner: string;
  readonly riskTier: string;
  readonly purpose: string;
  /** Serves now; null: nothing does. */
  readonly version: string | null;
  /** Null: nobody could be asked. */
  readonly health: string | null;
  readonly lastRelease: {
    readonly release: number;
    readonly version: string;
    /** An outcome, or `queued`, `in flight` or `soaking`. */
    readonly state: string;
    /** Of its end, its promotion or its submission, ISO 8601 UTC; null: none of them is on record. */
    readonly at: string | null;
  } | null;
  /** Null: nothing falls due. */
  readonly nextDue: { readonly at: string; readonly what: string; readonly overdue: boolean } | null;
}
/** A daily report as it is listed. */
export interface StoredReportHead {
  /** The day that it ends with, `YYYY-MM-DD`, UTC. */
  readonly day: string;
  /** Counts from 1; a day that is computed again with another result gets a new one. */
  readonly revision: number;
  readonly madeAt: string;
  /** Digest of its HTML in the artifact store. */
  readonly html: string;
}

export interface StoredReport extends StoredReportHead {
  readonly report: FleetReport;
}

export interface WriteReportInput {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
}

export interface ReportActivities {
  /** Computes and stores the report of the days up to this one; a repeat with the same result changes nothing. */
  writeFleetReport(input: WriteReportInput): Promise<StoredReportHead>;
}

export interface FleetReportInput {
  /** `YYYY-MM-DD`; the day before the one that the Schedule named when absent. */
  readonly day?: string;
}
