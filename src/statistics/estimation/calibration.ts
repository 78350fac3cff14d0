/** Scores into probabilities, by isotonic regression on labelled reference rows, where that makes them truer. */
import { checkBothClasses, checkLength, checkScores } from './checks.js';
import { fitAscending, fitIsotonic, isotonicAt, type Isotonic, type Points } from './isotonic.js';
import { groupedAuc } from './performance.js';
import { ranked, tally, type Ranked } from './ranked.js';
import { LEAST_ROWS, LEAST_ROWS_OF_CLASS, stratifiedSplits } from './splits.js';

/** How a score becomes a probability. Plain JSON. */
export type Calibration = { readonly kind: 'none' } | ({ readonly kind: 'isotonic' } & Isotonic);

/** The probability for a score. Non-decreasing and continuous in the score. */
export function calibrated(calibration: Calibration, score: number): number {
  return calibration.kind === 'none' ? score : isotonicAt(calibration, score);
}

/**
 * A calibration, with NannyML's decision whether there is to be one.
 * @param scores P(positive class) a row; `labels` 0 or 1 a row
 * @throws RangeError for bad input, see {@link needsCalibration}
 */
export function fitCalibration(scores: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  return needsCalibration(scores, labels)
    ? { kind: 'isotonic', ...fitIsotonic(scores, labels) }
    : { kind: 'none' };
}

const SPLITS = 10;
const BINS = 10;
/** From this AUC on the classes hardly overlap, and there is nothing to learn about probabilities between. */
const SEPARATED_AUC = 0.999;

/**
 * Whether isotonic regression makes the calibration error smaller on rows that it was not fitted on: ten splits, the error over
 * all their test rows in ten bins of equal numbers. As NannyML 0.13.1 decides, with its splits; but rows of equal score that fall
 * into two bins are shared out evenly, where NannyML takes them in the order of an unstable sort.
 * @throws RangeError for scores outside of 0..1, labels other than 0 and 1, one class only, fewer than 11 rows or 2 of a class
 */
export function needsCalibration(scores: ArrayLike<number>, labels: ArrayLike<number>): boolean {
  checkLength('labels', labels, scores.length, 'scores');
  checkScores('scores', scores);
  const positives = checkBothClasses('labels', labels);
  const rarest = Math.min(positives, labels.length - positives);
  if (labels.length < LEAST_ROWS || rarest < LEAST_ROWS_OF_CLASS)
    throw new RangeError(
      `labels has ${labels.length} rows, ${rarest} of the rarer class: calibration needs at least ${LEAST_ROWS}, ` +
        `and ${LEAST_ROWS_OF_CLASS} of each class`,
    );
  const order = ranked(scores);
  const counts = tally(order);
  if ((groupedAuc(counts, tally(order, labels)) ?? 0) > SEPARATED_AUC) return false;
  const before = pointsOf(order, labels, new Uint32Array(0));
  const after: { x: number[]; weights: number[]; sums: number[] } = { x: [], weights: [], sums: [] };
  for (const { train, test } of stratifiedSplits(labels, SPLITS)) {
    const fitted = fitAscending(pointsOf(order, labels, train));
    const tested = pointsOf(order, labels, test);
    add(before, tested);
    const levels = atLevels(fitted, tested);
    for (const field of ['x', 'weights', 'sums'] as const)
      for (const value of levels[field]) after[field].push(value);
  }
  return equalCountError(before) > equalCountError(merged(after));
}

// These loops run over a million rows ten times: they read arrays in place.

/** Points of the scores, with their numbers of rows and of positives. */
interface Tallied extends Points {
  readonly x: Float64Array;
  readonly weights: Float64Array;
  readonly sums: Float64Array;
}

/** Some of the rows. */
function pointsOf({ values, rankOf }: Ranked, labels: ArrayLike<number>, rows: Uint32Array): Tallied {
  const weights = new Float64Array(values.length);
  const sums = new Float64Array(values.length);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as number;
    const rank = rankOf[row] as number;
    weights[rank] = (weights[rank] as number) + 1;
    sums[rank] = (sums[rank] as number) + (labels[row] as number);
  }
  return { x: values, weights, sums };
}

function add(to: Tallied, { weights, sums }: Tallied): void {
  for (let i = 0; i < weights.length; i += 1) {
    to.weights[i] = (to.weights[i] as number) + (weights[i] as number);
    to.sums[i] = (to.sums[i] as number) + (sums[i] as number);
  }
}

/** The rows by their calibrated probability. Scores rise and so does the fit: rows of one probability follow each other. */
function atLevels(fitted: Isotonic, { x, weights, sums }: Tallied) {
  const levels: { x: number[]; weights: number[]; sums: number[] } = { x: [], weights: [], sums: [] };
  let last = -1;
  for (let i = 0; i < x.length; i += 1) {
    if (weights[i] === 0) continue;
    const probability = isotonicAt(fitted, x[i] as number);
    if (probability !== levels.x[last]) {
      last = levels.x.push(probability) - 1;
      levels.weights.push(0);
      levels.sums.push(0);
    }
    levels.weights[last] = (levels.weights[last] as number) + (weights[i] as number);
    levels.sums[last] = (levels.sums[last] as number) + (sums[i] as number);
  }
  return levels;
}

/** In order, those of one probability as one. */
function merged({ x, weights, sums }: Points): Points {
  const order = ranked(x);
  return { x: order.values, weights: tally(order, weights), sums: tally(order, sums) };
}

/** Expected calibration error over bins of equal numbers of rows; their number is a multiple of that of the bins. */
function equalCountError({ x, weights, sums }: Points): number {
  let rows = 0;
  for (let i = 0; i < x.length; i += 1) rows += weights[i] as number;
  const width = rows / BINS;
  const gaps = new Float64Array(BINS);
  let start = 0;
  for (let i = 0; i < x.length; i += 1) {
    const own = weights[i] as number;
    if (own === 0) continue;
    const end = start + own;
    const gap = (x[i] as number) - (sums[i] as number) / own;
    for (let bin = Math.floor(start / width); bin < BINS && bin * width < end; bin += 1) {
      const inside = Math.min(end, (bin + 1) * width) - Math.max(start, bin * width);
      gaps[bin] = (gaps[bin] as number) + inside * gap;
    }
    start = end;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / rows;
}
