/** Reference profiles from columns of values. */
import { binCalibration } from '../estimation/binned.js';
import { binOf, increase } from '../estimation/bins.js';
import { fitBinary } from '../estimation/cbpe.js';
import { item, predictedAt } from '../metrics/scored.js';
import { sortNumbers } from '../sort-numbers.js';
import { BINS, quantileCuts, scoreCuts } from './cuts.js';
import type { CategoricalProfile, CategoryType, Moments, NumericProfile, ScoreProfile } from './types.js';
import { categoryOf, MISSING, numberOf, WRONG_TYPE } from './values.js';

/** Values of a categorical feature that are listed. */
const MOST_CATEGORIES = 200;

/**
 * @throws RangeError for an infinite value, by row: a reference is for the caller to mend
 */
export function numericProfile(name: string, values: ArrayLike<unknown>, bins = BINS): NumericProfile {
  // Files have a million rows: no boxed numbers, and one pass.
  const numbers = new Float64Array(values.length);
  let found = 0;
  let missing = 0;
  let wrongType = 0;
  for (let row = 0; row < values.length; row += 1) {
    const value = numberOf(values[row]);
    if (value === MISSING) missing += 1;
    else if (value === WRONG_TYPE) wrongType += 1;
    else if (Number.isFinite(value)) {
      // No -0: it would sort before 0.
      numbers[found] = value + 0;
      found += 1;
    } else
      throw new RangeError(
        `Feature ${name} has ${value} in row ${row + 1}: a reference's values must be finite`,
      );
  }
  const sorted = sortNumbers(numbers.subarray(0, found));
  const cuts = quantileCuts(sorted, bins);
  const starts = [0, ...cuts.map((cut) => firstFrom(sorted, cut)), found];
  const counts = Array.from(
    { length: cuts.length + 1 },
    (_, bin) => item(starts, bin + 1) - item(starts, bin),
  );
  const [least, most] = [sorted[0], sorted.at(-1)];
  return {
    kind: 'numeric',
    name,
    missing,
    wrongType,
    cuts,
    counts,
    range: least === undefined || most === undefined ? null : { least, most },
    moments: momentsOf(sorted),
  };
}

export function categoricalProfile(
  name: string,
  values: ArrayLike<unknown>,
  of: CategoryType,
  most = MOST_CATEGORIES,
): CategoricalProfile {
  const rows = new Map<string, number>();
  let missing = 0;
  let wrongType = 0;
  for (let row = 0; row < values.length; row += 1) {
    const text = categoryOf(values[row], of);
    if (text === MISSING) missing += 1;
    else if (text === WRONG_TYPE) wrongType += 1;
    else rows.set(text, (rows.get(text) ?? 0) + 1);
  }
  const ranked = [...rows].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const listed = ranked.slice(0, most);
  return {
    kind: 'categorical',
    name,
    of,
    missing,
    wrongType,
    values: listed.map(([text]) => text),
    counts: listed.map(([, number]) => number),
    other: {
      rows: ranked.slice(most).reduce((sum, [, number]) => sum + number, 0),
      values: ranked.length - listed.length,
    },
  };
}

/**
 * The scores of a binary model, with their labels.
 * @param scores a row, in order of time; rows that the model was not trained on
 * @param threshold scores from here on are predicted positive
 * @param chunkRows rows that will be judged together
 * @throws RangeError as {@link fitBinary} does
 */
export function scoreProfile(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
  chunkRows: number,
): ScoreProfile {
  const estimator = fitBinary({ scores, labels, predicted: predictedAt(scores, threshold) }, chunkRows);
  const cuts = scoreCuts(sortNumbers(Float64Array.from(scores)), estimator.calibration, threshold);
  const bins = (): number[] => Array<number>(cuts.length + 1).fill(0);
  const [counts, positives, negatives] = [bins(), bins(), bins()];
  for (let row = 0; row < scores.length; row += 1) {
    const bin = binOf(cuts, item(scores, row));
    increase(counts, bin);
    increase(item(labels, row) === 1 ? positives : negatives, bin);
  }
  const calibration = binCalibration(estimator.calibration, cuts, threshold, scores);
  return { counts, positives, negatives, calibration, estimator };
}

/** Place of the first value that is not below the cut. */
function firstFrom(sorted: Float64Array, cut: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (item(sorted, middle) < cut) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Null without values, and where their squares are beyond a double's range. */
function momentsOf(values: Float64Array): Moments | null {
  const rows = values.length;
  const origin = values[0];
  if (origin === undefined) return null;
  // About a value of theirs: a large offset would cost digits of the sum.
  let shift = 0;
  for (let i = 0; i < rows; i += 1) shift += (item(values, i) - origin) / rows;
  const mean = origin + shift;
  let variance = 0;
  for (let i = 0; i < rows; i += 1) variance += (item(values, i) - mean) ** 2 / rows;
  const deviation = Math.sqrt(variance);
  if (!Number.isFinite(deviation)) return null;
  if (origin === values[rows - 1]) return { mean: origin, deviation: 0, skewness: null, kurtosis: null };
  return {
    mean,
    deviation,
    ...(deviation > 0 ? shapeOf(values, mean, deviation) : { skewness: null, kurtosis: null }),
  };
}

/** Means of ((value - mean) / deviation) to the third and the fourth power. */
function shapeOf(
  values: Float64Array,
  mean: number,
  deviation: number,
): { readonly skewness: number; readonly kurtosis: number } {
  let [third, fourth] = [0, 0];
  for (let i = 0; i < values.length; i += 1) {
    const gap = (item(values, i) - mean) / deviation;
    const square = gap * gap;
    third += square * gap;
    fourth += square * square;
  }
  return { skewness: third / values.length, kurtosis: fourth / values.length - 3 };
}
