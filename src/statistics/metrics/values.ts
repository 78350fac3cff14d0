/** The metrics. Each agrees with scikit-learn's of the same name on the same predictions (test/oracles/metrics). */
import type { Metric } from '../../contracts/manifest.js';
import { binErrors, calibrationError } from './calibration.js';
import type { BinnedErrors } from './calibration.js';
import { placements } from './delong.js';
import { item, METRICS_OF, predictedClasses, wrongTask } from './scored.js';
import type { BinaryScored, MulticlassScored, Scored } from './scored.js';

/** A metric's value. NaN without rows, and for `auc` when a class is absent. Throws a RangeError when it does not fit the task. */
export function metricValue(metric: Metric, scored: Scored): number {
  if (!METRICS_OF[scored.task].includes(metric)) throw wrongTask(metric, scored.task);
  switch (metric) {
    case 'auc':
      return scored.task === 'binary' ? placements(scored.labels, scored.scores).auc : Number.NaN;
    case 'ece':
    case 'ovrEce':
      return mean(classErrors(scored).map((binned) => calibrationError(binned)));
    case 'macroF1':
      return scored.task === 'multiclass'
        ? macroF1(scored.labels, predictedClasses(scored), scored.classes)
        : Number.NaN;
    case 'rmse':
      return Math.sqrt(mean(rowLosses('rmse', scored)));
    case 'accuracy':
      return 1 - mean(rowLosses('accuracy', scored));
    case 'logLoss':
    case 'brier':
    case 'mae':
      return mean(rowLosses(metric, scored));
  }
}

export type RowLossMetric = 'logLoss' | 'brier' | 'accuracy' | 'mae' | 'rmse';

/** Probabilities are clipped to [eps, 1 - eps] before the logarithm, eps that of a double, as scikit-learn does. */
const EPSILON = Number.EPSILON;

/** Loss of each row, its mean being the metric: `accuracy` counts 1 for a wrong row, `rmse` squares. */
export function rowLosses(metric: RowLossMetric, scored: Scored): Float64Array {
  if (!METRICS_OF[scored.task].includes(metric)) throw wrongTask(metric, scored.task);
  const rows = scored.labels.length;
  const losses = new Float64Array(rows);
  if (metric === 'accuracy' && scored.task !== 'regression') {
    const predicted = predictedClasses(scored);
    for (let i = 0; i < rows; i += 1) losses[i] = item(predicted, i) === item(scored.labels, i) ? 0 : 1;
    return losses;
  }
  for (let i = 0; i < rows; i += 1) {
    if (metric === 'logLoss' && scored.task !== 'regression') {
      losses[i] = -Math.log(Math.min(1 - EPSILON, Math.max(EPSILON, probabilityOfLabel(scored, i))));
    } else {
      const error = item(scored.scores, i) - item(scored.labels, i);
      losses[i] = metric === 'mae' ? Math.abs(error) : error * error;
    }
  }
  return losses;
}

function probabilityOfLabel(scored: BinaryScored | MulticlassScored, row: number): number {
  const label = item(scored.labels, row);
  if (scored.task === 'multiclass') return item(scored.scores, row * scored.classes + label);
  return label === 1 ? item(scored.scores, row) : 1 - item(scored.scores, row);
}

/** Calibration errors a row: of the positive class (binary), or of each class against the rest. */
export function classErrors(scored: Scored): readonly BinnedErrors[] {
  const { labels, scores } = scored;
  if (scored.task === 'binary') {
    return [
      binErrors(
        labels.length,
        (row) => item(scores, row),
        (row) => item(labels, row) === 1,
      ),
    ];
  }
  const classes = scored.task === 'multiclass' ? scored.classes : 0;
  return Array.from({ length: classes }, (_, k) =>
    binErrors(
      labels.length,
      (row) => item(scores, row * classes + k),
      (row) => item(labels, row) === k,
    ),
  );
}

/**
 * Unweighted mean of the classes' F1, over the classes that occur among labels or predictions (scikit-learn's default);
 * over all rows or a choice of rows (repeats count).
 */
export function macroF1(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
  choice?: Int32Array,
): number {
  const hits = new Float64Array(classes);
  const either = new Float64Array(classes);
  const rows = choice?.length ?? labels.length;
  for (let i = 0; i < rows; i += 1) {
    const row = choice === undefined ? i : item(choice, i);
    const label = item(labels, row);
    const guess = item(predicted, row);
    either[label] = item(either, label) + 1;
    either[guess] = item(either, guess) + 1;
    if (label === guess) hits[label] = item(hits, label) + 1;
  }
  let sum = 0;
  let present = 0;
  for (let k = 0; k < classes; k += 1) {
    if (item(either, k) === 0) continue;
    present += 1;
    sum += (2 * item(hits, k)) / item(either, k);
  }
  return sum / present;
}

/** Mean, NaN of nothing. */
function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += item(values, i);
  return sum / values.length;
}
