/**
 * Isotonic regression: the non-decreasing function nearest to the values in weighted squares, by pooling adjacent violators.
 * Rows of the same x count as one with their weighted mean (de Leeuw's secondary treatment of ties); between knots the function
 * is linear, beyond them constant. Agrees with scikit-learn 1.9.1's IsotonicRegression(out_of_bounds="clip"); see
 * J. de Leeuw, K. Hornik and P. Mair, J. Statistical Software 32(5) (2009).
 */
import { item } from '../metrics/scored.js';
import { binOf } from './bins.js';
import { checkLength } from './checks.js';

/** A non-decreasing function by its knots. Plain JSON; `x` rises. */
export interface Isotonic {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Values of x nearer to each other than this are one, as scikit-learn has it. */
const SAME = 1e-15;

/**
 * @param weights at least 0 each, 1 where left out; rows of weight 0 do not count
 * @throws RangeError without rows of a positive weight, for values that are not finite, for lengths that differ
 */
export function fitIsotonic(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Isotonic {
  checkLength('y', y, x.length, 'x');
  if (weights !== undefined) checkLength('weights', weights, x.length, 'x');
  return fitAscending(ascending(x, y, weights));
}

/** The function's value; constant beyond the first and the last knot. */
export function isotonicAt(fitted: Isotonic, value: number): number {
  const { x, y } = fitted;
  const last = x.length - 1;
  if (!(value > item(x, 0))) return Number.isNaN(value) ? Number.NaN : item(y, 0);
  if (value >= item(x, last)) return item(y, last);
  const low = binOf(x, value) - 1;
  const [left, right] = [item(x, low), item(x, low + 1)];
  const slope = (item(y, low + 1) - item(y, low)) / (right - left);
  return left === value ? item(y, low) : slope * (value - left) + item(y, low);
}

/** Points in order of x, as far as they have a weight. */
export interface Points {
  readonly x: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  /** Weight times y. */
  readonly sums: ArrayLike<number>;
}

/** For points that are in order and finite, of which one has a weight above 0. */
export function fitAscending(points: Points): Isotonic {
  return pooled(distinct(points));
}

function ascending(x: ArrayLike<number>, y: ArrayLike<number>, weights?: ArrayLike<number>): Points {
  const rows: number[] = [];
  for (let i = 0; i < x.length; i += 1) {
    for (const [field, value] of [
      ['x', item(x, i)],
      ['y', item(y, i)],
    ] as const) {
      if (!Number.isFinite(value)) throw new RangeError(`${field}[${i}] is ${value}: it must be finite`);
    }
    const weight = weights === undefined ? 1 : item(weights, i);
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new RangeError(`weights[${i}] is ${weight}: a weight must be finite and at least 0`);
    if (weight > 0) rows.push(i);
  }
  if (rows.length === 0)
    throw new RangeError('weights are all 0: at least one row must have a weight above 0');
  const order = rows.sort((a, b) => item(x, a) - item(x, b) || item(y, a) - item(y, b));
  const weightOf = (row: number): number => (weights === undefined ? 1 : item(weights, row));
  return {
    x: order.map((row) => item(x, row)),
    weights: order.map(weightOf),
    sums: order.map((row) => weightOf(row) * item(y, row)),
  };
}

/** Means of the points of one x, as far as `length`; those without weight are left out. */
interface Means {
  readonly length: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly weights: Float64Array;
}

// Profiles are made of a million rows, ten times over: these loops keep to arrays of numbers, and read them in place.

function distinct({ x, weights, sums }: Points): Means {
  const [xs, ys, ws] = [x, x, x].map(({ length }) => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let length = 0;
  let start = 0;
  while (start < x.length) {
    if (weights[start] === 0) {
      start += 1;
      continue;
    }
    const at = x[start] as number;
    let weight = 0;
    let sum = 0;
    for (; start < x.length && (x[start] as number) - at < SAME; start += 1) {
      weight += weights[start] as number;
      sum += sums[start] as number;
    }
    xs[length] = at;
    ys[length] = sum / weight;
    ws[length] = weight;
    length += 1;
  }
  return { length, x: xs, y: ys, weights: ws };
}

/** Pools neighbours out of order, to their weighted mean; the knots are the ends of the blocks. */
function pooled({ length, x, y, weights }: Means): Isotonic {
  const values = new Float64Array(length);
  const masses = new Float64Array(length);
  const ends = new Uint32Array(length);
  let blocks = 0;
  for (let i = 0; i < length; i += 1) {
    let value = y[i] as number;
    let mass = weights[i] as number;
    while (blocks > 0 && (values[blocks - 1] as number) >= value) {
      blocks -= 1;
      const heavy = masses[blocks] as number;
      value = (heavy * (values[blocks] as number) + mass * value) / (heavy + mass);
      mass += heavy;
    }
    values[blocks] = value;
    masses[blocks] = mass;
    ends[blocks] = i;
    blocks += 1;
  }
  const knots: { x: number[]; y: number[] } = { x: [], y: [] };
  for (let block = 0; block < blocks; block += 1) {
    const first = block === 0 ? 0 : item(ends, block - 1) + 1;
    for (const place of new Set([first, item(ends, block)])) {
      knots.x.push(item(x, place));
      knots.y.push(item(values, block));
    }
  }
  return knots;
}
