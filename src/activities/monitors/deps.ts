import type { Client } from '@temporalio/client';
import type { Db } from 'mongodb';
import type { AlertDesk } from '../../platform/alerts/index.js';

export interface MonitorDeps {
  readonly db: Db;
  readonly client: Client;
  /** Of the workflows. */
  readonly taskQueue: string;
  readonly alerts: AlertDesk;
  /** How many monitors there are, and seconds between two ticks of each; 0: none. */
  readonly monitors: { readonly shards: number; readonly seconds: number };
}
