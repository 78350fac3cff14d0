/**
 * How far a metric on a chunk may lie from the truth because the chunk is a sample: a deviation that is read off the labelled
 * reference once, over the root of the chunk's rows that bear on the metric. After NannyML 0.13.1's standard errors, for equal
 * figures; but rows of one score count half for AUC, where NannyML takes them in the order of an unstable sort.
 */
import { item } from '../metrics/scored.js';
import type { BinaryMetric, LabelledBinaryRows } from './performance.js';
import { ranked, tally } from './ranked.js';

/** Of one row that bears on the metric, and the share of such rows. Plain JSON. */
export interface ErrorOfOne {
  readonly deviation: number;
  readonly share: number;
}

/** Standard error on a chunk; null where the reference gave none. */
export function standardError(of: ErrorOfOne | null, rows: number): number | null {
  return of === null ? null : of.deviation / Math.sqrt(rows * of.share);
}

/** Labels of both classes. */
export function binaryErrors(rows: LabelledBinaryRows): Readonly<Record<BinaryMetric, ErrorOfOne | null>> {
  return {
    auc: aucError(rows),
    accuracy: accuracyError(rows.predicted, rows.labels),
    f1: f1Error(rows.predicted, rows.labels),
  };
}

/** Spread of the share of the other class that lies below a row of the rarer class. */
function aucError({ scores, labels }: LabelledBinaryRows): ErrorOfOne {
  const order = ranked(scores);
  const counts = tally(order);
  const positives = tally(order, labels);
  const all = positives.reduce((sum, count) => sum + count, 0);
  const rarer = all > labels.length / 2 ? counts.map((count, i) => count - item(positives, i)) : positives;
  const rows = Math.min(all, labels.length - all);
  const others = labels.length - rows;
  let below = 0;
  let sum = 0;
  let squares = 0;
  rarer.forEach((own, i) => {
    const tied = item(counts, i) - own;
    // The mean over both classes is near 1/2 or beyond: about it no digits are lost.
    const place = (below + tied / 2) / others - 0.5;
    sum += own * place;
    squares += own * place * place;
    below += tied;
  });
  const variance = Math.max(0, squares / rows - (sum / rows) ** 2);
  return { deviation: Math.sqrt(variance), share: rows / labels.length };
}

export function accuracyError(predicted: ArrayLike<number>, labels: ArrayLike<number>): ErrorOfOne {
  let right = 0;
  for (let i = 0; i < labels.length; i += 1) right += item(predicted, i) === item(labels, i) ? 1 : 0;
  return { deviation: ofShare(right / labels.length), share: 1 };
}

function f1Error(predicted: ArrayLike<number>, labels: ArrayLike<number>): ErrorOfOne | null {
  const { hits, relevant } = relevantTo(1, predicted, labels);
  if (relevant === 0) return null;
  const factor = relevant / ((relevant - hits) / 2 + hits);
  return { deviation: factor * ofShare(hits / relevant), share: relevant / labels.length };
}

/** Variance of a row that bears on the F1 of a class, and the share of such rows; null when there is none. */
export function classF1Error(
  of: number,
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
): ErrorOfOne | null {
  const { hits, relevant } = relevantTo(of, predicted, labels);
  return relevant === 0 ? null : { deviation: ofShare(hits / relevant), share: relevant / labels.length };
}

/** Rows that are of the class or predicted so, and those that are both. */
function relevantTo(
  of: number,
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
): { hits: number; relevant: number } {
  let hits = 0;
  let relevant = 0;
  for (let i = 0; i < labels.length; i += 1) {
    const [said, was] = [item(predicted, i) === of, item(labels, i) === of];
    if (said && was) hits += 1;
    if (said || was) relevant += 1;
  }
  return { hits, relevant };
}

const ofShare = (share: number): number => Math.sqrt(share * (1 - share));

/** Over the number, not the number less one. */
export function deviation(values: ArrayLike<number>): number {
  let mean = 0;
  for (let i = 0; i < values.length; i += 1) mean += item(values, i) / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i += 1) squares += (item(values, i) - mean) ** 2;
  return Math.sqrt(squares / values.length);
}
