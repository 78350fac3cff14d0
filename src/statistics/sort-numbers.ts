/**
 * Sorting many numbers: each goes near its place, and few are left to be compared. Where they lie far from evenly, it costs little more
 * than the runtime's own sorting.
 */
import { partition } from './partition.js';

/** What the runtime sorts as fast. */
const FEW = 1_000;
/** Numbers a part, on average. */
const IN_PART = 4;
/** Numbers of a part that are sorted by insertion. */
const MOST_INSERTED = 40;

/** Ascending and in place; 0 and -0 are equal. There must be no NaN. */
export function sortNumbers(values: Float64Array): Float64Array {
  if (isRising(values)) return values;
  if (values.length <= FEW) return values.sort();
  const { near, starts } = partition(values, Math.ceil(values.length / IN_PART));
  for (let part = 0; part + 1 < starts.length; part += 1)
    sortPart(near, starts[part] as number, starts[part + 1] as number);
  values.set(near);
  return values;
}

function sortPart(values: Float64Array, from: number, to: number): void {
  if (to - from > MOST_INSERTED) {
    values.subarray(from, to).sort();
    return;
  }
  for (let i = from + 1; i < to; i += 1) {
    const value = values[i] as number;
    let place = i;
    while (place > from && (values[place - 1] as number) > value) {
      values[place] = values[place - 1] as number;
      place -= 1;
    }
    values[place] = value;
  }
}

/** As many equal numbers are, for which the runtime would take its time. */
function isRising(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i += 1)
    if ((values[i - 1] as number) > (values[i] as number)) return false;
  return true;
}
