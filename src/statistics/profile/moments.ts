/**
 * Moments of a feature's values, summed block by block: a long sum loses digits to its rounding, which always goes the same way while
 * the same small number is added. No sums are in arrays, and no loop goes through a shared function: millions of numbers would be boxed.
 */
import type { Moments, NumericProfile } from './types.js';

/** Values that are summed before their sum is. */
const BLOCK = 1_024;

/**
 * Null without values, and where the squares of their distances from the mean are beyond a double's range.
 * @param values finite, in any order
 * @param range theirs; null without values
 */
export function momentsOf(values: Float64Array, range: NumericProfile['range']): Moments | null {
  if (range === null) return null;
  const { least, most } = range;
  if (least === most) return { mean: least, deviation: 0, skewness: null, kurtosis: null };
  const mean = meanOf(values);
  const widest = Math.max(most - mean, mean - least);
  if (!Number.isFinite(widest ** 2)) return null;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let from = 0; from < values.length; from += BLOCK) {
    const block = powersOf(values.subarray(from, from + BLOCK), mean, widest);
    second += block.second;
    third += block.third;
    fourth += block.fourth;
  }
  const rows = values.length;
  const variance = second / rows;
  return {
    mean,
    deviation: Math.sqrt(variance) * widest,
    // JSON has no -0, and a profile is the same when it has been stored.
    skewness: third / rows / variance ** 1.5 + 0,
    kurtosis: fourth / rows / variance ** 2 - 3,
  };
}

/** Not finite where the range times the rows is beyond a double's. */
function meanOf(values: Float64Array): number {
  // About a value of theirs: a large offset would cost digits of the sum.
  const origin = values[0] as number;
  let shift = 0;
  for (let from = 0; from < values.length; from += BLOCK)
    shift += shiftOf(values.subarray(from, from + BLOCK), origin);
  return origin + shift / values.length;
}

function shiftOf(values: Float64Array, origin: number): number {
  let shift = 0;
  for (let i = 0; i < values.length; i += 1) shift += (values[i] as number) - origin;
  return shift;
}

interface Powers {
  readonly second: number;
  readonly third: number;
  readonly fourth: number;
}

/**
 * Sums of powers of the distances from the mean, in units of the widest: none is beyond a double's range, and what is lost below it
 * counts for nothing.
 */
function powersOf(values: Float64Array, mean: number, widest: number): Powers {
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let i = 0; i < values.length; i += 1) {
    const gap = ((values[i] as number) - mean) / widest;
    const square = gap * gap;
    second += square;
    third += square * gap;
    fourth += square * square;
  }
  return { second, third, fourth };
}
