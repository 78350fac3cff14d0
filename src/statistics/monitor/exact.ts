/** Exact tails of counts, for what is rare: a share of rows is compared with few or no rows of the reference. */
import { lnGamma } from '../canary/numbers.js';
import { betaCdf } from '../metrics/distributions.js';

/** Terms that add no digit end a sum. */
const NEGLIGIBLE = 1e-17;

/** How many rows of how many. */
export interface Share {
  readonly hits: number;
  readonly rows: number;
}

export const shareOf = ({ hits, rows }: Share): number => (rows === 0 ? 0 : hits / rows);

const lnChoose = (n: number, k: number): number => lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1);

/**
 * Fisher's exact test, one-sided: the chance of so many hits in the window or more, given all hits of both sides, when a row is a hit
 * as often on both. Exact however few hits the reference has. 1 where the window has no more than its part.
 */
export function fisherGreater(window: Share, reference: Share): number {
  const rows = window.rows + reference.rows;
  const hits = window.hits + reference.hits;
  if (rows === 0 || window.hits * rows <= hits * window.rows) return 1;
  const misses = rows - hits;
  let term = Math.exp(
    lnChoose(hits, window.hits) + lnChoose(misses, window.rows - window.hits) - lnChoose(rows, window.rows),
  );
  let sum = 0;
  for (let k = window.hits; k <= Math.min(hits, window.rows); k += 1) {
    sum += term;
    if (term < sum * NEGLIGIBLE) break;
    term *= ((hits - k) * (window.rows - k)) / ((k + 1) * (misses - window.rows + k + 1));
  }
  return Math.min(1, sum);
}

/** P(X >= hits) of a binomial law of `rows` trials of chance `share` (0..1); 1 where hits are no more than their mean. */
export function binomialGreater({ hits, rows }: Share, share: number): number {
  if (hits <= rows * share) return 1;
  if (share <= 0) return 0;
  return betaCdf(share, hits, rows - hits + 1);
}
