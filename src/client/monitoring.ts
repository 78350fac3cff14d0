import type { Finding, HealthRecord } from '../contracts/monitoring.js';
import { FindingStore } from '../platform/monitors/index.js';
import { explainStorage } from './errors.js';
import { requireOnRecord } from './on-record.js';
import type { Session } from './session.js';

export interface MonitoredView {
  readonly model: string;
  /** Null: no monitor has been here. */
  readonly health: HealthRecord | null;
  /** The newest first. */
  readonly findings: readonly Finding[];
}

/**
 * What the monitors say of a model.
 * @param model or `fleet` for the monitors themselves
 * @param limit findings at most
 * @throws TenureError `not-found`
 */
export async function monitored(session: Session, model: string, limit: number): Promise<MonitoredView> {
  const { db } = await session.database();
  const store = new FindingStore(db);
  let view: MonitoredView;
  try {
    view = { model, health: await store.health(model), findings: await store.newest(model, limit) };
  } catch (error) {
    throw explainStorage(error);
  }
  if (view.health === null && view.findings.length === 0) await requireOnRecord(session, model);
  return view;
}
