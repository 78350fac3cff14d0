/**
 * The two pieces of C. Loader's saddle-point form of binomial and Poisson densities ("Fast and accurate computation of binomial
 * probabilities", 2000). With them a density in the far tail keeps its digits, where differences of ln Gamma lose them.
 */
import { lnGamma } from '../canary/numbers.js';

const HALF_LN_TWO_PI = 0.9189385332046728;

/** ln Gamma(n + 1) less Stirling's n ln n - n + ln(2 pi n) / 2, for n > 0. */
export function stirlingError(n: number): number {
  if (n < 16) return lnGamma(n + 1) - (n + 0.5) * Math.log(n) + n - HALF_LN_TWO_PI;
  const square = n * n;
  const inner = 1 / 1680 - (1 / 1188 - 691 / 360_360 / square) / square;
  return (1 / 12 - (1 / 360 - (1 / 1260 - inner / square) / square) / square) / n;
}

/** x ln(x / mean) + mean - x, for x >= 0 and mean > 0, without cancellation where both are close. */
export function deviance(x: number, mean: number): number {
  if (x === 0) return mean;
  const gap = x - mean;
  if (Math.abs(gap) >= 0.1 * (x + mean)) return x * Math.log(x / mean) - gap;
  const v = gap / (x + mean);
  let sum = gap * v;
  let term = 2 * x * v;
  for (let j = 1; j < 1000; j += 1) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}
