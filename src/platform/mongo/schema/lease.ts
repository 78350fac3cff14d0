import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { isDuplicateKey } from '../errors.js';
import { LEASE_ID, type MigrationLease, schemaOf } from './documents.js';
import { SchemaError } from './state.js';

export interface LeaseSettings {
  /** A holder that has not renewed it for so long has died, milliseconds. */
  readonly leaseMs: number;
  /** How long others wait for a holder that lives, milliseconds. */
  readonly patienceMs: number;
  /** Told, once, that another process is waited for. */
  readonly onWait: (holder: string) => void;
}

const LONGEST_PAUSE_MS = 500;

/**
 * Runs something that only one process at a time may do to this database. The lease of one that has died runs out.
 * One that was stopped and continued may find that another has begun meanwhile: so what is done must be harmless side by side.
 * @param act asks `held` before each step, which throws when the lease was lost
 * @throws SchemaError when another process has held it for longer than the patience
 */
export async function withLease(
  db: Db,
  settings: LeaseSettings,
  act: (held: () => void) => Promise<void>,
): Promise<void> {
  const holder = `${hostname()}, process ${process.pid}, ${randomUUID().slice(0, 8)}`;
  await acquire(db, holder, settings);
  let lost = false;
  const timer = setInterval(() => {
    void take(db, holder, settings.leaseMs).then(
      (mine) => (lost ||= !mine),
      () => undefined,
    );
  }, settings.leaseMs / 3);
  try {
    await act(() => {
      if (lost)
        throw new SchemaError('The lease on the database was lost to another process: start this again');
    });
  } finally {
    clearInterval(timer);
    // Where it cannot be given back, it runs out.
    await schemaOf(db)
      .deleteOne({ _id: LEASE_ID, kind: 'lease', holder })
      .catch(() => undefined);
  }
}

async function acquire(
  db: Db,
  holder: string,
  { leaseMs, patienceMs, onWait }: LeaseSettings,
): Promise<void> {
  const end = performance.now() + patienceMs;
  for (let attempt = 0; !(await take(db, holder, leaseMs)); attempt += 1) {
    const other = (await schemaOf(db).findOne({ _id: LEASE_ID })) as MigrationLease | null;
    if (performance.now() > end)
      throw new SchemaError(
        `The database has been migrated or restored by ${other?.holder ?? 'another process'} for longer than ${patienceMs / 1000} s: look what it does, and start again`,
      );
    if (attempt === 3 && other !== null) onWait(other.holder);
    await sleep(Math.min(LONGEST_PAUSE_MS, 10 * 2 ** attempt) * (0.5 + Math.random() / 2));
  }
}

/** Takes or renews the lease. @returns false while somebody else has it */
async function take(db: Db, holder: string, leaseMs: number): Promise<boolean> {
  const mine = { $literal: holder };
  // Of a lease that is not there, nothing is before now.
  const isFree = { $or: [{ $eq: ['$holder', mine] }, { $lt: ['$until', '$$NOW'] }] };
  const next = { _id: LEASE_ID, kind: 'lease', holder: mine, until: { $add: ['$$NOW', leaseMs] } };
  try {
    const after = await schemaOf(db).findOneAndUpdate(
      { _id: LEASE_ID },
      [{ $replaceWith: { $cond: [isFree, next, '$$ROOT'] } }],
      { upsert: true, returnDocument: 'after' },
    );
    return after?.kind === 'lease' && after.holder === holder;
  } catch (error) {
    // Two at once, and no document before: the other one has it.
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
