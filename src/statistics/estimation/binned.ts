/**
 * Estimates from score histograms: the form in which windows hold scores. A histogram does not know where in its bin a score lies,
 * so each figure comes with the range in which the rows' own estimate lies: the loss.
 *
 * Bins are given by rising cuts: bin i holds cuts[i - 1] <= score < cuts[i], the first bin begins at 0 and the last ends with 1.
 * The threshold of the predictions has to be a cut.
 */
import { item } from '../metrics/scored.js';
import { binOf } from './bins.js';
import { aucRange, type Range } from './auc-range.js';
import { calibrated, type Calibration } from './calibration.js';
import { checkCounts, checkRising, checkScores } from './checks.js';
import { fitIsotonic, isotonicAt } from './isotonic.js';
import { f1Of, groupedAuc, type BinaryMetric } from './performance.js';

/** How a bin's rows become positives. Plain JSON. */
export interface BinnedCalibration {
  readonly cuts: readonly number[];
  /** Scores from here on are predicted positive; one of the cuts, or 0 (all), or above 1 (none). */
  readonly threshold: number;
  /** Mean probability of a bin's rows in the reference. */
  readonly probabilities: readonly number[];
  /** Least and largest probability that a score in the bin can have. Neither falls from one bin to the next. */
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
}

/** A figure, and where the rows' own figure lies. Null where the metric is not defined. */
export interface BinnedFigure extends Range {
  readonly value: number;
}

export type BinnedPerformance = Readonly<Record<BinaryMetric, BinnedFigure | null>>;

/**
 * With a calibration that was fitted on rows: the range is certain.
 * @param scores the reference's
 */
export function binCalibration(
  calibration: Calibration,
  cuts: readonly number[],
  threshold: number,
  scores: ArrayLike<number>,
): BinnedCalibration {
  checkCuts(cuts, threshold);
  checkScores('scores', scores);
  const sums = new Float64Array(cuts.length + 1);
  const counts = new Float64Array(cuts.length + 1);
  for (let i = 0; i < scores.length; i += 1) {
    const bin = binOf(cuts, item(scores, i));
    sums[bin] = item(sums, bin) + calibrated(calibration, item(scores, i));
    counts[bin] = item(counts, bin) + 1;
  }
  const lowest = [0, ...cuts].map((edge) => calibrated(calibration, edge));
  const highest = [...cuts, 1].map((edge) => calibrated(calibration, edge));
  const probabilities = lowest.map((low, bin) => {
    const high = item(highest, bin);
    if (item(counts, bin) === 0) return (low + high) / 2;
    return Math.min(high, Math.max(low, item(sums, bin) / item(counts, bin)));
  });
  return { cuts, threshold, probabilities, lowest, highest };
}

/**
 * With nothing but labels a bin: the shares of positives, made to rise. The range takes for granted that the probability rises with
 * the score and that the shares are the true ones: a bin's rows lie between the bins beside it.
 * @throws RangeError for cuts that do not rise, counts that are none, one class only
 */
export function calibrateBins(
  cuts: readonly number[],
  threshold: number,
  labels: LabelCounts,
): BinnedCalibration {
  checkCuts(cuts, threshold);
  const counts = labelledRows(cuts, labels);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  for (const side of ['positives', 'negatives'] as const) {
    if (total(labels[side]) === 0)
      throw new RangeError(
        `${side} are 0 in all ${cuts.length + 1} bins, of ${total(counts)} labels: labels of both classes are needed`,
      );
  }
  const bins = counts.map((_, bin) => bin);
  const shares = counts.map((count, bin) => (count === 0 ? 0 : item(labels.positives, bin) / count));
  const fitted = fitIsotonic(bins, shares, counts);
  const probabilities = bins.map((bin) => isotonicAt(fitted, bin));
  return {
    cuts,
    threshold,
    probabilities,
    lowest: bins.map((bin) => probabilities[bin - 1] ?? 0),
    highest: bins.map((bin) => probabilities[bin + 1] ?? 1),
  };
}

/** Labels that came for the scores of each bin. */
export interface LabelCounts {
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

/**
 * Performance of rows without labels, by their number a bin.
 * @throws RangeError for counts that are none, for no rows
 */
export function estimateBinned(calibration: BinnedCalibration, counts: readonly number[]): BinnedPerformance {
  const { cuts, threshold, probabilities, lowest, highest } = calibration;
  checkBins('counts', counts, cuts);
  const rows = counts.reduce((sum, count) => sum + count, 0);
  if (rows === 0) throw new RangeError('counts are all 0: at least one row is needed');
  const from = firstPositive(cuts, threshold);
  const at = (below: readonly number[], above: readonly number[]): ExpectedCounts =>
    expected(counts, from, below, above);
  const [value, worst, best] = [at(probabilities, probabilities), at(highest, lowest), at(lowest, highest)];
  const auc = groupedAuc(
    counts,
    counts.map((count, bin) => count * item(probabilities, bin)),
  );
  return {
    auc: auc === null ? null : around(auc, aucRange(counts, lowest, highest)),
    accuracy: around(value.right / rows, { least: worst.right / rows, most: best.right / rows }),
    f1: figure(f1Of(value), f1Of(worst), f1Of(best)),
  };
}

/**
 * Performance on the rows whose labels have come. Accuracy and F1 are exact; AUC may be off by the pairs within a bin.
 * @throws RangeError for counts that are none, for no labels
 */
export function realisedBinned(
  cuts: readonly number[],
  threshold: number,
  labels: LabelCounts,
): BinnedPerformance {
  checkCuts(cuts, threshold);
  const counts = labelledRows(cuts, labels);
  const rows = counts.reduce((sum, count) => sum + count, 0);
  if (rows === 0) throw new RangeError('positives and negatives are all 0: at least one label is needed');
  const shares = counts.map((count, bin) => (count === 0 ? 0 : item(labels.positives, bin) / count));
  const { right, ...confusion } = expected(counts, firstPositive(cuts, threshold), shares, shares);
  const [auc, f1] = [groupedAuc(counts, labels.positives), f1Of(confusion)];
  const positives = labels.positives.reduce((sum, count) => sum + count, 0);
  const tied = labels.positives.reduce((sum, count, bin) => sum + count * item(labels.negatives, bin), 0);
  const off = tied / 2 / (positives * (rows - positives));
  return {
    auc: auc === null ? null : { value: auc, least: auc - off, most: auc + off },
    accuracy: { value: right / rows, least: right / rows, most: right / rows },
    f1: figure(f1, f1, f1),
  };
}

/** @throws RangeError unless cuts rise, within 0 (not included) and 1, and hold the threshold */
export function checkCuts(cuts: readonly number[], threshold: number): void {
  checkRising('cuts', cuts);
  const [first, last] = [cuts[0] ?? 1, cuts.at(-1) ?? 1];
  if (first <= 0 || last > 1)
    throw new RangeError(`cuts go from ${first} to ${last}: they must lie above 0 and not above 1`);
  if (!(threshold <= 0 || threshold > 1 || cuts.includes(threshold)))
    throw new RangeError(
      `threshold is ${threshold}: it must be one of the cuts, so that each bin has one prediction`,
    );
}

interface ExpectedCounts {
  hits: number;
  falsePositives: number;
  misses: number;
  /** Hits, and negatives that are predicted so. */
  right: number;
}

/** Expected rows by prediction and truth; bins from `from` on are predicted positive. */
function expected(
  counts: readonly number[],
  from: number,
  below: readonly number[],
  above: readonly number[],
): ExpectedCounts {
  const sums: ExpectedCounts = { hits: 0, falsePositives: 0, misses: 0, right: 0 };
  counts.forEach((count, bin) => {
    const positives = count * item(bin < from ? below : above, bin);
    if (bin < from) {
      sums.misses += positives;
      sums.right += count - positives;
    } else {
      sums.hits += positives;
      sums.falsePositives += count - positives;
      sums.right += positives;
    }
  });
  return sums;
}

function firstPositive(cuts: readonly number[], threshold: number): number {
  if (threshold > 1) return cuts.length + 1;
  return threshold <= 0 ? 0 : cuts.indexOf(threshold) + 1;
}

function figure(value: number | null, least: number | null, most: number | null): BinnedFigure | null {
  return value === null ? null : around(value, { least: least ?? 0, most: most ?? 1 });
}

/** The value is in its range, whatever the last digits are. */
function around(value: number, { least, most }: Range): BinnedFigure {
  return { value, least: Math.min(least, value), most: Math.max(most, value) };
}

function labelledRows(cuts: readonly number[], { positives, negatives }: LabelCounts): readonly number[] {
  checkBins('positives', positives, cuts);
  checkBins('negatives', negatives, cuts);
  return positives.map((count, bin) => count + item(negatives, bin));
}

function checkBins(field: string, counts: readonly number[], cuts: readonly number[]): void {
  if (counts.length !== cuts.length + 1)
    throw new RangeError(`${field} has ${counts.length} bins: ${cuts.length} cuts make ${cuts.length + 1}`);
  checkCounts(field, counts);
}
