/**
 * Sorting many numbers: each goes near its place by multiplication, and few are left to be compared. After Neubert, The Flashsort1
 * Algorithm, Dr. Dobb's Journal (February 1998). Where they lie far from evenly, it costs little more than the runtime's own sorting.
 */

/** What the runtime sorts as fast. */
const FEW = 1_000;
/** Numbers a part, on average. */
const IN_PART = 4;
/** Numbers of a part that are sorted by insertion. */
const MOST_INSERTED = 40;

/** Ascending and in place; 0 and -0 are equal. There must be no NaN. */
export function sortNumbers(values: Float64Array): Float64Array {
  const { least, most } = rangeOf(values);
  const parts = Math.ceil(values.length / IN_PART);
  const scale = (parts - 1) / (most - least);
  if (values.length <= FEW || !(scale > 0 && scale < Number.POSITIVE_INFINITY)) return values.sort();
  // Where each part ends, first how many numbers it has; a smaller number is never in a later part.
  const ends = new Uint32Array(parts);
  for (let i = 0; i < values.length; i += 1) {
    const part = (((values[i] as number) - least) * scale) | 0;
    ends[part] = (ends[part] as number) + 1;
  }
  for (let part = 1; part < parts; part += 1)
    ends[part] = (ends[part] as number) + (ends[part - 1] as number);
  const near = new Float64Array(values.length);
  for (let i = values.length - 1; i >= 0; i -= 1) {
    const value = values[i] as number;
    const part = ((value - least) * scale) | 0;
    const place = (ends[part] as number) - 1;
    ends[part] = place;
    near[place] = value;
  }
  // By now they are where parts begin.
  for (let part = 0; part < parts; part += 1)
    sortPart(near, ends[part] as number, part + 1 < parts ? (ends[part + 1] as number) : near.length);
  values.set(near);
  return values;
}

function rangeOf(values: Float64Array): { readonly least: number; readonly most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
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
