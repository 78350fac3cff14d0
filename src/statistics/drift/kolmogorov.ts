/**
 * Law of the one-sample Kolmogorov-Smirnov distance, with the branches of scipy's `kstwo.sf`, which are those of R. Simard and
 * P. L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov distribution", J. Stat. Softw. 39 (2011) 11.
 */
import { durbin, pelzGood } from './kolmogorov-cdf.js';
import { deviance, stirlingError } from './saddle.js';

/**
 * P(D+ >= x) of the one-sided distance of n values (Birnbaum and Tingey, 1951). All terms are positive, each a binomial
 * probability in saddle-point form: nothing cancels in the tail. Time grows with n.
 */
export function smirnovSurvival(n: number, x: number): number {
  if (x <= 0) return 1;
  if (x >= 1) return 0;
  let sum = (1 - x) ** n;
  const shift = n * x;
  const most = Math.floor(n * (1 - x));
  const whole = stirlingError(n);
  for (let j = 1; j <= most; j += 1) {
    const mean = j + shift;
    const rest = n - j;
    const restMean = n - mean;
    if (restMean <= 0) break;
    const exponent =
      whole - stirlingError(j) - stirlingError(rest) - deviance(j, mean) - deviance(rest, restMean);
    sum += (shift / mean) * Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * j * rest));
  }
  return Math.min(1, sum);
}

/** P(D >= d) of the two-sided distance of `n` values, n a whole number from 1. */
export function kolmogorovSurvival(n: number, d: number): number {
  if (d >= 1) return 0;
  const t = n * d;
  if (t <= 0.5) return 1;
  if (t <= 1) return 1 - rubenGambino(n, t);
  if (t >= n - 1) return 2 * (1 - d) ** n;
  const square = t * d;
  // Both sides far off at once has no share worth counting: scipy's bounds, so that its figures are met.
  const far = n <= 140 ? square > 4 : square >= 2.2;
  if (d >= 0.5 || far) return Math.min(1, 2 * smirnovSurvival(n, d));
  const exact = n <= 140 || (n <= 100_000 && n * d ** 1.5 <= 1.4);
  return Math.min(1, Math.max(0, 1 - (exact ? durbin(n, d) : pelzGood(n, d))));
}

/** Where {@link survivalFloor} is one, and what part of the approximation it is. */
const FLOOR = { values: 20, p: 1e-3, part: 0.9 } as const;

/**
 * What P(D >= d) surely is at least, in no time: nine tenths of M. A. Stephens' approximation (J. R. Stat. Soc. B 32 (1970) 115-122), which is
 * above the law by less than a twentieth where it is above .001 and there are 20 values; elsewhere 0. A test compares it with the law.
 */
export function survivalFloor(n: number, d: number): number {
  if (n < FLOOR.values) return 0;
  const root = Math.sqrt(n);
  const square = (d * (root + 0.12 + 0.11 / root)) ** 2;
  // Two terms of an alternating series.
  const p = 2 * (Math.exp(-2 * square) - Math.exp(-8 * square));
  return p > FLOOR.p ? FLOOR.part * p : 0;
}

/** P(D <= t / n) for t from 1/2 to 1: n! ((2 t - 1) / n)^n. */
function rubenGambino(n: number, t: number): number {
  return Math.exp(stirlingError(n) - n + n * Math.log(2 * t - 1)) * Math.sqrt(2 * Math.PI * n);
}
