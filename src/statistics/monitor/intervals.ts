/** 95 % intervals of what findings call an effect. Rows are taken as independent, as the tests take them. */
import { betaCdf, studentQuantile } from '../metrics/distributions.js';
import type { Share } from './exact.js';

export type Interval = readonly [least: number, most: number];

/** Outside of an interval, both sides together. */
const OUTSIDE = 0.05;
/** Halvings of 0..1: to the last digits of a share. */
const HALVINGS = 50;

/**
 * What the share of all rows may be of which these are a sample: exact, by C. J. Clopper and E. S. Pearson, Biometrika 26 (1934)
 * 404-413, so it misses in no more than `outside` whatever the share and however few the rows. 0 to 1 without rows.
 */
export function shareInterval({ hits, rows }: Share, outside = OUTSIDE): Interval {
  return [
    hits === 0 ? 0 : betaQuantile(outside / 2, hits, rows - hits + 1),
    hits === rows ? 1 : betaQuantile(1 - outside / 2, hits + 1, rows - hits),
  ];
}

/** By halving, as betaCdf rises. */
function betaQuantile(probability: number, a: number, b: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (low + high) / 2;
    if (betaCdf(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Of a difference of two shares: both exact intervals at half of what may lie outside (Bonferroni), so it misses no more than 5 %
 * whatever the shares are. `differenceLimits` of metrics/melded.ts is up to a third narrower, at tens of milliseconds a feature,
 * which is too much for every window in which a feed is broken.
 */
export function excessInterval(window: Share, reference: Share): Interval {
  const [least, most] = shareInterval(window, OUTSIDE / 2);
  const [known, knownMost] = shareInterval(reference, OUTSIDE / 2);
  return [least - knownMost, most - known];
}

/** How far a value may lie from where it is seen, by Student's law. @param spread sd of its gap from the usual */
export const reachOf = (spread: number, freedom: number): number =>
  -studentQuantile(OUTSIDE / 2, freedom) * spread;
