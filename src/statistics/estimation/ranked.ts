/** Rows grouped by their score: an order that costs one sort of numbers, and in which rows of one score are together. */
import { binOf } from './bins.js';

export interface Ranked {
  /** The different scores, ascending. */
  readonly values: Float64Array;
  /** Place of each row's score among them. */
  readonly rankOf: Uint32Array;
}

/** @param scores none is NaN */
export function ranked(scores: ArrayLike<number>): Ranked {
  const sorted = Float64Array.from(scores).sort();
  let different = 0;
  for (let i = 0; i < sorted.length; i += 1) {
    const value = sorted[i] as number;
    if (i > 0 && value === (sorted[different - 1] as number)) continue;
    sorted[different] = value;
    different += 1;
  }
  const values = sorted.slice(0, different);
  const rankOf = new Uint32Array(scores.length);
  for (let i = 0; i < scores.length; i += 1) rankOf[i] = binOf(values, scores[i] as number) - 1;
  return { values, rankOf };
}

/** Sum of the rows' weights at each score; their number where no weights are given. */
export function tally({ values, rankOf }: Ranked, weights?: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(values.length);
  for (let i = 0; i < rankOf.length; i += 1) {
    const rank = rankOf[i] as number;
    sums[rank] = (sums[rank] as number) + (weights === undefined ? 1 : (weights[i] as number));
  }
  return sums;
}
