/** Scores into probabilities, by isotonic regression on labelled reference rows, where that makes them truer. */
import { placements } from '../metrics/delong.js';
import { item } from '../metrics/scored.js';
import { checkBothClasses, checkLength, checkScores } from './checks.js';
import { fitIsotonic, isotonicAt, type Isotonic } from './isotonic.js';
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
  if (placements(labels, scores).auc > SEPARATED_AUC) return false;
  const before: number[] = [];
  const after: number[] = [];
  const outcomes: number[] = [];
  for (const { train, test } of stratifiedSplits(labels, SPLITS)) {
    const fitted = fitIsotonic(
      Float64Array.from(train, (row) => item(scores, row)),
      Float64Array.from(train, (row) => item(labels, row)),
    );
    for (const row of test) {
      before.push(item(scores, row));
      after.push(isotonicAt(fitted, item(scores, row)));
      outcomes.push(item(labels, row));
    }
  }
  return equalCountError(before, outcomes) > equalCountError(after, outcomes);
}

/** Expected calibration error over bins of equal numbers of rows; their number is a multiple of that of the bins. */
function equalCountError(probabilities: readonly number[], outcomes: readonly number[]): number {
  const rows = probabilities.length;
  const order = Uint32Array.from({ length: rows }, (_, i) => i).sort(
    (a, b) => item(probabilities, a) - item(probabilities, b),
  );
  const width = rows / BINS;
  const gaps = new Float64Array(BINS);
  for (let start = 0; start < rows;) {
    const probability = item(probabilities, item(order, start));
    let end = start;
    let positives = 0;
    for (; end < rows && item(probabilities, item(order, end)) === probability; end += 1)
      positives += item(outcomes, item(order, end));
    const gap = probability - positives / (end - start);
    for (let bin = Math.floor(start / width); bin < BINS && bin * width < end; bin += 1) {
      const inside = Math.min(end, (bin + 1) * width) - Math.max(start, bin * width);
      gaps[bin] = item(gaps, bin) + inside * gap;
    }
    start = end;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / rows;
}
