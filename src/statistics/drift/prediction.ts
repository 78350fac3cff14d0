/** What the next chunk's value may be, from few chunks that went well. */
import { normalQuantile, studentCdf, studentQuantile } from '../metrics/distributions.js';
import { numberProblems, refuse, sampleProblems, shareProblems } from './checks.js';

/** Fewer say nothing of a spread. */
export const CHUNKS_LEAST = 3;
/** Outside of mean ± 3 sd under a normal law: what tools that use this rule mean to give away. */
export const THREE_SIGMA = 0.0026997960632601866;

export interface Insufficient {
  readonly state: 'insufficient';
  /** A sentence without a full stop: what is there and what is needed. */
  readonly reason: string;
}

export interface PredictionInterval {
  readonly state: 'known';
  readonly low: number;
  readonly high: number;
  readonly chunks: number;
}

/** Count, mean and sum of squared gaps from the mean: all that is kept of the chunks so far. Plain JSON. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

export const NO_CHUNKS: Moments = { count: 0, mean: 0, squares: 0 };

/** @throws RangeError when the value is not finite */
export function addChunk(moments: Moments, value: number): Moments {
  refuse('Chunk', numberProblems('value', value));
  const count = moments.count + 1;
  const gap = value - moments.mean;
  const mean = moments.mean + gap / count;
  return { count, mean, squares: moments.squares + gap * (value - mean) };
}

/**
 * Where a new chunk's value lies but for the share `outside`, when chunks are independent and about normal: mean ± t s sqrt(1 + 1/k),
 * t of k - 1 degrees of freedom, s with k - 1 in the divisor. The t law pays for mean and spread being estimated: mean ± 3 sd of ten
 * chunks lets 2.4 % out, not .27 %.
 * @throws RangeError when a value is not finite or `outside` is not between 0 and 1
 */
export function predictionInterval(
  values: readonly number[],
  outside = THREE_SIGMA,
): PredictionInterval | Insufficient {
  const problems = values.length === 0 ? [] : sampleProblems('values', values);
  refuse('Chunks', [...problems, ...shareProblems('outside', outside)]);
  const moments = values.reduce(addChunk, NO_CHUNKS);
  const scale = scaleOf(moments);
  if (typeof scale !== 'number') return scale;
  const reach = -studentQuantile(outside / 2, moments.count - 1) * scale;
  return { state: 'known', low: moments.mean - reach, high: moments.mean + reach, chunks: moments.count };
}

export interface ChunkScore {
  readonly state: 'known';
  /** Standard normal when nothing changed and chunks are independent and normal, whatever their mean and spread. */
  readonly score: number;
  readonly p: number;
}

/**
 * A new chunk against those before it. Scores of chunks one after another, each against all before it, are independent of each other
 * (C. P. Quesenberry, "SPC Q charts for start-up processes", J. Qual. Technol. 23 (1991) 213-224), so that detectors without end
 * (run-length.ts) may start after three chunks with their guarantee.
 * @throws RangeError when the value is not finite
 */
export function scoreChunk(before: Moments, value: number): ChunkScore | Insufficient {
  refuse('Chunk', numberProblems('value', value));
  const scale = scaleOf(before);
  if (typeof scale !== 'number') return scale;
  return studentScore((value - before.mean) / scale, before.count - 1);
}

/** The normal value that is as far out as `t` is for Student's law. */
export function studentScore(t: number, freedom: number): ChunkScore {
  // The smallest double that normalQuantile takes: a score of 38.
  const tail = Math.max(Number.MIN_VALUE, studentCdf(-Math.abs(t), freedom));
  return { state: 'known', score: Math.sign(t) * Math.abs(normalQuantile(tail)), p: Math.min(1, 2 * tail) };
}

/** Sd of a new value's gap from the mean of those before it; at least two are needed. */
export const gapSpread = ({ count, squares }: Pick<Moments, 'count' | 'squares'>): number =>
  Math.sqrt((squares / (count - 1)) * (1 + 1 / count));

function scaleOf({ count, squares }: Moments): number | Insufficient {
  if (count < CHUNKS_LEAST) {
    return { state: 'insufficient', reason: `${count} chunks, at least ${CHUNKS_LEAST} are needed` };
  }
  const scale = gapSpread({ count, squares });
  if (scale > 0) return scale;
  return { state: 'insufficient', reason: `All ${count} chunks have one value, their spread is not known` };
}
