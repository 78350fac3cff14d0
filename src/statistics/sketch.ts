import type { Sketch } from '../contracts/windows.js';

/**
 * Quantiles with a relative error of at most 1 %: bin i holds values in (g^(i-1), g^i], g = (1 + e) / (1 - e), e = 0.01, and is
 * answered by 2 g^i / (g + 1). After Masson, Rim and Lee, DDSketch, PVLDB 12 (2019), with fixed bins and bounded range.
 */
export const SKETCH_ERROR = 0.01;
const LN_GROWTH = Math.log((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR));
/** Values of smaller size count as zero, larger ones as the largest: at most about 2,800 bins a side. */
const SMALLEST = 1e-12;
const LARGEST = 1e12;

/** The same shape with places to write to. */
export interface MutableSketch {
  count: number;
  sum: number;
  sumSquares: number;
  missing: number;
  zeros: number;
  positive: Record<string, number>;
  negative: Record<string, number>;
}

export const emptySketch = (): MutableSketch => ({
  count: 0,
  sum: 0,
  sumSquares: 0,
  missing: 0,
  zeros: 0,
  positive: {},
  negative: {},
});

const binOf = (size: number): number => Math.ceil(Math.log(Math.min(size, LARGEST)) / LN_GROWTH);
const valueOf = (bin: number): number => Math.exp(bin * LN_GROWTH) * (1 - SKETCH_ERROR);

/** Adds one value; NaN and infinities are counted as missing. */
export function addValue(sketch: MutableSketch, value: number): void {
  if (!Number.isFinite(value)) {
    sketch.missing += 1;
    return;
  }
  sketch.count += 1;
  sketch.sum += value;
  sketch.sumSquares += value * value;
  const size = Math.abs(value);
  if (size < SMALLEST) {
    sketch.zeros += 1;
    return;
  }
  const bins = value > 0 ? sketch.positive : sketch.negative;
  const bin = String(binOf(size));
  bins[bin] = (bins[bin] ?? 0) + 1;
}

/** Adds all of `from`. Counts and bins come out the same in any order; sums up to rounding. */
export function mergeSketch(into: MutableSketch, from: Sketch): void {
  into.count += from.count;
  into.sum += from.sum;
  into.sumSquares += from.sumSquares;
  into.missing += from.missing;
  into.zeros += from.zeros;
  for (const side of ['positive', 'negative'] as const) {
    for (const [bin, count] of Object.entries(from[side])) into[side][bin] = (into[side][bin] ?? 0) + count;
  }
}

/** Bins as [representative value, count], ascending. */
function ascending(sketch: Sketch): readonly (readonly [number, number])[] {
  const side = (bins: Sketch['positive'], sign: number): [number, number][] =>
    Object.entries(bins).map(([bin, count]) => [sign * valueOf(Number(bin)), count]);
  return [...side(sketch.negative, -1), [0, sketch.zeros] as const, ...side(sketch.positive, 1)].sort(
    (a, b) => a[0] - b[0],
  );
}

/** Value at quantile `q` (0..1), off by at most 1 % of itself; null without values. */
export function quantileOf(sketch: Sketch, q: number): number | null {
  if (sketch.count === 0) return null;
  const rank = q * (sketch.count - 1);
  let below = 0;
  let last = 0;
  for (const [value, count] of ascending(sketch)) {
    if (count === 0) continue;
    below += count;
    last = value;
    if (below > rank) return value;
  }
  return last;
}

/** How many values are above `threshold` (at least 0); those within 1 % of it may fall on either side. */
export function countAbove(sketch: Sketch, threshold: number): number {
  return ascending(sketch).reduce((sum, [value, count]) => (value > threshold ? sum + count : sum), 0);
}
