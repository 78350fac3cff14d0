/** What changed in a feature, in words. */
import { total } from '../drift/checks.js';
import { OTHERS, type FeaturePair } from './pairs.js';
import { percent } from './words.js';

/** Longer values are cut. */
const VALUE_MOST = 40;

/** E.g. `shifted up`, or `value 16: 12 % -> 31 %`. */
export function changeOf({ counts }: FeaturePair): string {
  if (counts.kind === 'numeric') {
    const direction = rankOf(counts.reference, counts.window);
    if (Math.abs(direction) < FLAT) return 'another shape';
    return direction > 0 ? 'shifted up' : 'shifted down';
  }
  const [n, m] = [total(Object.values(counts.reference)), total(Object.values(counts.window))];
  const names = [...new Set([...Object.keys(counts.reference), ...Object.keys(counts.window)])];
  const shares = names.map((name) => ({
    name,
    before: (counts.reference[name] ?? 0) / n,
    now: (counts.window[name] ?? 0) / m,
  }));
  const most = shares.reduce((a, b) => (Math.abs(b.now - b.before) > Math.abs(a.now - a.before) ? b : a));
  return shareWords(most.name, most.before, most.now);
}

/** @param name a value, or OTHERS; null: all that have no detector of their own */
export function shareWords(name: string | null, before: number, now: number): string {
  const known = name === OTHERS ? 'unlisted values' : `value ${name?.slice(0, VALUE_MOST)}`;
  const value = name === null ? 'other values' : known;
  return `${value}: ${percent(before)} -> ${percent(now)}`;
}

/** Mean rank of the window's rows less one half; smaller ones are no direction. */
const FLAT = 0.02;

function rankOf(reference: readonly number[], window: readonly number[]): number {
  const [n, m] = [total(reference), total(window)];
  let below = 0;
  let sum = 0;
  reference.forEach((count, bin) => {
    sum += (window[bin] ?? 0) * ((below + count / 2) / n - 0.5);
    below += count;
  });
  return sum / m;
}
