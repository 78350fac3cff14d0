import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { numericProfile } from '../../../../src/statistics/profile/build.js';
import type { Moments } from '../../../../src/statistics/profile/types.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';

/** The rule by sorting everything. */
function cutsOf(sorted: Float64Array, bins: number): readonly number[] {
  const distinct = [...new Set(sorted)];
  if (distinct.length <= bins) return distinct.slice(1);
  const at = (k: number): number => sorted[Math.floor((k * sorted.length) / bins)]!;
  const cuts = Array.from({ length: bins - 1 }, (_, i) =>
    at(i + 1) === at(i) ? sorted.find((value) => value > at(i)) : at(i + 1),
  );
  return [...new Set(cuts.filter((cut) => cut !== undefined))].sort((a, b) => a - b);
}

/** By the definitions, each in a pass of its own. */
function plainMoments(values: Float64Array): Moments {
  const meanOf = (of: (value: number) => number): number =>
    values.reduce((sum, value) => sum + of(value) / values.length, 0);
  const origin = values[0]!;
  const mean = origin + meanOf((value) => value - origin);
  const deviation = Math.sqrt(meanOf((value) => (value - mean) ** 2));
  if (values.every((value) => value === origin))
    return { mean: origin, deviation: 0, skewness: null, kurtosis: null };
  return {
    mean,
    deviation,
    skewness: meanOf((value) => ((value - mean) / deviation) ** 3),
    kurtosis: meanOf((value) => ((value - mean) / deviation) ** 4) - 3,
  };
}

type Draw = (random: ReturnType<typeof createRandom>) => number;
const DISTRIBUTIONS: Readonly<Record<string, Draw>> = {
  normal: (random) => random.normal(),
  'with a long tail': (random) => Math.exp(3 * random.normal()),
  'far from 0': (random) => 1.7e12 + random.below(1_000),
  constant: () => 0.3,
  'of few values': (random) => random.below(20),
  'of one value more than bins': (random) => random.below(51) / 10,
  'of which most are one value': (random) => (random.below(10) < 9 ? 0 : random.normal()),
  'of which most are the highest': (random) => Math.min(random.normal(), -1),
  'of ties among others': (random) => (random.below(2) === 0 ? random.below(3) : 3 * random.uniform()),
  'with outliers far away': (random) => (random.below(500) === 0 ? 1e60 * random.normal() : random.normal()),
  'with zeros of both signs': (random) => [0, -0, 1, -1, random.normal()][random.below(5)]!,
  tiny: (random) => random.uniform() * 1e-310,
  'wider than a double': (random) => [-Number.MAX_VALUE, Number.MAX_VALUE, 0, 1, 1e308][random.below(5)]!,
  'of all sizes': (random) => random.normal() * 10 ** (random.below(600) - 300),
};

describe('Cuts of many numbers', () => {
  for (const [kind, draw] of Object.entries(DISTRIBUTIONS))
    it(`are those of all numbers sorted, and so are the counts: ${kind}`, () => {
      fc.assert(
        fc.property(
          fc.oneof(fc.nat(60), fc.nat(6_000)),
          fc.integer({ min: 1, max: 60 }),
          fc.nat(),
          (rows, bins, seed) => {
            const random = createRandom(seed);
            const values = Float64Array.from({ length: rows }, () => draw(random));
            const given = values.slice();
            const made = numericProfile('x', values, bins);
            const sorted = values.map((value) => value + 0).sort();
            const cuts = cutsOf(sorted, bins);
            assert.deepEqual(made.cuts, cuts);
            assert.deepEqual(
              made.counts,
              [...cuts, Infinity].map(
                (to, i) => sorted.filter((value) => value < to && value >= (cuts[i - 1] ?? -Infinity)).length,
              ),
            );
            assert.deepEqual(made.range, rows === 0 ? null : { least: sorted[0], most: sorted.at(-1) });
            assert.deepEqual(values, given, 'values stay as they are');
            const listed = [null, ...values, 'x'];
            assert.deepEqual(numericProfile('x', listed, bins), { ...made, missing: 1, wrongType: 1 });
          },
        ),
        { seed: 20_261_129, numRuns: scale(60, 2_000) },
      );
    });
});

describe('Moments of many numbers', () => {
  const random = createRandom(29);
  const ROWS = 5_000;
  const close = (a: number, b: number, size: number): void =>
    assert.ok(Math.abs(a - b) <= 1e-12 * size, `${a} instead of ${b}`);

  for (const kind of ['normal', 'with a long tail', 'far from 0', 'constant', 'of few values'])
    it(`are those of the definitions: ${kind}`, () => {
      const values = Float64Array.from({ length: ROWS }, () => DISTRIBUTIONS[kind]!(random));
      const made = numericProfile('x', values).moments!;
      const plain = plainMoments(values);
      close(made.mean, plain.mean, Math.abs(plain.mean) + plain.deviation);
      close(made.deviation, plain.deviation, plain.deviation);
      assert.equal(made.skewness === null, plain.skewness === null);
      close(made.skewness ?? 0, plain.skewness ?? 0, 1 + Math.abs(plain.skewness ?? 0));
      close(made.kurtosis ?? 0, plain.kurtosis ?? 0, 3 + Math.abs(plain.kurtosis ?? 0));
    });

  it('are null where squares are beyond a double, and stay right where only higher powers are', () => {
    const values = Float64Array.from({ length: ROWS }, () => random.normal());
    const { deviation, skewness, kurtosis } = numericProfile('x', values).moments!;
    const momentsAt = (size: number): Moments | null =>
      numericProfile(
        'x',
        values.map((value) => value * size),
      ).moments;
    for (const size of [2 ** 500, 2 ** -1_000]) {
      const made = momentsAt(size)!;
      close(made.deviation / size, deviation, deviation);
      close(made.skewness!, skewness!, 1);
      close(made.kurtosis!, kurtosis!, 3);
    }
    assert.equal(momentsAt(2 ** 515), null);
    assert.equal(numericProfile('x', [-Number.MAX_VALUE, Number.MAX_VALUE]).moments, null);
  });
});
