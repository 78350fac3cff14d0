import type { TrafficChanged } from '../../contracts/activities.js';
import type { Json, LedgerEntry, StoredEvent } from '../../contracts/ledger.js';

/** What was seen of a change; recorded as evidence, and read from there by an attempt that comes after a crash. */
export type Outcome = Pick<TrafficChanged, 'generation' | 'confirmed' | 'unreachable' | 'seconds'> & {
  /** Of a rehearsal. */
  readonly rollbackSeconds?: number;
  /** Hash of the table that was set: one that was changed past Tenure has another. Absent in old records. */
  readonly table?: string;
};

/** The entry of an act that was seen done. */
export const withOutcome = (after: LedgerEntry, outcome: Outcome): LedgerEntry => ({
  ...after,
  evidence: { ...after.evidence, ...(outcome as unknown as { readonly [key: string]: Json }) },
});

/** The outcome that an event holds, or null when it holds none. */
export function outcomeOf({ evidence }: StoredEvent): Outcome | null {
  const { generation, confirmed, unreachable, seconds, rollbackSeconds, table } = evidence;
  if (typeof generation !== 'number' || typeof seconds !== 'number') return null;
  return {
    generation,
    confirmed: names(confirmed),
    unreachable: names(unreachable),
    seconds,
    ...(typeof rollbackSeconds === 'number' ? { rollbackSeconds } : {}),
    ...(typeof table === 'string' ? { table } : {}),
  };
}

const names = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter((name) => typeof name === 'string') : [];
