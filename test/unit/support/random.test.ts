import assert from 'node:assert/strict';
import { createRandom } from '../../support/random.js';

function moments(draw: () => number, n: number): { mean: number; variance: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i += 1) {
    const x = draw();
    sum += x;
    squares += x * x;
  }
  return { mean: sum / n, variance: squares / n - (sum / n) ** 2 };
}

describe('seeded random numbers', () => {
  it('repeat with the seed and differ between seeds', () => {
    const draw = (seed: number): number[] => {
      const random = createRandom(seed);
      return Array.from({ length: 5 }, () => random.uniform());
    };
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  for (const [n, p] of [
    [50, 0.01],
    [500, 0.1],
    [9000, 0.05],
    [9000, 0.9],
    [1, 0.3],
  ] as const) {
    it(`binomial(${n}, ${p}) has its mean and variance`, () => {
      const random = createRandom(n);
      const draws = 20_000;
      const { mean, variance } = moments(() => random.binomial(n, p), draws);
      const expected = n * p * (1 - p);
      assert.ok(Math.abs(mean - n * p) < 4.5 * Math.sqrt(expected / draws), `mean ${mean}`);
      assert.ok(Math.abs(variance / expected - 1) < 0.08, `variance ${variance}, expected ${expected}`);
    });
  }

  it('beta(0.023, 2.31) has its mean and variance', () => {
    const random = createRandom(3);
    const { mean, variance } = moments(() => random.beta(0.023, 2.31), 100_000);
    const m = 0.023 / 2.333;
    assert.ok(Math.abs(mean / m - 1) < 0.08, `mean ${mean}`);
    assert.ok(Math.abs(variance / ((m * (1 - m)) / 3.333) - 1) < 0.15, `variance ${variance}`);
  });

  it('shuffles without losing anything', () => {
    const values = Int32Array.from({ length: 100 }, (_, i) => i);
    createRandom(5).shuffle(values);
    assert.notDeepEqual(Array.from(values.subarray(0, 10)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(
      [...values].sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });
});
