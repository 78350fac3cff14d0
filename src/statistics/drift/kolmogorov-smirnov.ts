/** Two-sample Kolmogorov-Smirnov test, two-sided. p-values are those of scipy's `ks_2samp` (test/oracles/drift). */
import { pairProblems, refuse, sampleProblems, SIDES, total, type Pair } from './checks.js';
import { kolmogorovSurvival, survivalFloor } from './kolmogorov.js';
import { tied } from './ties.js';

export type KsMethod = 'exact' | 'asymptotic';

export interface KsResult {
  /** Largest distance of the two distribution functions. */
  readonly distance: number;
  readonly p: number;
  readonly method: KsMethod;
  readonly rows: Pair<number>;
}

/** From bins: the distance of the rows themselves lies from `distance` to `most`. `p` is that of `distance`, so at least theirs. */
export interface BinnedKsResult extends KsResult {
  readonly most: number;
}

/** scipy's rule: exact up to this many rows on the larger side. */
const EXACT_ROWS = 10_000;
/** From bins, where thousands of features are judged: the exact law while its sum is short. */
const EXACT_PATHS = 250_000;

/**
 * From the rows. Ties are taken as scipy does: the distance counts them together, the exact law knows none, so p is too large with
 * ties rather than too small.
 * @throws RangeError when a sample is empty or has a value that is not finite
 */
export function ksFromSamples(samples: Pair<ArrayLike<number>>, method?: KsMethod): KsResult {
  refuse(
    'Samples',
    SIDES.flatMap((side) => sampleProblems(side, samples[side])),
  );
  const larger = Math.max(samples.reference.length, samples.window.length);
  const { most: _, ...result } = ksOf(
    tied(samples),
    method ?? (larger <= EXACT_ROWS ? 'exact' : 'asymptotic'),
  );
  return result;
}

/**
 * From counts in the same bins. The distance at the borders of bins is exact; inside a bin the functions may be further apart, so
 * it is the least that the rows can have, and an alarm on its p-value holds for every way in which the rows can lie.
 * @throws RangeError when counts do not fit each other
 */
export function ksFromCounts(counts: Pair<readonly number[]>, method?: KsMethod): BinnedKsResult {
  refuse('Counts', pairProblems(counts));
  return ksOfPair(counts, method);
}

function ksOfPair(counts: Pair<readonly number[]>, method?: KsMethod): BinnedKsResult {
  const paths = total(counts.reference) * total(counts.window);
  return ksOf(counts, method ?? (paths <= EXACT_PATHS ? 'exact' : 'asymptotic'));
}

/**
 * Of counts that are known to fit each other, and null where p is surely above `bound`: the law costs more than all else that is asked
 * of a feature, and who looks for the least of several p-values needs it seldom.
 */
export function ksUpTo(bound: number, counts: Pair<readonly number[]>): BinnedKsResult | null {
  const [n, m] = [total(counts.reference), total(counts.window)];
  if (n * m > EXACT_PATHS) {
    const { distance } = distancesOf(counts, n, m);
    if (survivalFloor(effectiveRows(n, m), distance) > bound) return null;
  }
  return ksOfPair(counts);
}

function ksOf(counts: Pair<readonly number[]>, method: KsMethod): BinnedKsResult {
  const n = total(counts.reference);
  const m = total(counts.window);
  const { distance, most, steps } = distancesOf(counts, n, m);
  const p = method === 'exact' ? exactP(n, m, steps) : asymptoticP(n, m, distance);
  return { distance, most, p, method, rows: { reference: n, window: m } };
}

function distancesOf(
  counts: Pair<readonly number[]>,
  n: number,
  m: number,
): { readonly distance: number; readonly most: number; readonly steps: number } {
  // In whole numbers, so that no rounding moves the distance across a step of the exact law.
  const common = commonDivisor(n, m);
  const nStep = n / common;
  const mStep = m / common;
  let below = 0;
  let windowBelow = 0;
  let least = 0;
  let most = 0;
  counts.reference.forEach((count, bin) => {
    const upTo = below + count;
    const windowUpTo = windowBelow + (counts.window[bin] ?? 0);
    most = Math.max(most, upTo * mStep - windowBelow * nStep, windowUpTo * nStep - below * mStep);
    least = Math.max(least, Math.abs(upTo * mStep - windowUpTo * nStep));
    below = upTo;
    windowBelow = windowUpTo;
  });
  const unit = nStep * mStep * common;
  return { distance: least / unit, most: most / unit, steps: least };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** As scipy: the one-sample law of n m / (n + m) values. */
function asymptoticP(n: number, m: number, distance: number): number {
  const values = effectiveRows(n, m);
  return values === 0 ? 1 : kolmogorovSurvival(values, distance);
}

/** Rounded half to even. */
function effectiveRows(n: number, m: number): number {
  const effective = (n * m) / (n + m);
  const floor = Math.floor(effective);
  const rest = effective - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
  return up ? floor + 1 : floor;
}

/**
 * Share of the orders of n and m different values whose distance is `steps` / lcm(n, m) or more. Read backwards from an order of i
 * and j values, the last comes from either side with chances i and j: the share outside is a mean of two shares, nothing cancels
 * (T. Viehmann, "Numerically more stable computation of the p-values for the two-sample Kolmogorov-Smirnov test", 2021).
 */
function exactP(n: number, m: number, steps: number): number {
  if (steps === 0) return 1;
  const common = commonDivisor(n, m);
  const nStep = n / common;
  const mStep = m / common;
  const column = new Float64Array(m + 1);
  for (let i = 0; i <= n; i += 1) {
    // Rows of the window within the band: |i mStep - j nStep| < steps. What lies outside of it has the share 1.
    const first = Math.max(0, Math.floor((i * mStep - steps) / nStep) + 1);
    const last = Math.min(m, Math.ceil((i * mStep + steps) / nStep) - 1);
    const lastBefore = i === 0 ? -1 : Math.min(m, Math.ceil(((i - 1) * mStep + steps) / nStep) - 1);
    if (first > last) return 1;
    let below = first === 0 ? 0 : 1;
    for (let j = first; j <= last; j += 1) {
      if (i === 0) below = 0;
      else {
        const left = j > lastBefore ? 1 : (column[j] ?? 0);
        below = (i * left + j * below) / (i + j);
      }
      column[j] = below;
    }
  }
  return Math.min(1, column[m] ?? 1);
}
