/** One-sided confidence limits of means; those of proportions are in melded.ts. */
import { studentQuantile } from './distributions.js';
import { item } from './scored.js';

/** An estimate with its lower and upper limit, each one-sided. */
export interface Limits {
  readonly estimate: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Limits of a mean: the wider of Student's and of P. Hall's, which takes skewness out by a monotone cubic (J. R. Statist. Soc. B 54
 * (1992) 221-228, eq. 3.2). Differences of losses are skewed, and Student's limit alone then covers too little on one side.
 * @param confidence of each limit, e.g. .95
 */
export function meanLimits(values: ArrayLike<number>, confidence: number): Limits {
  const rows = values.length;
  let sum = 0;
  for (let i = 0; i < rows; i += 1) sum += item(values, i);
  const estimate = sum / rows;
  let squares = 0;
  let cubes = 0;
  for (let i = 0; i < rows; i += 1) {
    const gap = item(values, i) - estimate;
    squares += gap * gap;
    cubes += gap * gap * gap;
  }
  const standardError = Math.sqrt(squares / (rows - 1) / rows);
  if (!(standardError > 0)) return { estimate, standardError, lower: estimate, upper: estimate };
  const t = studentQuantile(confidence, rows - 1);
  const skewness = cubes / rows / Math.pow(squares / rows, 1.5) / Math.sqrt(rows);
  return {
    estimate,
    standardError,
    lower: estimate - standardError * Math.max(t, hall(t, skewness)),
    upper: estimate - standardError * Math.min(-t, hall(-t, skewness)),
  };
}

/**
 * The studentised estimate whose transform is `x`: the inverse of Hall's cubic.
 * @param g skewness of the estimate itself (of a mean: that of the values over the root of their number)
 */
export function hall(x: number, g: number): number {
  if (Math.abs(g) < 1e-9) return x;
  return (3 / g) * (Math.cbrt(1 + g * (x - g / 6)) - 1);
}
