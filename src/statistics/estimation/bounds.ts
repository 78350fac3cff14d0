import { deviation } from './sampling-error.js';

/** What a metric was on the reference's chunks, and where it is taken to leave that. Plain JSON. */
export interface ChunkBounds {
  readonly lower: number;
  readonly upper: number;
  /** One a chunk; null where the metric is not defined. */
  readonly values: readonly (number | null)[];
}

/** Standard deviations between the mean and a bound. */
const DEVIATIONS = 3;
/** A spread can be read off no fewer. */
export const LEAST_CHUNKS = 2;

/**
 * Mean of the chunks ± 3 standard deviations, cut off at 0 and 1: NannyML 0.13.1's. From few chunks these raise more false alarms
 * than the 0.27 % that 3 deviations sound like (by Student's distribution 2.4 % from ten chunks, 5.2 % from six); a prediction interval of `values` does not.
 * Null with fewer than two values.
 */
export function chunkBounds(values: readonly (number | null)[]): ChunkBounds | null {
  const known = values.filter((value) => value !== null);
  if (known.length < LEAST_CHUNKS) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const reach = DEVIATIONS * deviation(known);
  return { lower: Math.max(0, mean - reach), upper: Math.min(1, mean + reach), values };
}

/** On which side of the bounds a value lies. */
export type Side = 'within' | 'below' | 'above';

export function sideOf(bounds: Pick<ChunkBounds, 'lower' | 'upper'>, value: number): Side {
  if (value < bounds.lower) return 'below';
  return value > bounds.upper ? 'above' : 'within';
}
