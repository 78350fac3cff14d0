/** Some places of many numbers in order, without the sorting of all. */
import { binOf } from './estimation/bins.js';
import { partition, partOf, type Partition } from './partition.js';
import { sortNumbers } from './sort-numbers.js';

/** Numbers a part, on average: as many are sorted for one that is asked for. */
const IN_PART = 128;
/** More would not stay in the processor's nearest memory. */
const MOST_PARTS = 4_096;

/** Numbers by their places in ascending order, the first at 0. Only the parts that are asked for are sorted, once. */
export class Ranking {
  readonly #numbers: Partition;
  readonly #sorted: Uint8Array;

  /** @param values without NaN; stay as they are */
  constructor(values: Float64Array) {
    this.#numbers = partition(values, Math.min(MOST_PARTS, Math.ceil(values.length / IN_PART)));
    this.#sorted = new Uint8Array(this.#numbers.starts.length - 1);
  }

  get length(): number {
    return this.#numbers.near.length;
  }

  /**
   * Never -0.
   * @param place below the length
   */
  at(place: number): number {
    // Parts without numbers begin where the next one does.
    const part = binOf(this.#numbers.starts, place) - 1;
    return (this.#part(part)[place - this.#startOf(part)] as number) + 0;
  }

  /** How many are below one of the numbers. */
  below(value: number): number {
    const part = partOf(this.#numbers, value);
    return this.#startOf(part) + firstFrom(this.#part(part), value);
  }

  /** How many are not above one of the numbers. */
  upTo(value: number): number {
    const part = partOf(this.#numbers, value);
    return this.#startOf(part) + binOf(this.#part(part), value);
  }

  #startOf(part: number): number {
    return this.#numbers.starts[part] as number;
  }

  #part(part: number): Float64Array {
    const own = this.#numbers.near.subarray(this.#startOf(part), this.#startOf(part + 1));
    if (this.#sorted[part] === 0) sortNumbers(own);
    this.#sorted[part] = 1;
    return own;
  }
}

/** Place of the first of the rising numbers that is not below the value. */
function firstFrom(rising: Float64Array, value: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
