/** Quantiles and shares of simulated runs, with the error that comes from their number. */
import { quantile } from '../support/rounds.js';

const Z = 1.96;

export interface Estimate {
  readonly value: number;
  /** 95 % limits. */
  readonly low: number;
  readonly high: number;
}

/** A quantile, with limits by order statistics: how many of the runs lie below it is binomial. */
export function quantileOf(values: readonly number[], q: number): Estimate {
  const spread = Z * Math.sqrt((q * (1 - q)) / values.length);
  const at = (share: number): number => quantile(values, Math.min(1, Math.max(0, share)));
  return { value: quantile(values, q), low: at(q - spread), high: at(q + spread) };
}

/** A share of runs, with Wilson's limits. */
export function shareOf(hits: number, runs: number): Estimate {
  const share = hits / runs;
  const centre = (share + Z ** 2 / (2 * runs)) / (1 + Z ** 2 / runs);
  const half = (Z * Math.sqrt((share * (1 - share)) / runs + Z ** 2 / (4 * runs ** 2))) / (1 + Z ** 2 / runs);
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 0 });
export const inKeys = ({ low, high }: Estimate): string => `${number(low)} to ${number(high)} keys`;

export const percent = (share: number): string => `${Number((100 * share).toFixed(share < 0.1 ? 2 : 1))} %`;
export const inPercent = ({ value, low, high }: Estimate): string =>
  `${percent(value)} (${percent(low)} to ${percent(high)})`;
