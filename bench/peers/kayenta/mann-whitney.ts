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

/**
 * Ranks change only at a difference of a pair, so between two neighbouring ones z is one number, and it only falls.
 * @param confidence two-sided, e.g. 0.98
 * @throws RangeError when all shifts are one (a single value on either side): there is nothing to search
 */
export function shiftInterval(
  canary: readonly number[],
  baseline: readonly number[],
  confidence: number,
): ShiftInterval {
  const x = Float64Array.from(canary).sort();
  const y = Float64Array.from(baseline).sort();
  const differences = new Float64Array(x.length * y.length);
  x.forEach((a, i) => y.forEach((b, j) => (differences[i * y.length + j] = a - b)));
  differences.sort();
  const edges = [...differences].filter((edge, i) => i === 0 || edge !== differences[i - 1]);
  if (edges.length < 2)
    throw new RangeError(`All shifts are ${edges[0]}: at least two values of a side must differ`);

  /** Where z falls to the level; where it never does, an end of all shifts. */
  const falls = (level: number): number => {
    let [low, high] = [0, edges.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      const between = ((edges[middle] ?? NaN) + (edges[middle + 1] ?? NaN)) / 2;
      if (zSorted(x, y, between) <= level) high = middle;
      else low = middle + 1;
    }
    return edges[low] ?? NaN;
  };
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const middle = differences.length / 2;
  const estimate =
    ((differences[Math.ceil(middle) - 1] ?? NaN) + (differences[Math.floor(middle)] ?? NaN)) / 2;
  return { low: falls(z), high: falls(-z), estimate };
}

/** Standardised rank sum of the canary's values among all; average ranks where values are equal. */
export const rankZ = (canary: readonly number[], baseline: readonly number[]): number =>
  zSorted(Float64Array.from(canary).sort(), Float64Array.from(baseline).sort(), 0);

function zSorted(x: Float64Array, y: Float64Array, shift: number): number {
  const [n, m] = [x.length, y.length];
  const ours = (i: number): number => (i < n ? (x[i] ?? NaN) - shift : Infinity);
  const theirs = (j: number): number => (j < m ? (y[j] ?? NaN) : Infinity);
  let [i, j, sum, ties] = [0, 0, 0, 0];
  while (i < n || j < m) {
    const value = Math.min(ours(i), theirs(j));
    const [fromI, fromJ] = [i, j];
    while (i < n && ours(i) === value) i += 1;
    while (j < m && theirs(j) === value) j += 1;
    const equal = i - fromI + j - fromJ;
    sum += (i - fromI) * (fromI + fromJ + (equal + 1) / 2);
    ties += equal ** 3 - equal;
  }
  const above = sum - (n * (n + 1)) / 2 - (n * m) / 2;
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  return variance === 0 ? 0 : (above - 0.5 * Math.sign(above)) / Math.sqrt(variance);
}
