/** Chi-square distribution, right in the upper tail down to the smallest doubles. See test/oracles/drift. */
import { normalQuantile } from '../metrics/distributions.js';
import { deviance, stirlingError } from './saddle.js';

/** x^a e^-x / Gamma(a + 1). */
function poissonTerm(a: number, x: number): number {
  return Math.exp(-stirlingError(a) - deviance(a, x)) / Math.sqrt(2 * Math.PI * a);
}

/** Lower regularised incomplete gamma function by its series, for x < a + 1. */
function lowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 100_000; k += 1) {
    term *= x / (a + k);
    sum += term;
    if (term < sum * 1e-17) break;
  }
  return poissonTerm(a, x) * sum;
}

/** Upper one by its continued fraction (Lentz's method, as in Numerical Recipes 6.2), for x >= a + 1. */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < 100_000; k += 1) {
    const top = -k * (k - a);
    b += 2;
    d = top * d + b;
    if (Math.abs(d) < 1e-300) d = 1e-300;
    c = b + top / c;
    if (Math.abs(c) < 1e-300) c = 1e-300;
    d = 1 / d;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return poissonTerm(a, x) * a * fraction;
}

/** P(X > x) of a chi-square distribution with `freedom` > 0 degrees of freedom. */
export function chiSquareSurvival(x: number, freedom: number): number {
  if (x <= 0) return 1;
  const a = freedom / 2;
  const half = x / 2;
  return half < a + 1 ? 1 - lowerSeries(a, half) : upperFraction(a, half);
}

/** The x with P(X > x) = `tail`, for 0 < tail < 1: Newton's steps on ln P, kept within a bracket. */
export function chiSquareUpperQuantile(tail: number, freedom: number): number {
  const spread = 2 / (9 * freedom);
  // Wilson and Hilferty's cube; 1 - tail would lose a small tail.
  const cube = 1 - spread - normalQuantile(tail) * Math.sqrt(spread);
  let x = Math.max(freedom * cube ** 3, 1e-8 * freedom);
  let low = 0;
  let high = Infinity;
  for (let i = 0; i < 200; i += 1) {
    const survival = chiSquareSurvival(x, freedom);
    if (survival > tail) low = x;
    else high = x;
    const density = (poissonTerm(freedom / 2, x / 2) * freedom) / (2 * x);
    let next = x + (Math.log(survival / tail) * survival) / density;
    if (!(next > low && next < high)) next = high === Infinity ? 2 * x : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-14 * x) return next;
    x = next;
  }
  return x;
}
