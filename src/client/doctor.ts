import { randomUUID } from 'node:crypto';
import { type Difference, differenceKey, type DoctorReport, type RepairStep } from '../contracts/doctor.js';
import { requireOnRecord } from './on-record.js';
import type { Session } from './session.js';

export interface Examined {
  readonly report: DoctorReport;
  /** Differences that `repair` can mend. */
  readonly mendable: readonly Difference[];
}

export interface Repaired extends Examined {
  readonly repairs: readonly RepairStep[];
}

export interface DoctorOptions {
  /** One model; all when absent. */
  readonly model?: string;
  /** Every event and every artifact again; otherwise what has not changed since it was verified is left out. Default true. */
  readonly whole?: boolean;
}

/**
 * Compares workflows, routes, gateways, artifacts, registry and ledger. A worker does it, and may take minutes for a large fleet.
 * @throws TenureError `unreachable` when no worker takes it up, `not-found` when nothing differs of a model that is not on record
 */
export async function examine(session: Session, options: DoctorOptions = {}): Promise<Examined> {
  const { model, whole = true } = options;
  const tenure = await session.tenure();
  const { report } = await tenure.doctorRound(randomUUID(), {
    whole,
    ...(model === undefined ? {} : { model }),
  });
  if (model !== undefined && report.differences.length === 0) await requireOnRecord(session, model);
  return { report, mendable: mendableOf(report) };
}

/**
 * Mends differences that an examination has found, towards the last verified outcome on record, and looks again. May be
 * repeated with the same `requestId`: it then acts once.
 */
export async function repair(
  session: Session,
  differences: readonly Difference[],
  options: DoctorOptions & { readonly requestId?: string } = {},
): Promise<Repaired> {
  const { model, requestId = randomUUID() } = options;
  const tenure = await session.tenure();
  const { report, repairs } = await tenure.doctorRound(`repair-${requestId}`, {
    whole: false,
    ...(model === undefined ? {} : { model }),
    repair: { keys: differences.map(differenceKey), actor: session.actor, requestId },
  });
  return { report, repairs, mendable: mendableOf(report) };
}

/** What the last round of the Schedule found; null before the first. */
export async function lastRound(session: Session): Promise<Examined | null> {
  const result = await (await session.tenure()).lastDoctorRound();
  return result === null ? null : { report: result.report, mendable: mendableOf(result.report) };
}

/** A model whose record is broken is not mended: its record is what it would be mended by. */
function mendableOf({ differences }: DoctorReport): readonly Difference[] {
  const broken = new Set(
    differences.filter(({ code }) => code === 'ledger-broken').map(({ model }) => model),
  );
  return differences.filter(({ model, remedy }) => remedy !== null && !broken.has(model));
}
