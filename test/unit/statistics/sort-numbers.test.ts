import assert from 'node:assert/strict';
import { sortNumbers } from '../../../src/statistics/sort-numbers.js';
import { createRandom } from '../../support/random.js';

const random = createRandom(11);
const MANY = 10_000;
const KINDS: Readonly<Record<string, () => number>> = {
  'of both signs': () => random.normal(),
  'of all sizes': () => random.normal() * 10 ** (random.below(600) - 300),
  'that are whole': () => random.below(100) - 50,
  'above 0': () => 1 + random.uniform(),
  'below 0': () => -random.uniform(),
  'that are all the same': () => 0.3,
  'of which one is far away': () => (random.below(5_000) === 0 ? 1e300 : random.normal()),
  'that are many of few': () => (random.below(3) === 0 ? 0 : random.normal()),
  'that are tiny': () => random.uniform() * 1e-310,
  'at the ends': () =>
    [-Infinity, Infinity, -0, 0, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE][random.below(8)] ?? 0,
};

describe('Sorting numbers', () => {
  for (const [kind, draw] of Object.entries(KINDS))
    it(`${kind} gives what the runtime's own sorting gives`, () => {
      for (const length of [0, 1, 5, MANY, MANY + 1]) {
        const drawn = Float64Array.from({ length }, draw);
        const expected = drawn.slice().sort();
        assert.equal(sortNumbers(drawn), drawn, 'in place');
        // 0 and -0 are equal here.
        assert.ok(drawn.every((value, i) => value === expected[i]));
      }
    });

  it('leaves what is beside a part as it is', () => {
    const drawn = Float64Array.from({ length: MANY }, () => random.normal());
    const part = drawn.subarray(10, MANY - 10);
    const expected = [...drawn.slice(0, 10), ...part.slice().sort(), ...drawn.slice(MANY - 10)];
    sortNumbers(part);
    assert.deepEqual([...drawn], expected);
  });
});
