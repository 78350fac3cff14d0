import type {
  FleetReport,
  InventoryRow,
  ReportScope,
  StoredReport,
  StoredReportHead,
} from '../contracts/report.js';
import { makeReport, ReportScopeError } from '../report/fleet-report.js';
import { makeInventory } from '../report/inventory.js';
import { findReport, listReports } from '../report/store.js';
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

/** The daily reports that are stored, newest first. */
export async function dailyReports(session: Session, limit = 400): Promise<readonly StoredReportHead[]> {
  const { db } = await session.database();
  try {
    return await listReports(db, limit);
  } catch (error) {
    throw explainStorage(error);
  }
}

/**
 * The stored report of a day, as it was computed then.
 * @throws TenureError `not-found`
 */
export async function dailyReport(session: Session, day: string): Promise<StoredReport> {
  const { db } = await session.database();
  const found = await findReport(db, day).catch((error: unknown) => {
    throw explainStorage(error);
  });
  if (found === null)
    throw new TenureError(
      'not-found',
      `No report of ${day} is stored; those that are: \`tenure report --daily\``,
    );
  return found;
}

/** Its HTML, from the artifact store. @throws TenureError `refused` when it is not there, or damaged */
export async function dailyPage(session: Session, { html }: StoredReportHead): Promise<string> {
  try {
    return (await session.artifacts().read(html)).toString('utf8');
  } catch (error) {
    throw explainStorage(error);
  }
}
