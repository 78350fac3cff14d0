/**
 * MT19937 and the permutations that numpy's RandomState makes of it: NannyML decides about calibration on rows drawn so, and an
 * equal decision needs equal draws. For no other use: see metrics/random.ts. After M. Matsumoto and T. Nishimura, ACM Trans. on
 * Modeling and Computer Simulation 8 (1998) 3-30.
 */

const SIZE = 624;
const MIDDLE = 397;

export class MersenneTwister {
  /** Signed, which is the fastest that there is. */
  readonly #words = new Int32Array(SIZE);
  #next = SIZE;

  /** @param seed whole number below 2^32 */
  constructor(seed: number) {
    this.#words[0] = seed;
    for (let i = 1; i < SIZE; i += 1) {
      const before = this.#words[i - 1] as number;
      this.#words[i] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + i;
    }
  }

  /** 32 random bits. */
  word(): number {
    if (this.#next === SIZE) this.#turn();
    let y = this.#words[this.#next] as number;
    this.#next += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** 0 to size - 1, shuffled as numpy's RandomState does. */
  permutation(size: number): Uint32Array {
    const order = new Uint32Array(size);
    for (let i = 0; i < size; i += 1) order[i] = i;
    for (let i = size - 1; i > 0; i -= 1) {
      const j = this.#upTo(i);
      const moved = order[i] as number;
      order[i] = order[j] as number;
      order[j] = moved;
    }
    return order;
  }

  #upTo(largest: number): number {
    const mask = 2 ** (32 - Math.clz32(largest)) - 1;
    for (;;) {
      const value = (this.word() & mask) >>> 0;
      if (value <= largest) return value;
    }
  }

  #turn(): void {
    const words = this.#words;
    for (let i = 0; i < SIZE; i += 1) {
      const y = ((words[i] as number) & 0x80000000) | ((words[(i + 1) % SIZE] as number) & 0x7fffffff);
      words[i] = (words[(i + MIDDLE) % SIZE] as number) ^ (y >>> 1) ^ ((y & 1) === 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
