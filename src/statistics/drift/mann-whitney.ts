/** Mann-Whitney U test, two-sided: does one side tend to larger values? p-values are scipy's `mannwhitneyu` (test/oracles/drift). */
import { normalCdf } from '../metrics/distributions.js';
import { pairProblems, refuse, sampleProblems, SIDES, total, type Pair } from './checks.js';
import { tied } from './ties.js';

export interface MannWhitneyResult {
  /** Pairs of a reference and a window row in which the reference is the larger, a tie counting one half. */
  readonly u: number;
  /** Chance that a row of the window is larger than one of the reference: .5 when neither tends to be. */
  readonly larger: number;
  /** Signed, positive when the window tends to larger values; without continuity correction. 0 when all rows are equal. */
  readonly z: number;
  readonly p: number;
  readonly method: 'exact' | 'asymptotic';
  readonly rows: Pair<number>;
}

/** scipy's rule: exact without ties while the smaller side has this many rows or fewer. */
const EXACT_ROWS = 8;
/** The larger side's limit for the exact law, which scipy has not: its sum grows with it, and the normal law is as good there. */
const EXACT_LARGER = 10_000;

/** @throws RangeError when a sample is empty or has a value that is not finite */
export function mannWhitneyFromSamples(samples: Pair<ArrayLike<number>>): MannWhitneyResult {
  refuse(
    'Samples',
    SIDES.flatMap((side) => sampleProblems(side, samples[side])),
  );
  return mannWhitney(tied(samples));
}

/**
 * From counts in the same ordered bins, the rows of a bin being tied: a valid test whatever lies within, which loses what moved
 * within bins only.
 * @throws RangeError when counts do not fit each other
 */
export function mannWhitneyFromCounts(counts: Pair<readonly number[]>): MannWhitneyResult {
  refuse('Counts', pairProblems(counts));
  return mannWhitney(counts);
}

/** Of counts that are known to fit each other. */
export function mannWhitney(counts: Pair<readonly number[]>): MannWhitneyResult {
  const n = total(counts.reference);
  const m = total(counts.window);
  let u = 0;
  let windowBelow = 0;
  let ties = 0;
  counts.reference.forEach((count, bin) => {
    const other = counts.window[bin] ?? 0;
    u += count * (windowBelow + other / 2);
    windowBelow += other;
    const both = count + other;
    ties += both * both * both - both;
  });
  const rows = { reference: n, window: m };
  const larger = 1 - u / (n * m);
  const all = n + m;
  const spread = Math.sqrt(((n * m) / 12) * (all + 1 - ties / (all * (all - 1))));
  const off = n * m - u - (n * m) / 2;
  const z = spread > 0 ? off / spread : 0;
  if (ties === 0 && Math.min(n, m) <= EXACT_ROWS && Math.max(n, m) <= EXACT_LARGER) {
    return { u, larger, z, p: exactP(n, m, Math.min(u, n * m - u)), method: 'exact', rows };
  }
  const p = spread > 0 ? Math.min(1, 2 * normalCdf(-(Math.abs(off) - 0.5) / spread)) : 1;
  return { u, larger, z, p, method: 'asymptotic', rows };
}

/**
 * Twice the share of orders with U of `u` or less, `u` below the middle. Numbers of orders by U are the coefficients of the Gaussian
 * binomial, the product of (1 - q^(larger + i)) / (1 - q^i).
 */
function exactP(n: number, m: number, u: number): number {
  const smaller = Math.min(n, m);
  const larger = Math.max(n, m);
  const orders = new Float64Array(u + 1);
  orders[0] = 1;
  let all = 1;
  for (let i = 1; i <= smaller; i += 1) {
    for (let k = u; k >= larger + i; k -= 1) orders[k] = (orders[k] ?? 0) - (orders[k - larger - i] ?? 0);
    for (let k = i; k <= u; k += 1) orders[k] = (orders[k] ?? 0) + (orders[k - i] ?? 0);
    all = (all * (larger + i)) / i;
  }
  return Math.min(1, (2 * total(orders)) / all);
}
