/**
 * Confidence-based estimation for more than two classes: accuracy and macro F1 (see cbpe.ts). Each class is calibrated against the
 * others, and a row's probabilities are then made to sum to 1. Agrees with NannyML 0.13.1's.
 */
import { item } from '../metrics/scored.js';
import { chunkBounds, type ChunkBounds } from './bounds.js';
import { calibrated, fitCalibration, type Calibration } from './calibration.js';
import { estimateOf, estimateWith, referenceChunks, type Estimate, type MetricReference } from './cbpe.js';
import { checkClasses, checkLength, checkScores } from './checks.js';
import { expectedConfusion, f1Of, type MulticlassMetric } from './performance.js';
import { accuracyError, classF1Error, standardError, type ErrorOfOne } from './sampling-error.js';

/** What a model of several classes said. */
export interface MulticlassRows {
  readonly classes: number;
  /** Class probabilities, row after row. */
  readonly scores: ArrayLike<number>;
  /** Predicted class a row. */
  readonly predicted: ArrayLike<number>;
}

export interface LabelledMulticlassRows extends MulticlassRows {
  /** Class a row. */
  readonly labels: ArrayLike<number>;
}

/** All that an estimate needs of the reference. Plain JSON. */
export interface MulticlassEstimator {
  readonly task: 'multiclass';
  readonly classes: number;
  readonly chunkRows: number;
  /** One a class. */
  readonly calibrations: readonly Calibration[];
  readonly accuracy: MetricReference;
  readonly macroF1: {
    readonly bounds: ChunkBounds | null;
    /** One a class. */
    readonly errors: readonly (ErrorOfOne | null)[];
  };
}

export type MulticlassPerformance = Readonly<Record<MulticlassMetric, number | null>>;
export type MulticlassEstimates = Readonly<Record<MulticlassMetric, Estimate>>;

/** @throws RangeError for bad input by field and value, for a class without rows, for fewer than two chunks */
export function fitMulticlass(reference: LabelledMulticlassRows, chunkRows: number): MulticlassEstimator {
  checkLabelled(reference);
  const { classes, predicted, labels } = reference;
  const rows = labels.length;
  const chunks = referenceChunks(rows, chunkRows);
  const all = Array.from({ length: classes }, (_, k) => k);
  const missing = all.find((k) => !Array.prototype.includes.call(labels, k));
  if (missing !== undefined)
    throw new RangeError(`labels holds no row of class ${missing}: each of the ${classes} classes is needed`);
  const realised = chunks.map(({ from, to }) => {
    const of = part(reference, from, to);
    return macro(of, classIndicators(part(reference, from, to).labels, classes));
  });
  return {
    task: 'multiclass',
    classes,
    chunkRows,
    calibrations: all.map((k) =>
      fitCalibration(
        columnOf(reference, k),
        Uint8Array.from({ length: rows }, (_, i) => (item(labels, i) === k ? 1 : 0)),
      ),
    ),
    accuracy: {
      bounds: chunkBounds(realised.map((values) => values.accuracy)),
      error: accuracyError(predicted, labels),
    },
    macroF1: {
      bounds: chunkBounds(realised.map((values) => values.macroF1)),
      errors: all.map((k) => classF1Error(k, predicted, labels)),
    },
  };
}

/** Performance on labelled rows. */
export function realisedMulticlass(rows: LabelledMulticlassRows): MulticlassPerformance {
  checkLabelled(rows);
  return macro(rows, classIndicators(rows.labels, rows.classes));
}

/** Performance of rows without labels: one chunk. */
export function estimateMulticlass(
  estimator: MulticlassEstimator,
  rows: MulticlassRows,
): MulticlassEstimates {
  checkRows(rows);
  if (rows.classes !== estimator.classes)
    throw new RangeError(`classes is ${rows.classes}: the reference has ${estimator.classes}`);
  const values = macro(rows, probabilities(estimator, rows));
  const count = rows.predicted.length;
  return {
    accuracy: estimateOf(estimator.accuracy, values.accuracy, count),
    macroF1: estimateWith(
      estimator.macroF1.bounds,
      values.macroF1,
      macroError(estimator.macroF1.errors, count),
    ),
  };
}

/** Classes are taken as independent. */
function macroError(errors: readonly (ErrorOfOne | null)[], rows: number): number | null {
  let squares = 0;
  for (const error of errors) {
    const own = standardError(error, rows);
    if (own === null) return null;
    squares += own * own;
  }
  return Math.sqrt(squares) / errors.length;
}

/** Calibrated, class by class, and of sum 1 a row; all alike where every class has 0. */
function probabilities(estimator: MulticlassEstimator, rows: MulticlassRows): readonly Float64Array[] {
  const columns = estimator.calibrations.map((calibration, k) =>
    columnOf(rows, k).map((score) => calibrated(calibration, score)),
  );
  for (let i = 0; i < rows.predicted.length; i += 1) {
    const sum = columns.reduce((total, column) => total + item(column, i), 0);
    for (const column of columns) column[i] = sum > 0 ? item(column, i) / sum : 1 / columns.length;
  }
  return columns;
}

function macro(rows: MulticlassRows, columns: readonly Float64Array[]): MulticlassPerformance {
  const confusions = columns.map((column, k) => expectedConfusion(rows.predicted, column, k));
  const f1s = confusions.map((confusion) => f1Of(confusion) ?? 0);
  return {
    accuracy: confusions.reduce((sum, { hits }) => sum + hits, 0) / rows.predicted.length,
    macroF1: f1s.reduce((sum, f1) => sum + f1, 0) / f1s.length,
  };
}

function classIndicators(labels: ArrayLike<number>, classes: number): readonly Float64Array[] {
  return Array.from({ length: classes }, (_, k) =>
    Float64Array.from({ length: labels.length }, (_, i) => (item(labels, i) === k ? 1 : 0)),
  );
}

function columnOf({ scores, predicted, classes }: MulticlassRows, k: number): Float64Array {
  return Float64Array.from({ length: predicted.length }, (_, i) => item(scores, i * classes + k));
}

function part(rows: LabelledMulticlassRows, from: number, to: number): LabelledMulticlassRows {
  const cut = (values: ArrayLike<number>, width: number): Float64Array =>
    Float64Array.from({ length: (to - from) * width }, (_, i) => item(values, from * width + i));
  return {
    classes: rows.classes,
    scores: cut(rows.scores, rows.classes),
    predicted: cut(rows.predicted, 1),
    labels: cut(rows.labels, 1),
  };
}

function checkRows(rows: MulticlassRows): void {
  if (!(Number.isSafeInteger(rows.classes) && rows.classes >= 2))
    throw new RangeError(`classes is ${rows.classes}: it must be a whole number of at least 2`);
  const { classes, scores, predicted } = rows;
  if (predicted.length === 0) throw new RangeError('predicted has no rows: at least one is needed');
  if (scores.length !== classes * predicted.length)
    throw new RangeError(
      `scores has ${scores.length} values: ${predicted.length} rows of ${classes} classes make ${classes * predicted.length}`,
    );
  checkScores('scores', rows.scores);
  checkClasses('predicted', rows.predicted, rows.classes);
}

function checkLabelled(rows: LabelledMulticlassRows): void {
  checkRows(rows);
  checkLength('labels', rows.labels, rows.predicted.length, 'predicted');
  checkClasses('labels', rows.labels, rows.classes);
}
