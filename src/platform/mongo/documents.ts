import type { AlertIncident } from '../../contracts/activities.js';
import type { StoredEvent } from '../../contracts/ledger.js';
import type { VersionRecord } from '../../contracts/model.js';
import type { StoredReport } from '../../contracts/report.js';
import type { GatewayRecord, RoutingTable } from '../../contracts/routes.js';

/** `_id` is the event's hash. */
export interface LedgerDocument extends StoredEvent {
  readonly _id: string;
}

/** `_id` is `<model>/<version>`. */
export interface VersionDocument extends VersionRecord {
  readonly _id: string;
}

/** `_id` is the model. Times are dates here: the server's clock sets them. */
export interface RouteDocument extends Omit<RoutingTable, 'changedAt'> {
  readonly _id: string;
  readonly changedAt: Date;
}

/** `_id` is the gateway. */
export interface GatewayDocument extends Omit<GatewayRecord, 'seenAt'> {
  readonly _id: string;
  readonly seenAt: Date;
}

/** `_id` is the alert's key. */
export interface AlertDocument {
  readonly _id: string;
  readonly model: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly title: string;
  readonly text: string;
  readonly at: string;
  /** Absent: it held when it was told. */
  readonly state?: 'firing' | 'resolved';
  readonly incident?: AlertIncident;
  readonly link?: string;
  /** Names of the channels that have taken it. */
  readonly told?: readonly string[];
  /** When every channel had taken it, or nobody needed to be told any more; null until then. */
  readonly sentAt: Date | null;
  /** When it was last tried again after whoever had sent it gave up. */
  readonly triedAt?: Date;
  /** It was over before every channel had taken it. */
  readonly superseded?: true;
}

/** `_id` is the day. */
export interface ReportDocument extends StoredReport {
  readonly _id: string;
}
