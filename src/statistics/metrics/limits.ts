/** One-sided confidence limits of means, proportions and their differences and ratios. */
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

/** Score interval of a proportion: E. B. Wilson, J. Amer. Statist. Assoc. 22 (1927) 209-212. */
export function wilson(
  successes: number,
  rows: number,
  z: number,
): { readonly lower: number; readonly upper: number } {
  const p = successes / rows;
  const centre = p + (z * z) / (2 * rows);
  const half = z * Math.sqrt((p * (1 - p)) / rows + (z * z) / (4 * rows * rows));
  const scale = 1 + (z * z) / rows;
  return {
    lower: successes === 0 ? 0 : Math.max(0, (centre - half) / scale),
    upper: successes === rows ? 1 : Math.min(1, (centre + half) / scale),
  };
}

/** Difference of two independent proportions, first - second: R. G. Newcombe's hybrid score method 10, Statist. Med. 17 (1998) 873-890. */
export function newcombe(
  first: { readonly successes: number; readonly rows: number },
  second: { readonly successes: number; readonly rows: number },
  z: number,
): Limits {
  const p = first.successes / first.rows;
  const q = second.successes / second.rows;
  const a = wilson(first.successes, first.rows, z);
  const b = wilson(second.successes, second.rows, z);
  return {
    estimate: p - q,
    standardError: Math.sqrt((p * (1 - p)) / first.rows + (q * (1 - q)) / second.rows),
    lower: p - q - Math.hypot(p - a.lower, b.upper - q),
    upper: p - q + Math.hypot(a.upper - p, q - b.lower),
  };
}

/**
 * Ratio of two independent proportions, first / second: D. Katz, J. Baptista, S. P. Azen and M. C. Pike, Biometrics 34 (1978)
 * 469-474. With a count of 0 the limits take a half more in each count and total (S. D. Walter, Biometrika 62 (1975) 371-374);
 * the standard error is that of the logarithm. NaN when both counts are 0.
 */
export function katz(
  first: { readonly successes: number; readonly rows: number },
  second: { readonly successes: number; readonly rows: number },
  z: number,
): Limits {
  const estimate = first.successes / first.rows / (second.successes / second.rows);
  const more = first.successes === 0 || second.successes === 0 ? 0.5 : 0;
  const [a, m, b, n] = [
    first.successes + more,
    first.rows + more,
    second.successes + more,
    second.rows + more,
  ];
  const centre = Math.log(a / m / (b / n));
  const standardError = Math.sqrt(1 / a - 1 / m + 1 / b - 1 / n);
  const unknown = first.successes === 0 && second.successes === 0;
  return {
    estimate,
    standardError,
    lower: unknown ? Number.NaN : first.successes === 0 ? 0 : Math.exp(centre - z * standardError),
    upper: unknown ? Number.NaN : second.successes === 0 ? Infinity : Math.exp(centre + z * standardError),
  };
}

/**
 * Difference of two proportions on the same rows, (onlyFirst - onlySecond) / rows: T. Tango's score interval, Statist. Med. 17 (1998)
 * 891-908. Unlike a mean's limit it stays honest when the two hardly ever differ.
 */
export function tango(onlyFirst: number, onlySecond: number, rows: number, z: number): Limits {
  const estimate = (onlyFirst - onlySecond) / rows;
  const score = (difference: number): number => {
    const b = -onlyFirst - onlySecond + (2 * rows - onlyFirst + onlySecond) * difference;
    const c = -onlySecond * difference * (1 - difference);
    const q = (Math.sqrt(Math.max(0, b * b - 8 * rows * c)) - b) / (4 * rows);
    const variance = rows * (2 * q + difference * (1 - difference));
    return variance > 0 ? (onlyFirst - onlySecond - rows * difference) / Math.sqrt(variance) : 0;
  };
  const limit = (sign: 1 | -1): number => {
    let inside = estimate;
    let outside: number = sign;
    for (let i = 0; i < 100 && Math.abs(outside - inside) > 1e-12; i += 1) {
      const middle = (inside + outside) / 2;
      if (-sign * score(middle) < z) inside = middle;
      else outside = middle;
    }
    return (inside + outside) / 2;
  };
  return {
    estimate,
    standardError: Math.sqrt(Math.max(0, (onlyFirst + onlySecond) / rows - estimate * estimate) / rows),
    lower: limit(-1),
    upper: limit(1),
  };
}
