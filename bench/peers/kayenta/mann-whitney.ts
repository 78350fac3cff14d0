/**
 * The Mann-Whitney interval that Kayenta's judge decides by: for which shifts of the canary's values would the two samples look
 * alike? Normal approximation with ties and continuity correction.
 */
import { normalQuantile } from '../../../src/statistics/metrics/distributions.js';

export interface ShiftInterval {
  readonly low: number;
  readonly high: number;
  /** Hodges-Lehmann: the shift at which the canary's ranks are neither high nor low. */
  readonly estimate: number;
}

/** Enough to find a step of the rank sum to the last bits. */
const BISECTIONS = 80;

/**
 * @param confidence two-sided, e.g. 0.98
 * @throws RangeError when all shifts are one (a single value on either side): there is nothing to search
 */
export function shiftInterval(
  canary: readonly number[],
  baseline: readonly number[],
  confidence: number,
): ShiftInterval {
  const least = Math.min(...canary) - Math.max(...baseline);
  const most = Math.max(...canary) - Math.min(...baseline);
  if (!(most > least))
    throw new RangeError(
      `The shifts to search run from ${least} to ${most}: at least two values of a side must differ`,
    );
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const root = (level: number, corrected: boolean): number =>
    falls((shift) => rankZ(canary, baseline, shift, corrected) - level, least, most);
  return { low: root(z, true), high: root(-z, true), estimate: root(0, false) };
}

/** The place where a function that only falls, in steps, passes 0; an end of the range where it does not. */
function falls(f: (x: number) => number, least: number, most: number): number {
  if (f(least) <= 0) return least;
  if (f(most) >= 0) return most;
  // The last place above 0 and the first one below: between them is a level of exactly 0, or a single step.
  const above = edge((x) => f(x) > 0, least, most);
  const below = edge((x) => f(x) >= 0, least, most);
  return (above + below) / 2;
}

/** Where `holds` ends, given that it holds at `from` and not at `to`. */
function edge(holds: (x: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Standardised rank sum of the canary's values less `shift` among all; average ranks where values are equal. */
export function rankZ(
  canary: readonly number[],
  baseline: readonly number[],
  shift: number,
  corrected: boolean,
): number {
  const [n, m] = [canary.length, baseline.length];
  const all = [
    ...canary.map((value) => ({ value: value - shift, ours: true })),
    ...baseline.map((value) => ({ value, ours: false })),
  ].sort((a, b) => a.value - b.value);
  let sum = 0;
  let ties = 0;
  for (let i = 0; i < all.length;) {
    let end = i;
    while (end < all.length && all[end]?.value === all[i]?.value) end += 1;
    const equal = end - i;
    const rank = (i + 1 + end) / 2;
    sum += rank * all.slice(i, end).filter(({ ours }) => ours).length;
    ties += equal ** 3 - equal;
    i = end;
  }
  const above = sum - (n * (n + 1)) / 2 - (n * m) / 2;
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  if (variance === 0) return 0;
  return (above - (corrected ? 0.5 * Math.sign(above) : 0)) / Math.sqrt(variance);
}
