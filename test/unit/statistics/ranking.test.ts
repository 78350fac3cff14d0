import assert from 'node:assert/strict';
import { Ranking } from '../../../src/statistics/ranking.js';
import { createRandom } from '../../support/random.js';

describe('A ranking', () => {
  const random = createRandom(5);
  const kinds: Readonly<Record<string, () => number>> = {
    'that lie evenly': () => random.uniform(),
    'with ties': () => random.below(7) / 10,
    'nearly all in one part': () => (random.below(1_000) === 0 ? 1e9 * random.normal() : random.normal()),
    'that are all the same': () => 0.1,
    'further apart than a double': () => (random.uniform() - 0.5) * Number.MAX_VALUE * 2,
  };
  for (const [kind, draw] of Object.entries(kinds))
    it(`has the places of numbers ${kind}, asked for in any order`, () => {
      for (const length of [1, 200, 20_000]) {
        const values = Float64Array.from({ length }, draw);
        const ranking = new Ranking(values);
        const sorted = values.slice().sort();
        assert.equal(ranking.length, length);
        for (let i = 0; i < 50; i += 1) {
          const place = [0, length - 1, random.below(length)][i % 3]!;
          const value = sorted[place]!;
          assert.equal(ranking.at(place), value);
          assert.equal(ranking.below(value), sorted.indexOf(value));
          assert.equal(ranking.upTo(value), sorted.lastIndexOf(value) + 1);
        }
      }
    });

  it('may have no numbers', () => {
    assert.equal(new Ranking(new Float64Array()).length, 0);
  });
});
