import { EMPTY_HEAD, type LedgerEvent, type LedgerHead } from '../contracts/ledger.js';
import { ChainCheck } from './check-chain.js';
import { examine } from './examine.js';
import type { BadEvent } from './findings.js';
import type { LedgerCollection } from './mongo-ledger.js';

export interface FollowOptions {
  /** The newest event that somebody outside the database knows of. */
  readonly kept: LedgerHead | null;
  /** Verified before up to this event, which is not read again but for itself: its hash stands for all before it. */
  readonly after?: LedgerHead;
  /** Each event after that, in order. What it was told of counts for nothing when something bad is found. */
  readonly onEvent: (event: LedgerEvent) => void;
}

export interface Followed {
  readonly bad: BadEvent | null;
  /** The newest event that was found in order. */
  readonly head: LedgerHead;
}

/**
 * Verifies a stream, or what was added to it since it was last verified. Reads only.
 * @returns null when what was verified before is not what is there now: verify it whole
 */
export async function followStream(
  events: LedgerCollection,
  stream: string,
  { kept, after = EMPTY_HEAD, onEvent }: FollowOptions,
): Promise<Followed | null> {
  if (!(await isWhereItWas(events, stream, kept, after))) return null;
  const cursor = events.find(
    { stream, sequence: { $gte: Math.max(1, after.sequence) } },
    { sort: { sequence: 1 }, batchSize: 200 },
  );
  let check: ChainCheck | null = after.sequence === 0 ? new ChainCheck(stream, kept) : null;
  for await (const document of cursor) {
    if (check === null) {
      const found = examine({ ...document });
      if (!found.sound || found.event.sequence !== after.sequence || found.hash !== after.hash) return null;
      check = ChainCheck.after(stream, kept, { ...found.event, ...after });
      continue;
    }
    check.next({ ...document });
    if (check.bad === null) onEvent(document);
  }
  if (check === null) return null;
  const bad = check.end();
  return { bad, head: check.head };
}

/** A head that is older than what was verified is compared with the event that stands at its place. */
async function isWhereItWas(
  events: LedgerCollection,
  stream: string,
  kept: LedgerHead | null,
  after: LedgerHead,
): Promise<boolean> {
  if (kept === null || kept.sequence === 0 || kept.sequence > after.sequence) return true;
  const found = await events.findOne({ stream, sequence: kept.sequence }, { projection: { hash: 1 } });
  return found?.hash === kept.hash;
}
