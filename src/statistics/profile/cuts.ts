/** Where bins are cut. */
import { calibrated, type Calibration } from '../estimation/calibration.js';
import { binOf } from '../estimation/bins.js';
import { item } from '../metrics/scored.js';

/** Bins that a feature or a score has, where its values allow it. */
export const BINS = 50;

/**
 * Cuts into at most `bins` bins of about equal numbers of rows. With no more distinct values than bins each value has its own bin;
 * a value that fills a bin by itself has that bin to itself.
 * @param sorted finite values, ascending
 */
export function quantileCuts(sorted: ArrayLike<number>, bins: number): readonly number[] {
  const few = distinctUpTo(sorted, bins);
  if (few !== null) return few.slice(1);
  const rows = sorted.length;
  const cuts = new Set<number>();
  let before = item(sorted, 0);
  for (let k = 1; k < bins; k += 1) {
    const value = item(sorted, Math.floor((k * rows) / bins));
    if (value === before) {
      // It fills a bin: what comes after it begins another.
      const next = sorted[binOf(sorted, value)];
      if (next !== undefined) cuts.add(next);
    } else {
      cuts.add(value);
    }
    before = value;
  }
  return [...cuts].sort((a, b) => a - b);
}

/** Part of a score's bins that is cut by probability. */
const BY_PROBABILITY = 20;

/**
 * Cuts for scores: at the threshold, at quantiles, and where the calibrated probability has risen by a step. The last keep the loss of
 * an estimate from bins small where the reference has few rows and a drifted window may have many.
 * @param sorted scores, ascending
 */
export function scoreCuts(
  sorted: ArrayLike<number>,
  calibration: Calibration,
  threshold: number,
): readonly number[] {
  const cuts = new Set(quantileCuts(sorted, BINS - BY_PROBABILITY));
  let step = 1;
  for (let i = 0; i < sorted.length; i += 1) {
    const reached = Math.floor(calibrated(calibration, item(sorted, i)) * BY_PROBABILITY);
    if (reached < step) continue;
    cuts.add(item(sorted, i));
    step = reached + 1;
  }
  cuts.add(threshold);
  return [...cuts].filter((cut) => cut > 0 && cut <= 1).sort((a, b) => a - b);
}

/** The distinct values, or null when there are more than `most`. */
function distinctUpTo(sorted: ArrayLike<number>, most: number): readonly number[] | null {
  const values: number[] = [];
  for (let i = 0; i < sorted.length; i += 1) {
    if (i > 0 && item(sorted, i) === item(sorted, i - 1)) continue;
    if (values.length === most) return null;
    values.push(item(sorted, i));
  }
  return values;
}
