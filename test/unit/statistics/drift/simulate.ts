/** Made windows: counts of a normal feature in the quantile bins of a reference sample, and of categories. */
import type { Pair } from '../../../../src/statistics/drift/checks.js';
import type { FeatureCounts } from '../../../../src/statistics/drift/judge-feature.js';
import { normalCdf } from '../../../../src/statistics/metrics/distributions.js';
import type { Random } from '../../../support/random.js';

export function multinomial(random: Random, rows: number, shares: readonly number[]): number[] {
  let left = rows;
  let rest = 1;
  return shares.map((share, i) => {
    const count = i === shares.length - 1 ? left : random.binomial(left, Math.min(1, share / rest));
    left -= count;
    rest -= share;
    return count;
  });
}

/** A standard normal feature whose reference was `rows` drawn values, in as many rows a bin as can be. */
export class NormalFeature {
  readonly reference: readonly number[];
  readonly cuts: readonly number[];
  readonly #random: Random;

  constructor(random: Random, rows: number, bins = 20) {
    this.#random = random;
    const values = Float64Array.from({ length: rows }, () => random.normal()).sort();
    const border = (bin: number): number => Math.round((bin * rows) / bins);
    this.cuts = Array.from({ length: bins - 1 }, (_, bin) => values[border(bin + 1)]!);
    this.reference = Array.from({ length: bins }, (_, bin) => border(bin + 1) - border(bin));
  }

  /** Chances of the bins with another mean and sd. */
  shares(mean = 0, sd = 1): number[] {
    const below = [0, ...this.cuts.map((cut) => normalCdf((cut - mean) / sd)), 1];
    return below.slice(1).map((share, i) => share - below[i]!);
  }

  window(rows: number, shares: readonly number[]): Pair<readonly number[]> {
    return { reference: this.reference, window: multinomial(this.#random, rows, shares) };
  }

  counts(rows: number, shares: readonly number[]): FeatureCounts {
    return { kind: 'numeric', ...this.window(rows, shares) };
  }
}

/** Share with three standard errors on either side: what a simulation of `runs` may show of a true share. */
export function within(share: number, runs: number): { readonly low: number; readonly high: number } {
  const reach = 3 * Math.sqrt((share * (1 - share)) / runs);
  return { low: share - reach, high: share + reach };
}
