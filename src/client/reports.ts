import type { FleetReport, InventoryRow, ReportScope } from '../contracts/report.js';
import { makeReport, ReportScopeError } from '../report/fleet-report.js';
import { makeInventory } from '../report/inventory.js';
import { explainStorage, TenureError } from './errors.js';
import type { Session } from './session.js';

export interface Inventory {
  /** By name. */
  readonly models: readonly InventoryRow[];
  /** Why nobody could be asked for the health of models; null when they were. */
  readonly healthUnknown: string | null;
}

/**
 * Every model on record. Health comes from Temporal's visibility store, which may lag by a second or two; everything else from the
 * ledger, also while Temporal is away.
 */
export async function inventory(session: Session, now = Date.now()): Promise<Inventory> {
  const { db } = await session.database();
  const { health, healthUnknown } = await healthOf(session);
  try {
    return { models: await makeInventory(db, now, health), healthUnknown };
  } catch (error) {
    throw explainStorage(error);
  }
}

async function healthOf(session: Session) {
  try {
    const rows = await (await session.tenure()).listModels();
    return { health: new Map(rows.map((row) => [row.model, row.health])), healthUnknown: null };
  } catch (error) {
    if (!(error instanceof TenureError)) throw error;
    return { health: null, healthUnknown: error.message };
  }
}

/**
 * The figures of a stretch of time.
 * @throws TenureError `not-found` for a model or team that is not on record
 */
export async function fleetReport(session: Session, scope: ReportScope): Promise<FleetReport> {
  const { db } = await session.database();
  try {
    return await makeReport(db, scope);
  } catch (error) {
    if (error instanceof ReportScopeError)
      throw new TenureError('not-found', error.message, { cause: error });
    throw explainStorage(error);
  }
}
