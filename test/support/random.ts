/**
 * Seeded random numbers for simulations: xoshiro128** (Blackman and Vigna), seeded through splitmix32, and samplers on it.
 * The same seed gives the same numbers on every machine.
 */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** Uniform whole number in [0, n). */
  below(n: number): number;
  normal(): number;
  /** Successes in n trials of probability p. */
  binomial(n: number, p: number): number;
  gamma(shape: number): number;
  beta(a: number, b: number): number;
  /** In place (Fisher-Yates). */
  shuffle(values: Int32Array): void;
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

export function createRandom(seed: number): Random {
  let counter = seed | 0;
  const splitmix = (): number => {
    counter = (counter + 0x9e3779b9) | 0;
    let z = counter;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let d = splitmix();

  const uniform = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result / 4294967296;
  };
  const open = (): number => (uniform() * 4294967296 + 0.5) / 4294967296;
  const normal = (): number => Math.sqrt(-2 * Math.log(open())) * Math.cos(2 * Math.PI * uniform());
  // Marsaglia and Tsang; shapes below 1 through shape + 1.
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * open() ** (1 / shape);
    const e = shape - 1 / 3;
    const f = 1 / Math.sqrt(9 * e);
    for (;;) {
      const x = normal();
      const v = (1 + f * x) ** 3;
      if (v > 0 && Math.log(open()) < 0.5 * x * x + e - e * v + e * Math.log(v)) return e * v;
    }
  };
  const beta = (alpha: number, other: number): number => {
    const x = gamma(alpha);
    const y = gamma(other);
    return x + y === 0 ? (uniform() < alpha / (alpha + other) ? 1 : 0) : x / (x + y);
  };
  // A trial's order statistic halves the number of trials (Relles) until inversion is cheap: exact for any n and p.
  const binomial = (trials: number, probability: number): number => {
    let n = trials;
    let p = probability;
    let found = 0;
    if (p >= 1) return n;
    while (n > 0 && p > 0) {
      if (p > 0.5) return found + n - binomial(n, 1 - p);
      if (n * p < 25) return found + inversion(n, p);
      const middle = (n + 1) >> 1;
      const cut = beta(middle, n + 1 - middle);
      if (cut <= p) {
        found += middle;
        n -= middle;
        p = (p - cut) / (1 - cut);
      } else {
        n = middle - 1;
        p /= cut;
      }
    }
    return found;
  };
  const inversion = (n: number, p: number): number => {
    const odds = p / (1 - p);
    let mass = (1 - p) ** n;
    let u = uniform();
    let k = 0;
    while (u > mass && k < n) {
      u -= mass;
      k += 1;
      mass *= (odds * (n + 1 - k)) / k;
    }
    return k;
  };
  const below = (n: number): number => Math.floor(uniform() * n);
  const shuffle = (values: Int32Array): void => {
    for (let i = values.length - 1; i > 0; i -= 1) {
      const j = below(i + 1);
      const held = values[i] ?? 0;
      values[i] = values[j] ?? 0;
      values[j] = held;
    }
  };
  return { uniform, below, normal, binomial, gamma, beta, shuffle };
}
