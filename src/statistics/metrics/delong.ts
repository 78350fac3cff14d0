/**
 * AUC and the difference of two AUCs on the same rows: E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44
 * (1988) 837-845, in the O(n log n) form of X. Sun and W. Xu, IEEE Signal Processing Letters 21 (2014) 1389-1393: all
 * placement values come from one sort of each model's scores.
 */
import { item } from './scored.js';

/** Placement values: for a positive row the share of negatives below it, for a negative row the share of positives above it; ties count half. */
export interface Placements {
  readonly auc: number;
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** Placement values in the order of the rows. AUC is NaN when a class is absent. */
export function placements(labels: ArrayLike<number>, scores: ArrayLike<number>): Placements {
  const rows = labels.length;
  const order = new Uint32Array(rows);
  const slot = new Uint32Array(rows);
  let positiveCount = 0;
  for (let i = 0; i < rows; i += 1) {
    order[i] = i;
    const positive = item(labels, i) === 1;
    slot[i] = positive ? positiveCount : i - positiveCount;
    if (positive) positiveCount += 1;
  }
  order.sort((a, b) => item(scores, a) - item(scores, b));
  const negativeCount = rows - positiveCount;
  const positives = new Float64Array(positiveCount);
  const negatives = new Float64Array(negativeCount);
  let positivesBelow = 0;
  let negativesBelow = 0;
  let sum = 0;
  for (let start = 0; start < rows;) {
    const score = item(scores, item(order, start));
    let end = start;
    let tiedPositives = 0;
    for (; end < rows && item(scores, item(order, end)) === score; end += 1) {
      if (item(labels, item(order, end)) === 1) tiedPositives += 1;
    }
    const tiedNegatives = end - start - tiedPositives;
    const below = (negativesBelow + tiedNegatives / 2) / negativeCount;
    const above = (positiveCount - positivesBelow - tiedPositives / 2) / positiveCount;
    for (let place = start; place < end; place += 1) {
      const row = item(order, place);
      if (item(labels, row) === 1) positives[item(slot, row)] = below;
      else negatives[item(slot, row)] = above;
    }
    sum += tiedPositives * (negativesBelow + tiedNegatives / 2);
    positivesBelow += tiedPositives;
    negativesBelow += tiedNegatives;
    start = end;
  }
  return { auc: sum / (positiveCount * negativeCount), positives, negatives };
}

export interface DeLong {
  readonly first: number;
  readonly second: number;
  /** Variances of both AUCs and their covariance. */
  readonly firstVariance: number;
  readonly secondVariance: number;
  readonly covariance: number;
  /** Variance of first - second. */
  readonly differenceVariance: number;
  /** Skewness of first - second: of the sum of the two means that it is, to first order. */
  readonly differenceSkewness: number;
  /** Rows of the rarer class. */
  readonly leastRows: number;
}

/** Two models on the same rows; needs at least two rows of each class, else the variances are NaN. */
export function deLong(
  labels: ArrayLike<number>,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
): DeLong {
  const a = placements(labels, first);
  const b = placements(labels, second);
  const covarianceOf = (x: Placements, y: Placements): number =>
    covariance(x.positives, x.auc, y.positives, y.auc) / x.positives.length +
    covariance(x.negatives, x.auc, y.negatives, y.auc) / x.negatives.length;
  const difference = (x: Float64Array, y: Float64Array): Float64Array =>
    x.map((value, i) => value - item(y, i));
  // Of the differences themselves: subtracting nearly equal variances would lose digits.
  const gap: Placements = {
    auc: a.auc - b.auc,
    positives: difference(a.positives, b.positives),
    negatives: difference(a.negatives, b.negatives),
  };
  const differenceVariance = covarianceOf(gap, gap);
  const third = thirdMoment(gap.positives, gap.auc) + thirdMoment(gap.negatives, gap.auc);
  return {
    first: a.auc,
    second: b.auc,
    firstVariance: covarianceOf(a, a),
    secondVariance: covarianceOf(b, b),
    covariance: covarianceOf(a, b),
    differenceVariance,
    differenceSkewness: differenceVariance > 0 ? third / differenceVariance ** 1.5 : 0,
    leastRows: Math.min(a.positives.length, a.negatives.length),
  };
}

function covariance(x: Float64Array, meanX: number, y: Float64Array, meanY: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) sum += (item(x, i) - meanX) * (item(y, i) - meanY);
  return x.length > 1 ? sum / (x.length - 1) : Number.NaN;
}

/** Third central moment of the mean of independent values. */
function thirdMoment(values: Float64Array, centre: number): number {
  let sum = 0;
  for (const value of values) sum += (value - centre) ** 3;
  return sum / values.length ** 3;
}
