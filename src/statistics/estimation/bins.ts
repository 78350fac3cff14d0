/** Bins by rising cuts: bin i holds cuts[i - 1] <= value < cuts[i], the first and the last have no bound but those of the values. */

/** Bin of a value: how many of the ascending cuts are not above it. */
export function binOf(cuts: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cuts[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Parts of the range of a {@link BinFinder}: in most there is no cut, so the search guesses right. */
const PARTS = 1_024;

/** Finds the bins of many values: a part of the range, by multiplication, leaves few cuts to look at. */
export class BinFinder {
  readonly #cuts: Float64Array;
  readonly #least: number;
  readonly #scale: number;
  /** How many cuts are in parts before; one more than parts. */
  readonly #before: Uint32Array;

  /** @param cuts ascending, within the range */
  constructor(cuts: ArrayLike<number>, least: number, most: number) {
    this.#cuts = Float64Array.from(cuts);
    this.#least = least;
    const scale = (PARTS - 1) / (most - least);
    // A range of one value, or one beyond a double's: all in one part.
    this.#scale = Number.isFinite(scale) ? scale : 0;
    this.#before = new Uint32Array(PARTS + 1);
    for (const cut of this.#cuts) increase(this.#before, this.#partOf(cut) + 1);
    for (let part = 0; part < PARTS; part += 1) increase(this.#before, part + 1, this.#before[part]);
  }

  /** As {@link binOf} says, of a value within the range. */
  of(value: number): number {
    const part = this.#partOf(value);
    // A smaller number is never in a later part: cuts of parts before are not above the value, those of parts after are.
    let low = this.#before[part] as number;
    let high = this.#before[part + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cuts[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #partOf(value: number): number {
    // Of a range beyond a double's, infinity times 0: the one part.
    return ((value - this.#least) * this.#scale) | 0;
  }
}

/** So many more rows in a bin. */
export function increase(
  counts: { [bin: number]: number; readonly length: number },
  bin: number,
  rows = 1,
): void {
  counts[bin] = (counts[bin] ?? 0) + rows;
}
