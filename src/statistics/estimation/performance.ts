/** AUC, accuracy and F1 of classifications, from counts that may be expected ones: of labels, or of probabilities in their place. */
import type { Task } from '../../contracts/model.js';
import { item } from '../metrics/scored.js';
import { checkClasses, checkLength, checkScores } from './checks.js';
import { ranked, tally } from './ranked.js';

/** Estimation without labels is for classifications only: a regression gives no probabilities to count with. */
export type ClassificationTask = Exclude<Task, 'regression'>;

/** Metrics that are estimated. */
export const ESTIMATED_METRICS = {
  binary: ['auc', 'accuracy', 'f1'],
  multiclass: ['accuracy', 'macroF1'],
} as const satisfies Readonly<Record<ClassificationTask, readonly string[]>>;

export type BinaryMetric = (typeof ESTIMATED_METRICS.binary)[number];
export type MulticlassMetric = (typeof ESTIMATED_METRICS.multiclass)[number];

/** What a binary model said. */
export interface BinaryRows {
  /** P(positive class) a row, as the model gave it. */
  readonly scores: ArrayLike<number>;
  /** Predicted class a row, 0 or 1. */
  readonly predicted: ArrayLike<number>;
}

/** With what came true. */
export interface LabelledBinaryRows extends BinaryRows {
  /** 0 or 1 a row. */
  readonly labels: ArrayLike<number>;
}

/** A metric's value, or null where it is not defined: AUC of one class, F1 with no positives predicted or there. */
export type BinaryPerformance = Readonly<Record<BinaryMetric, number | null>>;

/** @throws RangeError for bad input, by field and value */
export function checkBinaryRows(rows: BinaryRows): void {
  checkLength('predicted', rows.predicted, rows.scores.length, 'scores');
  checkScores('scores', rows.scores);
  checkClasses('predicted', rows.predicted, 2);
}

/** Performance on labelled rows. */
export function realisedBinary(rows: LabelledBinaryRows): BinaryPerformance {
  checkBinaryRows(rows);
  checkLength('labels', rows.labels, rows.scores.length, 'scores');
  checkClasses('labels', rows.labels, 2);
  return expectedBinary(rows, rows.labels);
}

/** Performance when row `i` is positive with probability `positive[i]`. The scores give the order. */
export function expectedBinary(rows: BinaryRows, positive: ArrayLike<number>): BinaryPerformance {
  const confusion = expectedConfusion(rows.predicted, positive, 1);
  return {
    auc: expectedAuc(rows.scores, positive),
    accuracy: (confusion.hits + confusion.rejected) / rows.scores.length,
    f1: f1Of(confusion),
  };
}

/** Rows by prediction and truth, of one class against the others. */
interface Confusion {
  hits: number;
  falsePositives: number;
  misses: number;
  rejected: number;
}

/** @param of class that counts as positive */
export function expectedConfusion(
  predicted: ArrayLike<number>,
  positive: ArrayLike<number>,
  of: number,
): Confusion {
  const counts: Confusion = { hits: 0, falsePositives: 0, misses: 0, rejected: 0 };
  for (let i = 0; i < predicted.length; i += 1) {
    const probability = item(positive, i);
    if (item(predicted, i) === of) {
      counts.hits += probability;
      counts.falsePositives += 1 - probability;
    } else {
      counts.misses += probability;
      counts.rejected += 1 - probability;
    }
  }
  return counts;
}

export function f1Of({ hits, falsePositives, misses }: Omit<Confusion, 'rejected'>): number | null {
  const relevant = hits + (falsePositives + misses) / 2;
  return relevant > 0 ? hits / relevant : null;
}

/** Share of pairs of a positive and a negative row in which the positive has the higher score; equal scores count half. */
function expectedAuc(scores: ArrayLike<number>, positive: ArrayLike<number>): number | null {
  const order = ranked(scores);
  return groupedAuc(tally(order), tally(order, positive));
}

/** AUC of groups of equal score, in rising order: rows and (expected) positives of each. */
export function groupedAuc(counts: ArrayLike<number>, positives: ArrayLike<number>): number | null {
  let pairs = 0;
  let below = 0;
  let above = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const own = item(positives, i);
    const others = item(counts, i) - own;
    pairs += own * (below + others / 2);
    below += others;
    above += own;
  }
  return above > 0 && below > 0 ? pairs / (above * below) : null;
}
