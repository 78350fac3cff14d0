import { isDeepStrictEqual } from 'node:util';
import type { Collections } from '../mongo/connect.js';

/** What no change of a table leaves as it is: a fleet's tables are many and rarely change, so most readings can end here. */
export interface TablesSummary {
  readonly count: number;
  /** Each change raises a table's generation. */
  readonly generations: number;
  readonly newest: Date;
  /** Of the times of all changes, so small that their sum is exact. */
  readonly times: number;
}

/** @returns null without any table */
export async function summarizeTables(routes: Collections['routes']): Promise<TablesSummary | null> {
  const [found = null] = await routes
    .aggregate<TablesSummary>(
      [
        {
          $group: {
            _id: null,
            count: { $sum: 1 },
            generations: { $sum: '$generation' },
            newest: { $max: '$changedAt' },
            times: { $sum: { $mod: [{ $toLong: '$changedAt' }, 1_000_000_007] } },
          },
        },
      ],
      { timeoutMS: 20_000 },
    )
    .toArray();
  return found;
}

export const isUnchanged = (before: TablesSummary | null, now: TablesSummary | null): boolean =>
  before !== null && isDeepStrictEqual(before, now);
