/** Estimated and measured performance of a binary model, against what the reference's chunks were. */
import type { FindingKind, MonitoringSettings } from '../../contracts/monitoring.js';
import { standardError } from '../estimation/sampling-error.js';
import { addChunk, CHUNKS_LEAST, NO_CHUNKS } from '../drift/prediction.js';
import { total } from '../drift/checks.js';
import { normalCdf, studentCdf } from '../metrics/distributions.js';
import {
  estimateWindow,
  realisedWindow,
  type WindowEstimate,
  type WindowEstimates,
} from '../profile/performance.js';
import type { ScoreCounts, ScoreProfile, WindowCounts } from '../profile/types.js';
import { budgetWindows, corrected } from './budget.js';
import { isNews } from './causes.js';
import { addErrors, errorOnset } from './error-onset.js';
import type { Draft, ErrorWindow, Judged, MonitoredProfile, OpenCause } from './types.js';
import { figure, timeOf } from './words.js';

/** A measured loss of so many margins is critical; an estimate never is, it may be wrong. */
const CRITICAL_MARGINS = 2;

export interface PerformanceWindow {
  readonly kind: Extract<FindingKind, 'estimated-performance' | 'measured-performance'>;
  readonly settings: MonitoringSettings;
  readonly score: ScoreProfile;
  readonly counts: ScoreCounts;
  /** Of the windows before. */
  readonly before: readonly ErrorWindow[];
  readonly open: readonly OpenCause[];
  readonly from: number;
  readonly to: number;
}

export interface PerformanceJudged extends Judged {
  /** With the window's. */
  readonly errors: readonly ErrorWindow[];
}

interface Compared {
  readonly expected: number;
  /** The best that the rows can have, by the loss of the bins. */
  readonly most: number;
  readonly value: number;
  readonly loss: number;
  readonly p: number;
  readonly rows: number;
}

/** A fall is a finding, never a rise. */
export function judgePerformance(window: PerformanceWindow): PerformanceJudged {
  const { kind, settings, score, counts, before, open, from } = window;
  const { metric, margin } = settings.performance;
  const estimates = figuresOf(kind, score, counts);
  const rows = rowsOf(window);
  const own = [from, Math.round(rows * errorShare(estimates)), rows] as const;
  const errors = addErrors(before, own);
  const compared = compare(score, metric, estimates[metric], rows);
  if (typeof compared === 'string')
    return { drafts: [], standing: new Map(), waiting: [`${kind}: ${compared}`], errors };
  const part = kind === 'estimated-performance' ? 'estimated' : 'measured';
  const p = corrected(compared.p, part, 1);
  const isLow = p <= 1 / budgetWindows(settings);
  const cause = open.find((one) => one.kind === kind)?.cause;
  const isGone = !isLow && compared.loss < margin;
  return {
    drafts: isLow ? [withOnset(window, draftOf(window, compared, p), own)] : [],
    standing: new Map(cause === undefined ? [] : [[cause, isGone ? 'gone' : 'present']]),
    waiting: [],
    errors,
  };
}

/** Detectors are asked of what is news only: a cause that lasts is found in each window. */
function withOnset(
  { kind, score, before, open, to }: PerformanceWindow,
  draft: Draft,
  own: ErrorWindow,
): Draft {
  const known = open.find(({ cause }) => cause === draft.cause);
  if (known !== undefined && !isNews(known, draft)) return draft;
  const { counts, positives, negatives } = score;
  const usual = errorShare(figuresOf(kind, score, { counts, positives, negatives, invalid: 0 }));
  return { ...draft, ...errorOnset(before, own, to, usual) };
}

const figuresOf = (
  kind: PerformanceWindow['kind'],
  score: ScoreProfile,
  counts: ScoreCounts,
): WindowEstimates =>
  kind === 'estimated-performance' ? estimateWindow(score, counts) : realisedWindow(score, counts);

/** Predictions at the threshold that are wrong. */
const errorShare = ({ accuracy: { value } }: WindowEstimates): number => 1 - (value ?? 1);

const rowsOf = ({ kind, counts }: PerformanceWindow): number =>
  kind === 'estimated-performance' ? total(counts.counts) : total(counts.positives) + total(counts.negatives);

/** A window must also leave the prediction interval of the reference's chunks that holds all but so much below it. */
const OUTSIDE = 0.00135;
/**
 * Of the variance of a sampled AUC, as `error` has it, which looks at one class only; the other, the larger one, adds no more than
 * as much again.
 */
const CLASSES = { auc: 2, accuracy: 1, f1: 1 } as const;

/**
 * Rows are a sample on both sides, so the gap is measured in the error of sampling: by the normal law, of which a budget of one in
 * millions can be asked, where Student's law of ten chunks would never be sure. That chunks differ more than samples do is asked apart:
 * the window must lie below their prediction interval, for as many rows as it has.
 */
function compare(
  { estimator, counts: reference }: ScoreProfile,
  metric: MonitoringSettings['performance']['metric'],
  { value, most }: WindowEstimate,
  rows: number,
): Compared | string {
  const { bounds, error } = estimator.metrics[metric];
  const chunks = (bounds?.values ?? []).filter((one) => one !== null);
  if (value === null || most === null) return `${metric} is not defined on these rows`;
  if (chunks.length < CHUNKS_LEAST || bounds === null)
    return `the reference has ${chunks.length} chunks with ${metric}, at least ${CHUNKS_LEAST} are needed`;
  const { count, mean, squares } = chunks.reduce(addChunk, NO_CHUNKS);
  const sampled = (of: number): number => CLASSES[metric] * (standardError(error, of) ?? 0) ** 2;
  const ofChunks = squares / (count - 1);
  // By how much chunks differ beyond sampling is not known well from few: never taken for less than nothing.
  const beyond = Math.max(0, ofChunks - sampled(estimator.chunkRows));
  const spread = beyond + sampled(rows) + ofChunks / count;
  const sampling = sampled(rows) + sampled(total(reference));
  if (!(spread > 0 && sampling > 0))
    return `${metric} does not vary in the reference, its spread is not known`;
  const highest = Math.max(most, value);
  const inInterval = studentCdf((highest - mean) / Math.sqrt(spread), count - 1) > OUTSIDE;
  const p = inInterval ? 1 : normalCdf((highest - mean) / Math.sqrt(sampling));
  return { expected: mean, most: highest, value, loss: mean - value, p, rows };
}

function draftOf(window: PerformanceWindow, compared: Compared, p: number): Draft {
  const { kind, settings, from, to } = window;
  const { metric, margin } = settings.performance;
  const { expected, most, value, loss, rows } = compared;
  const verdict = loss >= margin ? 'found' : 'immaterial';
  const isMeasured = kind === 'measured-performance';
  const isCritical = isMeasured && loss >= CRITICAL_MARGINS * margin;
  return {
    kind,
    cause: kind,
    verdict,
    severity: verdict === 'immaterial' ? 'info' : isCritical ? 'critical' : 'warning',
    summary: `${isMeasured ? 'Measured' : 'Estimated'} ${metric} fell from ${figure(expected)} to ${figure(value)}${isMeasured ? ' on labelled rows' : ', by the scores alone'}`,
    features: [
      {
        name: metric,
        what: `${figure(expected)} -> ${figure(value)}`,
        effect: loss,
        // The loss of the bins; what lies below is not asked.
        interval: [Math.min(loss, expected - most), loss],
        p,
        rows,
      },
    ],
    rows,
    onset: { estimate: timeOf(from), from: timeOf(from), to: timeOf(to) },
    about: [metric],
    from,
    to,
  };
}

/** By the scores alone, where the window has any. */
export function judgeEstimated(
  shared: Omit<PerformanceWindow, 'kind' | 'score' | 'counts'>,
  { profile: { score } }: MonitoredProfile,
  counts: WindowCounts,
): PerformanceJudged {
  const silent = { drafts: [], standing: new Map(), waiting: [], errors: shared.before };
  // Why not is said where labels are asked for.
  if (score === null) return silent;
  if (counts.score === null || total(counts.score.counts) === 0)
    return { ...silent, waiting: [`estimated-performance: none of ${counts.rows} rows has a score`] };
  return judgePerformance({ ...shared, kind: 'estimated-performance', score, counts: counts.score });
}

/** Characters of a reason. */
const REASON_MOST = 160;

/** Why neither kind can be judged by a profile that has no scores. */
export function withoutScore({ predictions, scoreLack }: MonitoredProfile): readonly string[] {
  const lack = scoreLack === undefined ? '' : ` (${scoreLack.slice(0, REASON_MOST)})`;
  const why =
    predictions.length > 0
      ? 'judged of binary models only, this one predicts classes or values'
      : `a version whose reference profile has scores, this one's has none${lack}`;
  return (['estimated-performance', 'measured-performance'] as const).map((kind) => `${kind}: ${why}`);
}
