/**
 * Numbers near their places in order, by multiplication, in parts of the range that are equally wide. After Neubert, The Flashsort1
 * Algorithm, Dr. Dobb's Journal (February 1998).
 */

export interface Partition {
  /** The numbers, part after part, as they came within each: none is above one of a later part. */
  readonly near: Float64Array;
  /** Place of each part's first number; one more than parts. */
  readonly starts: Uint32Array;
  readonly least: number;
  /** Parts a unit of the range. */
  readonly scale: number;
}

/**
 * Leaves the values as they are.
 * @param values without NaN
 * @param parts at most; a range of one value, or one beyond a double's, is one part
 */
export function partition(values: Float64Array, parts: number): Partition {
  const { least, most } = rangeOf(values);
  const wanted = (parts - 1) / (most - least);
  const scale = wanted > 0 && wanted < Number.POSITIVE_INFINITY ? wanted : 0;
  const starts = countsOf(values, least, scale, scale > 0 ? parts : 1);
  // By now where each part ends; filled from there, it is where the part begins.
  for (let part = 1; part < starts.length; part += 1)
    starts[part] = (starts[part] as number) + (starts[part - 1] as number);
  return { near: filled(values, least, scale, starts), starts, least, scale };
}

/** How many numbers each part has, and a 0 after them. */
function countsOf(values: Float64Array, least: number, scale: number, parts: number): Uint32Array {
  const counts = new Uint32Array(parts + 1);
  for (let i = 0; i < values.length; i += 1) {
    const part = (((values[i] as number) - least) * scale) | 0;
    counts[part] = (counts[part] as number) + 1;
  }
  return counts;
}

/** The numbers, each part from its end. */
function filled(values: Float64Array, least: number, scale: number, ends: Uint32Array): Float64Array {
  const near = new Float64Array(values.length);
  for (let i = values.length - 1; i >= 0; i -= 1) {
    const value = values[i] as number;
    const part = ((value - least) * scale) | 0;
    const place = (ends[part] as number) - 1;
    ends[part] = place;
    near[place] = value;
  }
  return near;
}

/** Part of a value within the range. */
export function partOf({ least, scale }: Partition, value: number): number {
  // A smaller number is never in a later part. Of a range beyond a double's, infinity times 0: the one part.
  return ((value - least) * scale) | 0;
}

function rangeOf(values: Float64Array): { readonly least: number; readonly most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}
