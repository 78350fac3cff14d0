import type { LedgerHead } from './ledger.js';
import type { VersionRef } from './model.js';
import type { ObservedRoute, RoutingTable } from './routes.js';
import type { ModelView, ReleaseView } from './views.js';

/** Every way in which the parts can disagree. The names are stable: alerts, metrics and scripts go by them. */
export const DIFFERENCE_CODES = [
  'ledger-broken',
  'model-missing',
  'model-silent',
  'model-behind',
  'champion-differs',
  'release-lost',
  'release-unreported',
  'release-unknown',
  'incident-lost',
  'route-missing',
  'route-differs',
  'gateway-stale',
  'artifact-missing',
  'artifact-corrupt',
  'registry-missing',
  'registry-differs',
] as const;

export type DifferenceCode = (typeof DIFFERENCE_CODES)[number];

/**
 * What `--repair` does about a difference:
 * - `recover`: the model's workflow is started (again) with the state that its record gives;
 * - `take-back`: the model takes the traffic of a lost release back;
 * - `tell-end`: the model is told how a release ended, as the release would have told it;
 * - `stop-release`: a release that nobody knows is terminated, then the table is set again;
 * - `let-go`: the model asks after an incident whose workflow is not there, and lets go of it;
 * - `realign`: the model sets its routing table again;
 * - `register`: the version is put back into the registry, as its registration was recorded.
 */
export type Remedy =
  'recover' | 'take-back' | 'tell-end' | 'stop-release' | 'let-go' | 'realign' | 'register';

export interface Difference {
  readonly code: DifferenceCode;
  readonly model: string;
  /** What of the model: a release, a version, a gateway; empty: the model itself. */
  readonly subject: string;
  readonly severity: 'warning' | 'critical';
  /** In words, as the next two. */
  readonly expected: string;
  readonly found: string;
  /** What to do. */
  readonly advice: string;
  /** Null: nothing that Tenure may do by itself. */
  readonly remedy: Remedy | null;
}

/** Which difference it is, whatever was found: what is told of once, and what a repair is asked for. */
export const differenceKey = ({ model, code, subject }: Difference): string =>
  [model, code, ...(subject === '' ? [] : [subject])].join('/');

/** An execution of a workflow id, by asking for that id. */
export type Execution<V> =
  /** `view` null: it did not answer. */
  | { readonly state: 'open'; readonly view: V | null }
  /** `how`: e.g. `TERMINATED`. */
  | { readonly state: 'closed'; readonly how: string }
  | { readonly state: 'missing' };

export interface BadLedger {
  readonly sequence: number;
  readonly kind: string;
  readonly detail: string;
}

/** A gateway that says that it serves and has been heard of within its lease. */
export interface LiveGateway {
  readonly gateway: string;
  readonly startedAt: string;
  /** Null: nothing on this model yet. */
  readonly observed: ObservedRoute | null;
}

export interface ArtifactFact extends VersionRef {
  readonly state: 'missing' | 'corrupt';
  readonly detail: string;
}

/** What was found of one model in every place that knows of it. Read in this order: workflows, table, ledger. */
export interface ModelParts {
  readonly model: string;
  /** By the database's clock, epoch milliseconds. */
  readonly now: number;
  readonly lifecycle: Execution<ModelView>;
  /** The release in flight and every other that may run, by number. */
  readonly releases: readonly (Execution<ReleaseView> & { readonly release: number })[];
  /** Those that the model takes for open or resolved; absent: it was not looked. */
  readonly incidents?: readonly (Execution<null> & { readonly incident: number })[];
  readonly table: RoutingTable | null;
  /** Hash of the table as acts record it. */
  readonly tableHash: string | null;
  readonly gateways: readonly LiveGateway[];
  readonly bad: BadLedger | null;
  /** Newest event. */
  readonly head: LedgerHead;
  /** Of the registry. */
  readonly registered: readonly VersionRef[];
  /** Those that are not as they should be. */
  readonly artifacts: readonly ArtifactFact[];
}

/** Of a whole round; bounded. */
export interface DoctorReport {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly models: number;
  readonly differences: readonly Difference[];
  /** Found beyond those that are listed. */
  readonly more: number;
  readonly byCode: Readonly<Partial<Record<DifferenceCode, number>>>;
  /** Age of the oldest event that a workflow carries because it could not be recorded yet, seconds; 0: none is carried. */
  readonly ledgerLagSeconds: number;
  /** Acts whose attempts are spent, and that wait for their next try. */
  readonly parked: number;
  readonly gateways: { readonly serving: number; readonly silent: readonly string[] };
  /** Of a round over all models: alerts that receivers took at last, and why others still wait. */
  readonly alerts?: { readonly told: number; readonly problems: readonly string[] };
}

export interface ComparePartsInput {
  /** One model; all when absent. */
  readonly model?: string;
  /** Every event and every byte again, also what was found sound before and has not changed since. */
  readonly whole: boolean;
}

export interface RepairInput {
  readonly model: string;
  /** Keys of the differences that somebody wants mended; what is not there any more is left alone. */
  readonly keys: readonly string[];
  readonly actor: string;
  /** Identity of the repair: a repeat acts once. */
  readonly requestId: string;
}

export interface RepairStep {
  readonly key: string;
  /** `refused`: not by this means. */
  readonly outcome: 'done' | 'refused';
  /** What was done, or why it was not. */
  readonly what: string;
}

export interface DoctorActivities {
  /**
   * Compares all parts; what differs is looked at a second time before it counts. Heartbeats. A round over all models also tells what
   * receivers did not take when whoever sent it gave up.
   */
  compareParts(input: ComparePartsInput): Promise<DoctorReport>;
  /** Mends a model towards the last verified outcome on record, by recorded acts; may be repeated. */
  repairModel(input: RepairInput): Promise<readonly RepairStep[]>;
  /** Tells people of differences that are new, and of those that are over. */
  tellDifferences(input: {
    readonly at: string;
    readonly fresh: readonly ToldDifference[];
    readonly resolved: readonly ToldDifference[];
  }): Promise<void>;
}

/** A difference that lasts. */
export interface ToldDifference extends Difference {
  /** When it was first found, ISO 8601 UTC. */
  readonly since: string;
  /** People are still to be told. */
  readonly untold?: true;
}

export interface DoctorRoundInput {
  readonly model?: string;
  readonly whole: boolean;
  readonly repair?: Omit<RepairInput, 'model'>;
  /** A round of the Schedule: people are told what is new and what is over since the one before. */
  readonly tells?: boolean;
}

export interface DoctorRoundResult {
  readonly report: DoctorReport;
  readonly repairs: readonly RepairStep[];
  /** Differences that people were told of and that last; the next round of the Schedule goes on from them. */
  readonly open: readonly ToldDifference[];
}

export interface ReconcileRequestFields {
  readonly reason: string;
  /** What was found, in words. */
  readonly found: readonly string[];
  /** A release in flight whose workflow is gone. */
  readonly lost?: number;
  /** An incident that the model has, and whose workflow is gone; then the routing table is left as it is. */
  readonly lostIncident?: number;
}
