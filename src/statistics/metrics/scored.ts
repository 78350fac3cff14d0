import type { Metric } from '../../contracts/manifest.js';
import type { Task } from '../../contracts/model.js';

/** Labels with a model's answers on the same rows. Everything is finite and probabilities lie in 0..1: callers check. */
export type Scored = BinaryScored | MulticlassScored | RegressionScored;

export interface BinaryScored {
  readonly task: 'binary';
  /** 0 or 1 a row. */
  readonly labels: ArrayLike<number>;
  /** P(positive class) a row. */
  readonly scores: ArrayLike<number>;
  /** Score at or above which a row is predicted positive. */
  readonly threshold: number;
}

export interface MulticlassScored {
  readonly task: 'multiclass';
  /** Index of the class a row. */
  readonly labels: ArrayLike<number>;
  /** Class probabilities, row after row. */
  readonly scores: ArrayLike<number>;
  readonly classes: number;
}

interface RegressionScored {
  readonly task: 'regression';
  readonly labels: ArrayLike<number>;
  /** Predicted values. */
  readonly scores: ArrayLike<number>;
}

/** Metrics that a task has. */
export const METRICS_OF: Readonly<Record<Task, readonly Metric[]>> = {
  binary: ['auc', 'logLoss', 'brier', 'accuracy', 'ece'],
  multiclass: ['accuracy', 'logLoss', 'macroF1', 'ovrEce'],
  regression: ['mae', 'rmse'],
};

/** Whether a larger value is better. */
export const HIGHER_IS_BETTER: Readonly<Record<Metric, boolean>> = {
  auc: true,
  logLoss: false,
  brier: false,
  accuracy: true,
  ece: false,
  macroF1: true,
  ovrEce: false,
  mae: false,
  rmse: false,
};

export function wrongTask(metric: Metric, task: Task): RangeError {
  return new RangeError(`Metric ${metric} does not fit task ${task}; it has ${METRICS_OF[task].join(', ')}`);
}

/** Element `i` of a list that is known to have it. */
export function item(values: ArrayLike<number>, i: number): number {
  return values[i] as number;
}

/** Classes by a threshold: positive at it or above. */
export function predictedAt(scores: ArrayLike<number>, threshold: number): Int32Array {
  const predicted = new Int32Array(scores.length);
  for (let i = 0; i < scores.length; i += 1) predicted[i] = item(scores, i) >= threshold ? 1 : 0;
  return predicted;
}

/** The class, by its number, with the first of the largest of its probabilities. */
export function likeliest(classes: number, probability: (k: number) => number): number {
  let best = 0;
  for (let k = 1; k < classes; k += 1) if (probability(k) > probability(best)) best = k;
  return best;
}

/** Predicted class of each row: by threshold, or the first of the largest probabilities. */
export function predictedClasses(scored: BinaryScored | MulticlassScored): Int32Array {
  if (scored.task === 'binary') return predictedAt(scored.scores, scored.threshold);
  const { classes, scores } = scored;
  const rows = scored.labels.length;
  const predicted = new Int32Array(rows);
  for (let i = 0; i < rows; i += 1) predicted[i] = likeliest(classes, (k) => item(scores, i * classes + k));
  return predicted;
}
