/**
 * Features of persons. A profile is read by many and kept for long, so it must single nobody out: the ends of a range and the edges of
 * small bins are one row's values, and a rare category is one person's. A hash of a category would hide nothing, salted or not: the
 * salt has to lie where windows are counted, and there are few categories to try.
 */
import { item } from '../metrics/scored.js';
import type { CategoricalProfile, NumericProfile } from './types.js';

/** Rows that a bin of a personal feature has at least, where there are so many. */
export const LEAST_BIN_ROWS = 20;

/** Ends of a personal feature's range; null: none is known, so nothing is ever out of range. */
export interface KnownRange {
  readonly least: number | null;
  readonly most: number | null;
}

/**
 * Bins of a number of rows each, no moments, and for the range what is known without the rows.
 * @param known from outside of the data, as the manifest says
 */
export function personalNumeric(profile: NumericProfile, known: KnownRange): NumericProfile {
  const { cuts, counts } = joinSmall(profile);
  const ends = {
    least: known.least ?? -Number.MAX_VALUE,
    most: known.most ?? Number.MAX_VALUE,
  };
  const within = cuts.every((cut) => ends.least < cut && cut <= ends.most);
  const range = within ? ends : { least: -Number.MAX_VALUE, most: Number.MAX_VALUE };
  return {
    ...profile,
    cuts,
    counts,
    range: profile.range === null ? null : range,
    moments: null,
    personal: true,
  };
}

/** How many rows have a value, and how many values there are; no value by name. */
export function personalCategories(profile: CategoricalProfile): CategoricalProfile {
  const listed = profile.counts.reduce((sum, rows) => sum + rows, 0);
  const { rows, values } = profile.other;
  return {
    ...profile,
    values: [],
    counts: [],
    other: { rows: rows + listed, values: values + profile.values.length },
    personal: true,
  };
}

function joinSmall({ cuts, counts }: NumericProfile): Pick<NumericProfile, 'cuts' | 'counts'> {
  const kept: number[] = [];
  const sums: number[] = [0];
  counts.forEach((rows, bin) => {
    const last = sums.length - 1;
    if (bin > 0 && item(sums, last) >= LEAST_BIN_ROWS) {
      kept.push(item(cuts, bin - 1));
      sums.push(rows);
    } else sums[last] = item(sums, last) + rows;
  });
  // The last bin has nothing after it to grow by.
  if (kept.length > 0 && item(sums, sums.length - 1) < LEAST_BIN_ROWS) {
    const [rows = 0] = sums.splice(-1);
    kept.pop();
    sums[sums.length - 1] = item(sums, sums.length - 1) + rows;
  }
  return { cuts: kept, counts: sums };
}
