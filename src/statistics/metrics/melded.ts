/**
 * One-sided confidence limits of differences and ratios of two proportions by melding: each proportion's exact (Clopper-Pearson)
 * limits at all levels form a beta distribution, and the limit is a quantile of the difference (ratio, product) of two such
 * independent ones. M. P. Fay, M. A. Proschan and E. Brittain, "Combining one-sample confidence procedures for inference in the
 * two-sample case", Biometrics 71 (2015) 146-156; pairs: M. P. Fay and K. Lumbard, Statist. Med. 40 (2021) 1147-1159.
 * With no difference they agree with Fisher's exact test and the sign test. Approximate intervals (Newcombe, Katz, Tango) missed
 * up to 15 %, 74 % and 8 % on one side where these, summed exactly, never missed more than 5 %.
 */
import { betaCdf, betaLogDensity } from './distributions.js';
import type { Limits } from './limits.js';

export interface Count {
  readonly successes: number;
  readonly rows: number;
}

/** A beta distribution; without `a` all of it lies at 0, without `b` at 1. */
interface Beta {
  readonly a: number;
  readonly b: number;
  readonly mean: number;
  readonly deviation: number;
}

function beta(a: number, b: number): Beta {
  const mean = a / (a + b);
  return { a, b, mean, deviation: Math.sqrt((mean * (1 - mean)) / (a + b + 1)) };
}

/** What exact upper limits at all levels say about a proportion. */
const fromAbove = ({ successes, rows }: Count): Beta => beta(successes + 1, rows - successes);
/** What exact lower limits at all levels say. */
const fromBelow = ({ successes, rows }: Count): Beta => beta(successes, rows - successes + 1);

const chanceAtMost = (x: number, { a, b }: Beta): number =>
  x < 0 ? 0 : x >= 1 || a === 0 ? 1 : b === 0 ? 0 : betaCdf(x, a, b);

/** Of the integral, for each standard deviation. */
const PANELS = 2;
/** Gauss-Legendre, four points on -1 to 1. */
const POINTS = [-0.8611363115940526, -0.33998104358485626, 0.33998104358485626, 0.8611363115940526];
const WEIGHTS = [0.34785484513745385, 0.6521451548625461, 0.6521451548625461, 0.34785484513745385];

/**
 * The mean of f over the distribution, by panels from kink to kink.
 * @param f changes no faster than the density does, but may be constant beyond some of the kinks
 */
function average(of: Beta, kinks: readonly number[], f: (x: number) => number): number {
  const { a, b, mean, deviation } = of;
  if (deviation === 0) return f(mean);
  const reach = 8 * deviation + 24 / (a + b);
  const least = Math.max(0, mean - reach);
  const most = Math.min(1, mean + reach);
  const inside = kinks.filter((kink) => kink > least && kink < most).sort((one, other) => one - other);
  let sum = 0;
  let total = 0;
  let from = least;
  for (const to of [...inside, most]) {
    const panels = Math.ceil((PANELS * (to - from)) / deviation);
    const width = (to - from) / panels;
    for (let panel = 0; panel < panels; panel += 1) {
      for (const [i, point] of POINTS.entries()) {
        const x = from + width * (panel + (1 + point) / 2);
        const weight = width * (WEIGHTS[i] ?? 0) * Math.exp(betaLogDensity(x, a, b));
        total += weight;
        if (weight > 0) sum += weight * f(x);
      }
    }
    from = to;
  }
  return sum / total;
}

/** Confidence that first - second is at most `value`: the upper limit at this level. Lower limits: swap the two. */
export function differenceConfidence(first: Count, second: Count, value: number): number {
  const p = fromAbove(first);
  const q = fromBelow(second);
  return p.deviation < q.deviation
    ? average(p, [value, 1 + value], (x) => 1 - chanceAtMost(x - value, q))
    : average(q, [-value, 1 - value], (x) => chanceAtMost(x + value, p));
}

/** Confidence that first / second is at most `value` > 0. Lower limits: swap the two, 1 / value. */
export function ratioConfidence(first: Count, second: Count, value: number): number {
  const p = fromAbove(first);
  const q = fromBelow(second);
  return p.deviation * q.mean < q.deviation * p.mean
    ? average(p, [value], (x) => 1 - chanceAtMost(x / value, q))
    : average(q, [1 / value], (x) => chanceAtMost(x * value, p));
}

/**
 * Confidence that the share of rows with only the first, less that with only the second, is at most `value`. The two shares are
 * that of rows with just one of them (discordant), and the first's part of these: discordant · (2 · part - 1).
 */
export function pairedConfidence(onlyFirst: number, onlySecond: number, rows: number, value: number): number {
  const differ = { successes: onlyFirst + onlySecond, rows };
  const part = fromAbove({ successes: onlyFirst, rows: differ.successes });
  const share = value >= 0 ? fromAbove(differ) : fromBelow(differ);
  if (share.deviation * Math.abs(2 * part.mean - 1) < 2 * part.deviation * share.mean)
    return average(share, [Math.abs(value)], (x) => chanceAtMost((1 + value / x) / 2, part));
  return average(part, [0.5, (1 + value) / 2], (x) => {
    const factor = 2 * x - 1;
    if (value >= 0) return factor <= 0 ? 1 : chanceAtMost(value / factor, share);
    return factor >= 0 ? 0 : 1 - chanceAtMost(value / factor, share);
  });
}

/** Of first - second, two independent proportions. NaN without rows. */
export function differenceLimits(first: Count, second: Count, confidence: number): Limits {
  const p = first.successes / first.rows;
  const q = second.successes / second.rows;
  const estimate = p - q;
  const standardError = Math.sqrt((p * (1 - p)) / first.rows + (q * (1 - q)) / second.rows);
  if (Number.isNaN(estimate)) return unknown(estimate, standardError);
  const above = (one: Count, other: Count, from: number): number =>
    crossing((value) => differenceConfidence(one, other, value) - confidence, from, 1);
  return {
    estimate,
    standardError,
    lower: -above(second, first, -estimate),
    upper: above(first, second, estimate),
  };
}

/**
 * Of first / second, two independent proportions; the standard error is that of the logarithm. 0 successes of the second: no upper
 * limit (Infinity). NaN when both have none, or without rows.
 */
export function ratioLimits(first: Count, second: Count, confidence: number): Limits {
  const estimate = first.successes / first.rows / (second.successes / second.rows);
  const standardError = Math.sqrt(
    1 / first.successes - 1 / first.rows + 1 / second.successes - 1 / second.rows,
  );
  if (Number.isNaN(estimate)) return unknown(estimate, standardError);
  const above = (one: Count, other: Count): number => {
    if (other.successes === 0) return Infinity;
    const found = (log: number): number => ratioConfidence(one, other, Math.exp(log)) - confidence;
    const from = Math.log(Math.max(one.successes, 0.5) / one.rows / (other.successes / other.rows));
    let to = from + 1;
    while (found(to) < 0) to += 1;
    return Math.exp(crossing(found, one.successes === 0 ? from - 3 : from, to));
  };
  return { estimate, standardError, lower: 1 / above(second, first), upper: above(first, second) };
}

/** Of the difference of two proportions on the same rows, (onlyFirst - onlySecond) / rows. NaN without rows. */
export function pairedLimits(
  onlyFirst: number,
  onlySecond: number,
  rows: number,
  confidence: number,
): Limits {
  const estimate = (onlyFirst - onlySecond) / rows;
  const standardError = Math.sqrt(Math.max(0, (onlyFirst + onlySecond) / rows - estimate * estimate) / rows);
  if (Number.isNaN(estimate)) return unknown(estimate, standardError);
  const above = (one: number, other: number): number =>
    crossing((value) => pairedConfidence(one, other, rows, value) - confidence, (one - other) / rows, 1);
  return {
    estimate,
    standardError,
    lower: -above(onlySecond, onlyFirst),
    upper: above(onlyFirst, onlySecond),
  };
}

const unknown = (estimate: number, standardError: number): Limits => ({
  estimate,
  standardError,
  lower: Number.NaN,
  upper: Number.NaN,
});

/** Where a growing f comes above 0 between `from` and `to`, to 1e-10, by false position (Illinois); each third step halves. */
function crossing(f: (x: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  let [below, above] = [f(low), f(high)];
  if (below >= 0) return low;
  let last = 0;
  for (let step = 1; step <= 200 && high - low > 1e-10; step += 1) {
    const guess = (low * above - high * below) / (above - below);
    const x = step % 3 === 0 || !(guess > low && guess < high) ? (low + high) / 2 : guess;
    const value = f(x);
    if (value >= 0) {
      [high, above] = [x, value];
      if (last === 1) below /= 2;
      last = 1;
    } else {
      [low, below] = [x, value];
      if (last === -1) above /= 2;
      last = -1;
    }
  }
  return high;
}
