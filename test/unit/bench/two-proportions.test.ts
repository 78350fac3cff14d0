import assert from 'node:assert/strict';
import { fixedSampleSize, proportionZ } from '../../../bench/peers/two-proportions.js';

describe('the usual tests of two error rates', () => {
  it('sizes of the fixed-sample test, in requests of both arms', () => {
    const size = (share: number, candidate: number): number =>
      fixedSampleSize({ champion: 0.01, candidate, share, alpha: 0.0025, power: 0.95 });
    const sizes = [0.1, 0.5].map((share) => [0.02, 0.03, 0.05].map((rate) => size(share, rate)));
    assert.deepEqual(sizes, [
      [29_733, 9243, 3153],
      [11_706, 3878, 1435],
    ]);
  });

  it('z of two shares, as in a 2 by 2 table', () => {
    // Its square is the chi-squared of the table: N (ad - bc)^2 over the product of its margins.
    const z = proportionZ({ bad: 30, requests: 500 }, { bad: 20, requests: 500 });
    assert.ok(Math.abs(z ** 2 - (1000 * (30 * 480 - 470 * 20) ** 2) / (50 * 950 * 500 * 500)) < 1e-12);
    assert.ok(z > 0);
  });

  it('says nothing where nothing can be said', () => {
    for (const [bad, requests] of [
      [0, 0],
      [0, 50],
    ] as const)
      assert.equal(proportionZ({ bad, requests }, { bad: 0, requests: 450 }), 0);
    assert.equal(proportionZ({ bad: 5, requests: 5 }, { bad: 9, requests: 9 }), 0);
  });
});
