/** A source of pseudo-random numbers that is the same everywhere for the same seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, bound); `bound` up to 2^32. */
  below(bound: number): number;
}

/** sfc32 by Chris Doty-Humphrey (PractRand); the seed and two constants, the first twelve outputs thrown away. */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const draw = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i += 1) draw();
  return {
    next: () => draw() / 2 ** 32,
    below: (bound) => Math.floor((draw() / 2 ** 32) * bound),
  };
}

/** A seed of 52 bits from a hex digest. */
export function seedOf(digest: string): number {
  const seed = Number.parseInt(digest.slice(0, 13), 16);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`Digest ${digest} does not start with 13 hex digits`);
  return seed;
}
