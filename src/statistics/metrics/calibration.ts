/** Expected calibration error over bins of equal width (Naeini, Cooper and Hauskrecht 2015). */
import { item } from './scored.js';

/** Bins of equal width over 0..1. */
export const CALIBRATION_BINS = 10;

/**
 * Bin of a probability: bins are open below and closed above, 0 is in the first. Edges are k times 1/bins in doubles,
 * so that a probability on an edge falls where numpy's `linspace` and `searchsorted` put it.
 */
export function binOf(probability: number, bins = CALIBRATION_BINS): number {
  const step = 1 / bins;
  let bin = Math.max(0, Math.min(bins - 1, Math.ceil(probability * bins) - 1));
  while (bin > 0 && probability <= bin * step) bin -= 1;
  while (bin < bins - 1 && probability > (bin + 1) * step) bin += 1;
  return bin;
}

/** Per row, its bin and how far its probability lies above its outcome (0 or 1). */
export interface BinnedErrors {
  readonly bins: Uint8Array;
  readonly errors: Float64Array;
}

/** @param isPositive outcome of a row; `probabilityOf` its probability */
export function binErrors(
  rows: number,
  probabilityOf: (row: number) => number,
  isPositive: (row: number) => boolean,
): BinnedErrors {
  const bins = new Uint8Array(rows);
  const errors = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const probability = probabilityOf(row);
    bins[row] = binOf(probability);
    errors[row] = probability - (isPositive(row) ? 1 : 0);
  }
  return { bins, errors };
}

/** Sum over bins of |sum of errors in the bin| / rows, over all rows or a choice of rows (repeats count). */
export function calibrationError(binned: BinnedErrors, choice?: Int32Array): number {
  const sums = new Float64Array(CALIBRATION_BINS);
  const rows = choice?.length ?? binned.bins.length;
  for (let i = 0; i < rows; i += 1) {
    const row = choice === undefined ? i : item(choice, i);
    const bin = item(binned.bins, row);
    sums[bin] = item(sums, bin) + item(binned.errors, row);
  }
  let total = 0;
  for (const sum of sums) total += Math.abs(sum);
  return total / rows;
}
