import type { Client } from '@temporalio/client';
import type { Db } from 'mongodb';
import type { AlertDesk } from '../../platform/alerts/index.js';
import type { ArtifactStore } from '../../platform/registry/index.js';
import type { Measures } from '../measures.js';

export interface DoctorDeps {
  readonly db: Db;
  readonly artifacts: ArtifactStore;
  readonly client: Client;
  /** Of the workflows; the doctor's own activities run on the waiting one. */
  readonly taskQueue: string;
  readonly alerts: AlertDesk;
  readonly measures: Measures;
  /** Between two looks at what differs, milliseconds (default 3,000). */
  readonly settleMs?: number;
}
