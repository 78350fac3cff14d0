import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { hashKey, roleOf } from '../../../src/gateway/split.js';

const v = { version: 'v', digest: 'd' };
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('The split', () => {
  it('is sticky and never takes a key away from the candidate as the weight grows', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), share, share, (salt, key, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const { h } = hashKey(salt, key);
        assert.deepEqual(hashKey(salt, key), hashKey(salt, key));
        assert.ok(h >= 0 && h < 1);
        const at = (weight: number) => roleOf({ candidate: { ...v, weight }, holdback: null }, h);
        if (at(low) === 'candidate') assert.equal(at(high), 'candidate');
        assert.equal(at(0), 'champion');
        assert.equal(at(1), 'candidate');
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('keeps as hold-back only keys that were the last to move to the candidate', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 0.5, noNaN: true }), share, (key, held, weight) => {
        const { h } = hashKey('salt', key);
        const soaking = roleOf({ candidate: null, holdback: { ...v, share: held } }, h);
        const before = roleOf({ candidate: { ...v, weight }, holdback: null }, h);
        if (weight <= 1 - held && before === 'candidate') assert.equal(soaking, 'champion');
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('gives the candidate its weight, and names keys by bits that are independent of it', () => {
    const weight = 0.1;
    const n = 20_000;
    const hashes = Array.from({ length: n }, (_, i) => hashKey('release:m:1', `user-${i}`));
    const candidates = hashes.filter(({ h }) => h < weight);
    // Four standard deviations.
    assert.ok(Math.abs(candidates.length - n * weight) < 4 * Math.sqrt(n * weight * (1 - weight)));
    const sampled = candidates.filter(({ identity }) => identity < 2 ** 46).length;
    assert.ok(Math.abs(sampled - candidates.length / 4) < 4 * Math.sqrt((candidates.length * 3) / 16));
    assert.equal(new Set(hashes.map(({ identity }) => identity)).size, n);
  });
});
