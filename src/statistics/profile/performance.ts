/** Performance of a window, from its score histogram: estimated without labels, and measured with those that have come. */
import { sideOf, type Side } from '../estimation/bounds.js';
import { estimateBinned, realisedBinned, type BinnedFigure } from '../estimation/binned.js';
import { estimateWith, type Estimate } from '../estimation/cbpe.js';
import type { BinaryMetric } from '../estimation/performance.js';
import { standardError } from '../estimation/sampling-error.js';
import type { ScoreCounts, ScoreProfile } from './types.js';

/** `least` and `most`: the loss by the bins. The figure of the rows themselves lies between. */
export interface WindowEstimate extends Estimate {
  readonly least: number | null;
  readonly most: number | null;
  /** The side of the whole of least..most; null where it lies on several. */
  readonly certainSide: Side | null;
}

export type WindowEstimates = Readonly<Record<BinaryMetric, WindowEstimate>>;

/**
 * Performance of all rows with a score, without their labels.
 * @throws RangeError for a window without scores
 */
export function estimateWindow(score: ScoreProfile, counts: ScoreCounts): WindowEstimates {
  const rows = counts.counts.reduce((sum, count) => sum + count, 0);
  const figures = estimateBinned(score.calibration, counts.counts);
  return perMetric((metric) => withReference(score, metric, figures[metric], rows));
}

/**
 * Performance on the rows whose labels have come: compare their number with that of all rows, labels that come first are seldom a
 * fair sample.
 * @throws RangeError for a window without labels
 */
export function realisedWindow(score: ScoreProfile, counts: ScoreCounts): WindowEstimates {
  const { cuts, threshold } = score.calibration;
  const figures = realisedBinned(cuts, threshold, counts);
  const rows = [...counts.positives, ...counts.negatives].reduce((sum, count) => sum + count, 0);
  return perMetric((metric) => withReference(score, metric, figures[metric], rows));
}

function withReference(
  score: ScoreProfile,
  metric: BinaryMetric,
  figure: BinnedFigure | null,
  rows: number,
): WindowEstimate {
  const { bounds, error } = score.estimator.metrics[metric];
  const estimate = estimateWith(
    bounds,
    figure?.value ?? null,
    figure === null ? null : standardError(error, rows),
  );
  if (figure === null) return { ...estimate, least: null, most: null, certainSide: null };
  const { least, most } = figure;
  const sides = bounds === null ? [] : [sideOf(bounds, least), sideOf(bounds, most)];
  return {
    ...estimate,
    least,
    most,
    certainSide: sides[0] !== undefined && sides[0] === sides[1] ? sides[0] : null,
  };
}

const perMetric = (of: (metric: BinaryMetric) => WindowEstimate): WindowEstimates => ({
  auc: of('auc'),
  accuracy: of('accuracy'),
  f1: of('f1'),
});
