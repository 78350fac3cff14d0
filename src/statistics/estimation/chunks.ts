/**
 * Which rows are judged together. A stretch under the minimum is carried into the next one and never judged by itself: a chunk of
 * one row has an accuracy of 0 or 1 and raises an alarm about nothing.
 */

/** Rows `from` (included) to `to` (not included). */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

/** Chunks of exactly `size` rows, and how many rows at the end wait for the next ones. */
export interface SizedChunks {
  readonly chunks: readonly Chunk[];
  readonly carried: number;
}

export function chunksOfSize(rows: number, size: number): SizedChunks {
  checkWhole('rows', rows, 0);
  checkWhole('size', size, 1);
  const full = Math.floor(rows / size);
  return {
    chunks: Array.from({ length: full }, (_, i) => ({ from: i * size, to: (i + 1) * size })),
    carried: rows - full * size,
  };
}

/** Stretches that hold enough rows, and what waits for the next stretch. */
export interface Carried<T> {
  readonly chunks: readonly T[];
  readonly carried: T | null;
}

/**
 * For stretches of time: each with fewer than `minimum` rows is added to the next one, over as many as it takes.
 * @param stretches in order; begin with what the call before carried
 */
export function carryOver<T>(
  stretches: readonly T[],
  minimum: number,
  rowsOf: (stretch: T) => number,
  add: (earlier: T, later: T) => T,
): Carried<T> {
  checkWhole('minimum', minimum, 1);
  const chunks: T[] = [];
  let carried: T | null = null;
  for (const stretch of stretches) {
    const so: T = carried === null ? stretch : add(carried, stretch);
    if (rowsOf(so) >= minimum) chunks.push(so);
    carried = rowsOf(so) >= minimum ? null : so;
  }
  return { chunks, carried };
}

function checkWhole(field: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new RangeError(`${field} is ${value}: it must be a whole number of at least ${least}`);
}
