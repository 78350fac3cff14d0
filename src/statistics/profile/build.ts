/** Reference profiles from columns of values. */
import { binCalibration } from '../estimation/binned.js';
import { binOf, increase } from '../estimation/bins.js';
import { fitBinary } from '../estimation/cbpe.js';
import { item, predictedAt } from '../metrics/scored.js';
import { Ranking } from '../ranking.js';
import { sortNumbers } from '../sort-numbers.js';
import { BINS, quantileCuts, scoreCuts } from './cuts.js';
import { finiteNumbers } from './finite-numbers.js';
import { momentsOf } from './moments.js';
import type { CategoricalProfile, CategoryType, NumericProfile, ScoreProfile } from './types.js';
import { categoryOf, MISSING, WRONG_TYPE } from './values.js';

/** Values of a categorical feature that are listed. */
const MOST_CATEGORIES = 200;

/**
 * @throws RangeError for an infinite value, by row: a reference is for the caller to mend
 */
export function numericProfile(name: string, values: ArrayLike<unknown>, bins = BINS): NumericProfile {
  const { numbers, missing, wrongType } = finiteNumbers(name, values);
  const ranking = new Ranking(numbers);
  const found = numbers.length;
  const range = found === 0 ? null : { least: ranking.at(0), most: ranking.at(found - 1) };
  const cuts = quantileCuts(ranking, bins);
  const starts = [0, ...cuts.map((cut) => ranking.below(cut)), found];
  const counts = Array.from(
    { length: cuts.length + 1 },
    (_, bin) => item(starts, bin + 1) - item(starts, bin),
  );
  return {
    kind: 'numeric',
    name,
    missing,
    wrongType,
    cuts,
    counts,
    range,
    moments: momentsOf(numbers, range),
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
