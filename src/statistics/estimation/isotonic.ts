/**
 * Isotonic regression: the non-decreasing function nearest to the values in weighted squares, by pooling adjacent violators.
 * Rows of the same x count as one with their weighted mean (de Leeuw's secondary treatment of ties); between knots the function
 * is linear, beyond them constant. Agrees with scikit-learn 1.9.1's IsotonicRegression(out_of_bounds="clip"); see
 * J. de Leeuw, K. Hornik and P. Mair, J. Statistical Software 32(5) (2009).
 */
import { item } from '../metrics/scored.js';
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
  return trimmed(pooled(distinct(x, y, weights)));
}

/** The function's value; constant beyond the first and the last knot. */
export function isotonicAt(fitted: Isotonic, value: number): number {
  const { x, y } = fitted;
  const last = x.length - 1;
  if (!(value > item(x, 0))) return Number.isNaN(value) ? Number.NaN : item(y, 0);
  if (value >= item(x, last)) return item(y, last);
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (item(x, middle) <= value) low = middle;
    else high = middle;
  }
  const slope = (item(y, high) - item(y, low)) / (item(x, high) - item(x, low));
  return item(x, low) === value ? item(y, low) : slope * (value - item(x, low)) + item(y, low);
}

interface Points {
  readonly x: number[];
  readonly y: number[];
  readonly weights: number[];
}

/** Rows in order of x, those of one x as one. */
function distinct(x: ArrayLike<number>, y: ArrayLike<number>, weights?: ArrayLike<number>): Points {
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
  const order = Uint32Array.from(rows).sort((a, b) => item(x, a) - item(x, b) || item(y, a) - item(y, b));
  const points: Points = { x: [], y: [], weights: [] };
  let start = 0;
  while (start < order.length) {
    const at = item(x, item(order, start));
    let weight = 0;
    let sum = 0;
    let end = start;
    for (; end < order.length && item(x, item(order, end)) - at < SAME; end += 1) {
      const row = item(order, end);
      const own = weights === undefined ? 1 : item(weights, row);
      weight += own;
      sum += own * item(y, row);
    }
    points.x.push(at);
    points.y.push(sum / weight);
    points.weights.push(weight);
    start = end;
  }
  return points;
}

/** Pools neighbours out of order, to their weighted mean. */
function pooled({ x, y, weights }: Points): Isotonic {
  const values: number[] = [];
  const masses: number[] = [];
  const sizes: number[] = [];
  for (let i = 0; i < y.length; i += 1) {
    let value = item(y, i);
    let mass = item(weights, i);
    let size = 1;
    while (values.length > 0 && item(values, values.length - 1) >= value) {
      const [before, heavy] = [values.pop() as number, masses.pop() as number];
      value = (heavy * before + mass * value) / (heavy + mass);
      mass += heavy;
      size += sizes.pop() as number;
    }
    values.push(value);
    masses.push(mass);
    sizes.push(size);
  }
  return { x, y: values.flatMap((value, block) => Array<number>(item(sizes, block)).fill(value)) };
}

/** Without the knots inside of a level stretch. */
function trimmed({ x, y }: Isotonic): Isotonic {
  const kept = x.flatMap((_, i) =>
    i > 0 && i < x.length - 1 && y[i] === y[i - 1] && y[i] === y[i + 1] ? [] : [i],
  );
  return { x: kept.map((i) => item(x, i)), y: kept.map((i) => item(y, i)) };
}
