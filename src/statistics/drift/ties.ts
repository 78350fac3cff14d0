import type { Pair } from './checks.js';

/** Two samples as counts by distinct value, ascending: what tests by rank need of them, ties and all. */
export interface Tied extends Pair<readonly number[]> {
  readonly values: readonly number[];
}

export function tied(samples: Pair<ArrayLike<number>>): Tied {
  const first = Float64Array.from(samples.reference).sort();
  const second = Float64Array.from(samples.window).sort();
  const values: number[] = [];
  const reference: number[] = [];
  const window: number[] = [];
  let i = 0;
  let j = 0;
  while (i < first.length || j < second.length) {
    const value = Math.min(first[i] ?? Infinity, second[j] ?? Infinity);
    const before = i + j;
    const from = i;
    while (i < first.length && first[i] === value) i += 1;
    const rows = i - from;
    while (j < second.length && second[j] === value) j += 1;
    values.push(value);
    reference.push(rows);
    window.push(i + j - before - rows);
  }
  return { values, reference, window };
}
