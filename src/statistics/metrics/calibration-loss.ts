/**
 * Loss of calibration: how much larger the candidate's expected calibration error (ECE) is than the champion's on the same rows.
 *
 * ECE is a sum of absolute values, so its plug-in value is too large where a bin is calibrated, and a bootstrap repeats that
 * bias: with a calibrated champion, percentile limits of the difference passed a candidate at exactly the margin in 60-98 % of
 * simulated data sets (docs/gates.md). Two upper limits that err towards not passing take its place; both are means over rows:
 * - ECE is the largest of all sums over bins of sign * error. With the candidate's own signs its sum is too large on average if
 *   anything, with signs learned on the other half of the rows the champion's sum is too small if anything.
 * - By the triangle inequality the loss is at most the sum over bins of |candidate's error - champion's error|. Sharp when
 *   the two answer alike.
 * Each is taken at half the error probability, so the smaller of them is a limit too (Bonferroni).
 */
import { CALIBRATION_BINS } from './calibration.js';
import type { BinnedErrors } from './calibration.js';
import { meanLimits } from './limits.js';
import type { Limits } from './limits.js';
import { seededRandom } from './random.js';
import { item } from './scored.js';

/**
 * Limits of the loss of calibration, `estimate` being the plain difference of the two ECEs summed over the pairs given (one
 * pair per class) and divided by their number.
 * @param confidence of each limit
 * @param seed decides which rows are in which half
 */
export function calibrationLoss(
  candidate: readonly BinnedErrors[],
  champion: readonly BinnedErrors[],
  confidence: number,
  seed: number,
): Limits {
  const rows = candidate[0]?.bins.length ?? 0;
  const random = seededRandom(seed);
  const half = Uint8Array.from({ length: rows }, () => (random.next() < 0.5 ? 0 : 1));
  const level = 1 - (1 - confidence) / 2;
  const worse = meanLimits(
    averaged(candidate, champion, (a, b) => signedLosses(a, b, half)),
    level,
  );
  const better = meanLimits(
    averaged(champion, candidate, (a, b) => signedLosses(a, b, half)),
    level,
  );
  const apart = meanLimits(averaged(candidate, champion, gapLosses), level);
  const upper = Math.min(worse.upper, apart.upper);
  const lower = Math.max(-better.upper, -apart.upper);
  return {
    estimate: (worse.estimate - better.estimate) / 2,
    standardError: worse.standardError,
    lower,
    upper,
  };
}

type RowLosses = (candidate: BinnedErrors, champion: BinnedErrors) => Float64Array;

/** Mean over the classes, row by row. */
function averaged(
  candidate: readonly BinnedErrors[],
  champion: readonly BinnedErrors[],
  losses: RowLosses,
): Float64Array {
  const rows = candidate[0]?.bins.length ?? 0;
  const sums = new Float64Array(rows);
  candidate.forEach((own, k) => {
    const other = champion[k];
    if (other === undefined) return;
    losses(own, other).forEach((loss, row) => add(sums, row, loss / candidate.length));
  });
  return sums;
}

/** Candidate's errors with its own signs, less the champion's with those of the other half. */
function signedLosses(candidate: BinnedErrors, champion: BinnedErrors, half: Uint8Array): Float64Array {
  const own = new Float64Array(CALIBRATION_BINS);
  const first = new Float64Array(CALIBRATION_BINS);
  const second = new Float64Array(CALIBRATION_BINS);
  for (let row = 0; row < half.length; row += 1) {
    add(own, item(candidate.bins, row), item(candidate.errors, row));
    add(half[row] === 1 ? second : first, item(champion.bins, row), item(champion.errors, row));
  }
  return Float64Array.from(half, (side, row) => {
    const learned = side === 1 ? first : second;
    return (
      Math.sign(item(own, item(candidate.bins, row))) * item(candidate.errors, row) -
      Math.sign(item(learned, item(champion.bins, row))) * item(champion.errors, row)
    );
  });
}

/** Both errors, with the sign of their difference in the bin. */
function gapLosses(candidate: BinnedErrors, champion: BinnedErrors): Float64Array {
  const gaps = new Float64Array(CALIBRATION_BINS);
  const rows = candidate.bins.length;
  for (let row = 0; row < rows; row += 1) {
    add(gaps, item(candidate.bins, row), item(candidate.errors, row));
    add(gaps, item(champion.bins, row), -item(champion.errors, row));
  }
  return Float64Array.from(
    { length: rows },
    (_, row) =>
      Math.sign(item(gaps, item(candidate.bins, row))) * item(candidate.errors, row) -
      Math.sign(item(gaps, item(champion.bins, row))) * item(champion.errors, row),
  );
}

function add(sums: Float64Array, place: number, value: number): void {
  sums[place] = item(sums, place) + value;
}
