import assert from 'node:assert/strict';
import { ksFromCounts, ksUpTo } from '../../../../src/statistics/drift/kolmogorov-smirnov.js';
import { kolmogorovSurvival, survivalFloor } from '../../../../src/statistics/drift/kolmogorov.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';

describe('The floor under the p-value of Kolmogorov and Smirnov', () => {
  it('is under it, and not far, for every number of values that the exact law is used for, and some beyond', () => {
    const sizes = [...Array.from({ length: 150 }, (_, i) => i + 1), 200, 500, 2_000];
    for (const n of sizes) {
      for (let square = 0.05; square < 6; square += scale(0.37, 0.02)) {
        const d = Math.sqrt(square / n);
        const [floor, p] = [survivalFloor(n, d), kolmogorovSurvival(n, d)];
        assert.ok(floor <= p, `${n} values, distance ${d}: ${floor} is not under ${p}`);
        if (n >= 20 && p > 0.01 && p < 0.5)
          assert.ok(floor > p / 2, `${n} values, distance ${d}: ${floor} of ${p}`);
      }
    }
  });

  it('leaves out a p-value only where it is above what was asked for', () => {
    const random = createRandom(3);
    const drawn = (rows: number): number[] => {
      const counts = Array.from({ length: 20 }, () => 0);
      for (let i = 0; i < rows; i += 1) counts[random.below(20)]! += 1;
      return counts;
    };
    let left = 0;
    for (let run = 0; run < 200; run += 1) {
      const counts = { reference: drawn(5_000), window: drawn(30 + random.below(200)) };
      const { p } = ksFromCounts(counts);
      const bound = random.uniform();
      const found = ksUpTo(bound, counts);
      if (found === null) left += 1;
      assert.ok(found === null ? p > bound : found.p === p, `${p} at ${bound}`);
    }
    assert.ok(left > 20, `${left} of 200 were left out`);
  });
});
