/** Where bins are cut. */
import { calibrated, type Calibration } from '../estimation/calibration.js';
import { item } from '../metrics/scored.js';
import { Ranking } from '../ranking.js';

/** Bins that a feature or a score has, where its values allow it. */
export const BINS = 50;

/**
 * Cuts into at most `bins` bins of about equal numbers of rows. With no more distinct values than bins each value has its own bin;
 * a value that fills a bin by itself has that bin to itself.
 * @param values finite
 */
export function quantileCuts(values: Ranking, bins: number): readonly number[] {
  const few = distinctUpTo(values, bins);
  if (few !== null) return few.slice(1);
  const rows = values.length;
  const cuts = new Set<number>();
  let before = values.at(0);
  for (let k = 1; k < bins; k += 1) {
    const value = values.at(Math.floor((k * rows) / bins));
    if (value === before) {
      // It fills a bin: what comes after it begins another.
      const next = values.upTo(value);
      if (next < rows) cuts.add(values.at(next));
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
  sorted: Float64Array,
  calibration: Calibration,
  threshold: number,
): readonly number[] {
  const cuts = new Set(quantileCuts(new Ranking(sorted), BINS - BY_PROBABILITY));
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

/** The distinct values, rising, or null when there are more than `most`. */
function distinctUpTo(values: Ranking, most: number): readonly number[] | null {
  const distinct: number[] = [];
  for (let place = 0; place < values.length; place = values.upTo(values.at(place))) {
    if (distinct.length === most) return null;
    distinct.push(values.at(place));
  }
  return distinct;
}
