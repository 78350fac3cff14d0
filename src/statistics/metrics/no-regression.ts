/** Is the candidate worse than the champion on the same rows, by how much at most, and is that below the margin? */
import type { Metric } from '../../contracts/manifest.js';
import { bootstrap, quantileOf, REPLICATES } from './bootstrap.js';
import { calibrationLoss } from './calibration-loss.js';
import { deLong } from './delong.js';
import { normalQuantile, studentQuantile } from './distributions.js';
import { LEAST_CLASS_ROWS, LEAST_ROWS } from './least-rows.js';
import { hall, meanLimits } from './limits.js';
import type { Limits } from './limits.js';
import { pairedLimits } from './melded.js';
import { HIGHER_IS_BETTER, item, METRICS_OF, predictedClasses, wrongTask } from './scored.js';
import type { MulticlassScored, Scored } from './scored.js';
import { classErrors, macroF1, metricValue, rowLosses } from './values.js';

/** Of each limit, one-sided. */
export const CONFIDENCE = 0.95;
/** Chance that the number of rows asked for shows it, if the loss is what it looks like now. */
const POWER = 0.8;

type ComparisonMethod =
  | 'delong'
  | 'paired-mean'
  | 'paired-mean-delta'
  | 'melded-pairs'
  | 'signed-calibration'
  | 'stratified-bootstrap';

export interface Comparison {
  readonly method: ComparisonMethod;
  readonly candidate: number;
  readonly champion: number;
  /** How much worse the candidate is, in the metric's unit; negative when it is better. */
  readonly loss: number;
  readonly standardError: number;
  /** One-sided 95 % limits of the loss. */
  readonly lower: number;
  readonly upper: number;
  readonly rows: number;
}

export interface NoRegression extends Comparison {
  readonly verdict: 'passed' | 'failed' | 'undecided';
  /** When undecided: rows that would show it with 80 % chance if the loss stays; null when the loss itself is not below the margin. */
  readonly rowsNeeded: number | null;
}

/** Too few rows to compare on, in words; null when there are enough. */
export function tooFewRows(scored: Scored): string | null {
  const rows = scored.labels.length;
  if (rows < LEAST_ROWS) return `${rows} rows; a comparison needs at least ${LEAST_ROWS}`;
  if (scored.task === 'regression') return null;
  const classes = scored.task === 'binary' ? 2 : scored.classes;
  const counts = Array.from({ length: classes }, () => 0);
  for (let row = 0; row < rows; row += 1)
    counts[item(scored.labels, row)] = (counts[item(scored.labels, row)] ?? 0) + 1;
  const least = Math.min(...counts);
  return least < LEAST_CLASS_ROWS
    ? `${least} rows of the rarest class; a comparison needs at least ${LEAST_CLASS_ROWS} of each`
    : null;
}

/**
 * Compares two models' answers on the same rows. A generator because the bootstrap takes long: it yields after each draw.
 * @param seed of the bootstrap and of the halves for calibration
 * @throws RangeError when the metric does not fit the task, or when the two do not have the same rows
 */
export function* compareModels(
  metric: Metric,
  candidate: Scored,
  champion: Scored,
  seed: number,
  replicates = REPLICATES,
): Generator<number, Comparison, void> {
  if (!METRICS_OF[candidate.task].includes(metric)) throw wrongTask(metric, candidate.task);
  if (candidate.task !== champion.task || candidate.labels.length !== champion.labels.length) {
    throw new RangeError('Candidate and champion are not scored on the same rows');
  }
  const values = { candidate: metricValue(metric, candidate), champion: metricValue(metric, champion) };
  const loss = HIGHER_IS_BETTER[metric]
    ? values.champion - values.candidate
    : values.candidate - values.champion;
  const result = (method: ComparisonMethod, limits: Omit<Limits, 'estimate'>): Comparison => ({
    method,
    ...values,
    loss,
    standardError: limits.standardError,
    lower: limits.lower,
    upper: limits.upper,
    rows: candidate.labels.length,
  });
  switch (metric) {
    case 'auc':
      return result('delong', aucLimits(candidate, champion));
    case 'logLoss':
    case 'brier':
      return result('paired-mean', probabilityLimits(metric, candidate, champion));
    case 'mae':
      return result(
        'paired-mean',
        meanLimits(gaps(rowLosses('mae', candidate), rowLosses('mae', champion)), CONFIDENCE),
      );
    case 'rmse':
      return result(
        'paired-mean-delta',
        shifted(meanLimits(gaps(influence(candidate), influence(champion)), CONFIDENCE), loss),
      );
    case 'accuracy':
      return result(
        'melded-pairs',
        accuracyLoss(rowLosses('accuracy', candidate), rowLosses('accuracy', champion)),
      );
    case 'ece':
    case 'ovrEce':
      return result(
        'signed-calibration',
        calibrationLoss(classErrors(candidate), classErrors(champion), CONFIDENCE, seed),
      );
    case 'macroF1':
      if (candidate.task !== 'multiclass' || champion.task !== 'multiclass')
        throw wrongTask(metric, candidate.task);
      return result(
        'stratified-bootstrap',
        yield* macroF1Limits(candidate, champion, loss, seed, replicates),
      );
  }
}

/** Below the margin with 95 % confidence: passed. Above it with 95 % confidence: failed. Anything else, NaN too: undecided. */
export function judgeLoss(comparison: Comparison, margin: number): NoRegression {
  const { lower, upper, loss, rows } = comparison;
  const verdict = upper < margin ? 'passed' : lower > margin ? 'failed' : 'undecided';
  return {
    ...comparison,
    verdict,
    rowsNeeded: verdict === 'undecided' ? rowsNeeded(margin - loss, upper - loss, rows) : null,
  };
}

/**
 * Rows at which an upper limit that lies `reach` above the estimate on `rows` rows would come below the margin with 80 % chance.
 * @param room margin - estimate; null when it is not positive
 */
export function rowsNeeded(room: number, reach: number, rows: number): number | null {
  if (!(room > 0) || !Number.isFinite(reach)) return null;
  const factor = (normalQuantile(CONFIDENCE) + normalQuantile(POWER)) / normalQuantile(CONFIDENCE);
  return Math.max(rows + 1, Math.ceil(rows * ((factor * reach) / room) ** 2));
}

/** Limits of the loss of accuracy from the wrong (1) and right (0) rows of both. */
function accuracyLoss(candidateWrong: ArrayLike<number>, championWrong: ArrayLike<number>): Limits {
  let onlyCandidate = 0;
  let onlyChampion = 0;
  for (let row = 0; row < candidateWrong.length; row += 1) {
    if (item(candidateWrong, row) > item(championWrong, row)) onlyCandidate += 1;
    if (item(candidateWrong, row) < item(championWrong, row)) onlyChampion += 1;
  }
  return pairedLimits(onlyCandidate, onlyChampion, candidateWrong.length, CONFIDENCE);
}

/**
 * DeLong's variance with limits for few rows of a class: Student's quantile by the rarer class, Hall's transform for the skew, and a
 * variance wider by 2 / rows of the rarer class. The normal limit passed 6.3 % at exactly the margin with 67 positives.
 */
function aucLimits(candidate: Scored, champion: Scored): Limits {
  const found = deLong(candidate.labels, champion.scores, candidate.scores);
  const estimate = found.first - found.second;
  const standardError = Math.sqrt(Math.max(0, found.differenceVariance));
  const t = studentQuantile(CONFIDENCE, found.leastRows - 1);
  const wide = standardError * Math.sqrt(1 + 2 / found.leastRows);
  return {
    estimate,
    standardError,
    lower: estimate - wide * Math.max(t, hall(t, found.differenceSkewness)),
    upper: estimate - wide * Math.min(-t, hall(-t, found.differenceSkewness)),
  };
}

/**
 * Limits of a mean difference of losses, with one row more: the worst (for the lower limit: best) that any row here could have
 * given under some label. The rows alone do not show what a too certain answer costs until one of them is wrong: without the
 * added row up to 13 % passed at exactly the margin with 200 rows. Upper bounds by the end of the support: N. Gaffke, "Three test
 * statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable", Math. Meth. Statist. 14 (2005).
 */
function probabilityLimits(metric: 'logLoss' | 'brier', candidate: Scored, champion: Scored): Limits {
  const rows = gaps(rowLosses(metric, candidate), rowLosses(metric, champion));
  let [worst, best] = [-Infinity, Infinity];
  const classes = candidate.task === 'multiclass' ? candidate.classes : 2;
  for (let k = 0; k < classes; k += 1) {
    const labels = new Uint16Array(rows.length).fill(k);
    const own = rowLosses(metric, { ...candidate, labels });
    const other = rowLosses(metric, { ...champion, labels });
    for (let row = 0; row < rows.length; row += 1) {
      worst = Math.max(worst, item(own, row) - item(other, row));
      best = Math.min(best, item(own, row) - item(other, row));
    }
  }
  const plain = meanLimits(rows, CONFIDENCE);
  const withRow = (gap: number): Limits => {
    const more = new Float64Array(rows.length + 1);
    more.set(rows);
    more[rows.length] = gap;
    return meanLimits(more, CONFIDENCE);
  };
  return {
    ...plain,
    lower: Math.min(plain.lower, withRow(best).lower),
    upper: Math.max(plain.upper, withRow(worst).upper),
  };
}

function gaps(candidate: Float64Array, champion: Float64Array): Float64Array {
  return candidate.map((value, row) => value - item(champion, row));
}

/** A row's share in the root of the mean square, to first order (delta method); its mean is 0. */
function influence(scored: Scored): Float64Array {
  const squares = rowLosses('rmse', scored);
  const root = metricValue('rmse', scored);
  return squares.map((square) => (root === 0 ? 0 : (square - root * root) / (2 * root)));
}

function shifted(limits: Limits, by: number): Limits {
  return { ...limits, estimate: limits.estimate + by, lower: limits.lower + by, upper: limits.upper + by };
}

/** Percentile or reflected limit, whichever is wider; strata are the classes. */
function* macroF1Limits(
  candidate: MulticlassScored,
  champion: MulticlassScored,
  estimate: number,
  seed: number,
  replicates: number,
): Generator<number, Limits, void> {
  const { labels, classes } = candidate;
  const own = predictedClasses(candidate);
  const others = predictedClasses(champion);
  const { values, standardError } = yield* bootstrap(
    labels,
    (choice) => macroF1(labels, others, classes, choice) - macroF1(labels, own, classes, choice),
    seed,
    replicates,
  );
  const low = quantileOf(values, 1 - CONFIDENCE);
  const high = quantileOf(values, CONFIDENCE);
  return {
    estimate,
    standardError,
    lower: Math.min(low, 2 * estimate - high),
    upper: Math.max(high, 2 * estimate - low),
  };
}
