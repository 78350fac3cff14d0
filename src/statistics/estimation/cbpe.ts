/**
 * Confidence-based performance estimation: what a classifier's performance is when each row is positive with its calibrated
 * probability. It needs no labels of the rows it is about, and therefore sees no change of the relation between inputs and labels:
 * see docs/performance-estimation.md. Agrees with NannyML 0.13.1's CBPE.
 */
import { item } from '../metrics/scored.js';
import { chunkBounds, sideOf, LEAST_CHUNKS, type ChunkBounds, type Side } from './bounds.js';
import { calibrated, fitCalibration, type Calibration } from './calibration.js';
import { checkBothClasses } from './checks.js';
import { chunksOfSize, type Chunk } from './chunks.js';
import {
  checkBinaryRows,
  expectedBinary,
  realisedBinary,
  type BinaryMetric,
  type BinaryRows,
  type LabelledBinaryRows,
} from './performance.js';
import { binaryErrors, standardError, type ErrorOfOne } from './sampling-error.js';

/** What the reference says about a metric. Plain JSON. */
export interface MetricReference {
  /** Null when the metric is defined on fewer than two chunks. */
  readonly bounds: ChunkBounds | null;
  readonly error: ErrorOfOne | null;
}

/** All that an estimate needs of the reference. Plain JSON. */
export interface BinaryEstimator {
  readonly task: 'binary';
  readonly chunkRows: number;
  readonly calibration: Calibration;
  readonly metrics: Readonly<Record<BinaryMetric, MetricReference>>;
}

/** A metric estimated on a chunk; every figure is null where there is none. */
export interface Estimate {
  readonly value: number | null;
  readonly samplingError: number | null;
  /** Value less and plus three sampling errors, within 0..1. */
  readonly lowest: number | null;
  readonly highest: number | null;
  /** Side of the value on the reference's bounds. */
  readonly side: Side | null;
}

export type BinaryEstimates = Readonly<Record<BinaryMetric, Estimate>>;

/**
 * @param reference labelled rows in order of time, that the model was not trained on
 * @param chunkRows rows that will be judged together; what is over at the end is in no chunk
 * @throws RangeError for bad input by field and value, for one class only, for fewer than two chunks
 */
export function fitBinary(reference: LabelledBinaryRows, chunkRows: number): BinaryEstimator {
  const whole = realisedBinary(reference);
  checkBothClasses('labels', reference.labels);
  const chunks = referenceChunks(reference.scores.length, chunkRows);
  const realised = chunks.map((chunk) => realisedBinary(slice(reference, chunk)));
  const errors = binaryErrors(reference);
  const about = (metric: BinaryMetric): MetricReference => ({
    bounds: chunkBounds(realised.map((values) => values[metric])),
    error: whole[metric] === null ? null : errors[metric],
  });
  return {
    task: 'binary',
    chunkRows,
    calibration: fitCalibration(reference.scores, reference.labels),
    metrics: { auc: about('auc'), accuracy: about('accuracy'), f1: about('f1') },
  };
}

/** Chunks of the reference: at least two. */
export function referenceChunks(rows: number, chunkRows: number): readonly Chunk[] {
  const { chunks } = chunksOfSize(rows, chunkRows);
  if (chunks.length < LEAST_CHUNKS)
    throw new RangeError(
      `The reference has ${rows} rows, ${chunks.length} chunks of ${chunkRows}: at least ${LEAST_CHUNKS} chunks are needed`,
    );
  return chunks;
}

/** Performance of rows without labels: one chunk. @throws RangeError for bad input by field and value, for no rows */
export function estimateBinary(estimator: BinaryEstimator, rows: BinaryRows): BinaryEstimates {
  checkBinaryRows(rows);
  const positive = Float64Array.from(rows.scores, (score) => calibrated(estimator.calibration, score));
  const values = expectedBinary(rows, positive);
  const count = rows.scores.length;
  return {
    auc: estimateOf(estimator.metrics.auc, values.auc, count),
    accuracy: estimateOf(estimator.metrics.accuracy, values.accuracy, count),
    f1: estimateOf(estimator.metrics.f1, values.f1, count),
  };
}

/** Sampling errors that an estimate may be off. */
const REACH = 3;

export function estimateOf(about: MetricReference, value: number | null, rows: number): Estimate {
  const error = value === null ? null : standardError(about.error, rows);
  return estimateWith(about.bounds, value, error);
}

export function estimateWith(
  bounds: ChunkBounds | null,
  value: number | null,
  error: number | null,
): Estimate {
  return {
    value,
    samplingError: error,
    lowest: value === null || error === null ? null : Math.max(0, value - REACH * error),
    highest: value === null || error === null ? null : Math.min(1, value + REACH * error),
    side: value === null || bounds === null ? null : sideOf(bounds, value),
  };
}

function slice(rows: LabelledBinaryRows, { from, to }: Chunk): LabelledBinaryRows {
  const part = (values: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: to - from }, (_, i) => item(values, from + i));
  return { scores: part(rows.scores), predicted: part(rows.predicted), labels: part(rows.labels) };
}
