/** A window's score against a fixed reference, for a watch without end (run-length.ts). */
import { normalQuantile } from '../metrics/distributions.js';
import { pairProblems, refuse, shareProblems, total, type Pair } from './checks.js';

export interface ReferenceScore {
  /** How far the window's mean rank among the reference is from the middle, in its own sd: standard normal around an offset. */
  readonly score: number;
  /** What the offset may be, but for a share of `alpha` of all references. */
  readonly allowance: number;
}

/**
 * Windows that are compared with one reference share its luck: an odd reference shifts all of them, for ever, and what adds up
 * windows would take that for drift. So the window's own chance alone is in the score, and the reference's is allowed for, once, at
 * its share `alpha`. The smaller the reference, the larger the shifts that cannot be told from it. `undefined` when more than half
 * of the reference lies in one bin: ranks are too skewed then for a normal score, or say nothing at all.
 * @throws RangeError when counts do not fit each other, or alpha is not between 0 and 1
 */
export function midRankScore(counts: Pair<readonly number[]>, alpha: number): ReferenceScore | undefined {
  refuse('Counts', [...pairProblems(counts), ...shareProblems('alpha', alpha)]);
  const n = total(counts.reference);
  const m = total(counts.window);
  let below = 0;
  let sum = 0;
  let squares = 0;
  counts.reference.forEach((count, bin) => {
    const rank = (below + count / 2) / n - 0.5;
    squares += (count / n) * rank * rank;
    sum += (counts.window[bin] ?? 0) * rank;
    below += count;
  });
  if (counts.reference.some((count) => count > n / 2)) return undefined;
  return { score: sum / Math.sqrt(m * squares), allowance: -normalQuantile(alpha / 2) * Math.sqrt(m / n) };
}
