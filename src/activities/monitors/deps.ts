import type { Client } from '@temporalio/client';
import type { Db } from 'mongodb';
import type { IncidentInput } from '../../contracts/incidents.js';
import type { AlertDesk } from '../../platform/alerts/index.js';

/** Of incidents that belong to no model: who is told, as a manifest says it of a model. */
export type FleetSettings = Pick<IncidentInput, 'owner' | 'contacts' | 'settings'>;

export interface MonitorDeps {
  readonly db: Db;
  readonly client: Client;
  /** Of the workflows. */
  readonly taskQueue: string;
  readonly alerts: AlertDesk;
  /** How many monitors there are, and seconds between two ticks of each; 0: none. */
  readonly monitors: { readonly shards: number; readonly seconds: number };
  readonly fleet: FleetSettings;
}
