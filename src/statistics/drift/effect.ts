/** How much changed, as a share of rows, with its interval: an alarm needs more than a small p-value. */
import { normalQuantile } from '../metrics/distributions.js';
import { total, type Pair } from './checks.js';

export interface Effect {
  /** Share of rows that is elsewhere now, from 0 to 1. */
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Of bins in order: the largest distance of the distribution functions at a border. It is the change of the share of rows below that
 * border, the interval is that of a difference of two shares.
 */
export function orderedEffect(counts: Pair<readonly number[]>, confidence: number): Effect {
  const n = total(counts.reference);
  const m = total(counts.window);
  let first = 0;
  let second = 0;
  let best: Pair<number> = { reference: 0, window: 0 };
  counts.reference.forEach((count, bin) => {
    first += count / n;
    second += (counts.window[bin] ?? 0) / m;
    if (Math.abs(first - second) > Math.abs(best.reference - best.window))
      best = { reference: first, window: second };
  });
  const distance = Math.abs(best.reference - best.window);
  return around(distance, distance, best, n, m, confidence);
}

/**
 * Of categories: the total variation, that is by how much the share of those categories grew which grew. With many categories and
 * few rows chance alone moves some rows; what it moves on average while nothing changed is taken off, in squares.
 */
export function categoricalEffect(counts: Pair<readonly number[]>, confidence: number): Effect {
  const n = total(counts.reference);
  const m = total(counts.window);
  const grown = { reference: 0, window: 0 };
  let chance = 0;
  counts.reference.forEach((count, bin) => {
    const other = counts.window[bin] ?? 0;
    const p = (count + other) / (n + m);
    chance += Math.sqrt(((1 / n + 1 / m) * p * (1 - p)) / (2 * Math.PI));
    if (other / m <= count / n) return;
    grown.reference += count / n;
    grown.window += other / m;
  });
  const moved = grown.window - grown.reference;
  return around(Math.sqrt(Math.max(0, moved * moved - chance * chance)), moved, grown, n, m, confidence);
}

/** `most` is what the counts say before chance is taken off: the upper limit starts there, as the part of chance is not known. */
function around(
  estimate: number,
  most: number,
  shares: Pair<number>,
  n: number,
  m: number,
  confidence: number,
): Effect {
  const { reference: p, window: q } = shares;
  const reach =
    -normalQuantile((1 - confidence) / 2) *
    Math.sqrt(Math.max(0, (p * (1 - p)) / n) + Math.max(0, (q * (1 - q)) / m));
  return { estimate, lower: Math.max(0, estimate - reach), upper: Math.min(1, most + reach) };
}
