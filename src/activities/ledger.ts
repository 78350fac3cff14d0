import type { LedgerActivities } from '../contracts/activities.js';
import { FailureType } from '../contracts/failures.js';
import { endIds } from '../contracts/ids.js';
import type { LedgerEntry, LedgerHead } from '../contracts/ledger.js';
import { LedgerConflictError, type LedgerReader, type LedgerWriter } from '../ledger/index.js';
import { endOf, overFailure } from './ended.js';
import { refusal, withFailures } from './failures.js';
import { NO_MEASURES, type Measures } from './measures.js';

export function createLedgerActivities(deps: {
  readonly ledger: LedgerWriter & LedgerReader;
  readonly measures?: Measures;
}): LedgerActivities {
  const { ledger, measures = NO_MEASURES } = deps;
  return {
    recordEvents: ({ entries }) =>
      withFailures(async () => {
        const [first] = entries;
        if (first === undefined) throw refusal(FailureType.InvalidInput, 'recordEvents: entries are empty');
        const other = entries.find((entry) => entry.stream !== first.stream);
        if (other !== undefined) {
          const streams = `${first.stream} and ${other.stream}`;
          throw refusal(
            FailureType.InvalidInput,
            `recordEvents: entries are of two streams, ${streams}: one is allowed`,
          );
        }
        await refuseEnded(ledger, entries);
        try {
          return newest(await ledger.append(entries));
        } catch (error) {
          if (!(error instanceof LedgerConflictError)) measures.unwritten();
          throw error;
        }
      }),
  };
}

/** A release that is over by its record asks nobody any more, and does not end in another way. */
async function refuseEnded(ledger: LedgerReader, entries: readonly LedgerEntry[]): Promise<void> {
  for (const { stream, id, action, subject } of entries) {
    const { release } = subject;
    if (typeof release !== 'number') continue;
    const ends = endIds(stream, release);
    if (action !== 'release.approval-requested' && !ends.includes(id)) continue;
    const events = await ledger.findAny(stream, ends);
    const [end] = events.flatMap((event) =>
      event.id === id && event.action === action ? [] : (endOf(event) ?? []),
    );
    if (end !== undefined) throw overFailure(stream, release, end);
  }
}

/** The place furthest on: a repeat may stand before what was new. */
export function newest(places: readonly LedgerHead[]): LedgerHead {
  const last = places.reduce((a, b) => (b.sequence > a.sequence ? b : a));
  return { sequence: last.sequence, hash: last.hash };
}
