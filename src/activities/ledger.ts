import type { LedgerActivities } from '../contracts/activities.js';
import { FailureType } from '../contracts/failures.js';
import type { LedgerHead } from '../contracts/ledger.js';
import type { LedgerReader, LedgerWriter } from '../ledger/index.js';
import { refusal, withFailures } from './failures.js';

export function createLedgerActivities(deps: {
  readonly ledger: LedgerWriter & LedgerReader;
}): LedgerActivities {
  const { ledger } = deps;
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
        return newest(await ledger.append(entries));
      }),
  };
}

/** The place furthest on: a repeat may stand before what was new. */
export function newest(places: readonly LedgerHead[]): LedgerHead {
  const last = places.reduce((a, b) => (b.sequence > a.sequence ? b : a));
  return { sequence: last.sequence, hash: last.hash };
}
