import type { Figure, Share, Spread } from '../../contracts/report.js';

export const figure = (value: number | null, why: string): Figure =>
  value === null ? { value, why } : { value, why: null };

/** @param why there is no share when `whole` is 0 */
export const share = (part: number, whole: number, why: string): Share => ({
  part,
  whole,
  ...figure(whole > 0 ? part / whole : null, why),
});

/**
 * Median and 90th percentile, linear between order statistics (type 7 of Hyndman and Fan, which SQL calls PERCENTILE_CONT).
 * @param why there is none when `values` is empty
 */
export function spread(values: readonly number[], why: string): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  if (n === 0) return { n, median: null, p90: null, why };
  return { n, median: quantile(sorted, 0.5), p90: quantile(sorted, 0.9), why: null };
}

function quantile(sorted: readonly number[], p: number): number {
  const place = p * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (place - Math.floor(place)) * (above - below);
}

export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : sum(values) / values.length;

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Values by their key, in their order. */
export function groupBy<T>(
  values: readonly T[],
  key: (value: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const name = key(value);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return groups;
}

export const keyOf = (model: string, what: number | string): string => `${model}/${what}`;
export const secondsBetween = (from: number, to: number): number => (to - from) / 1000;
