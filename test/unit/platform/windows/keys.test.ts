import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { hashKey } from '../../../../src/gateway/split.js';
import { isSampled, KeyTracker, packKeys, unpackKeys } from '../../../../src/platform/windows/keys.js';
import { scale } from '../../../support/scale.js';

const identity = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe('Routing keys in bounded memory', () => {
  it('tell first requests and first bad events of each guardrail, once', () => {
    const tracker = new KeyTracker();
    assert.deepEqual([tracker.begin(7), tracker.begin(7), tracker.begin(8)], [true, false, true]);
    assert.deepEqual([tracker.end(7, 0b01), tracker.end(7, 0b11), tracker.end(7, 0b11)], [0b01, 0b10, 0]);
    assert.equal(tracker.end(9, 1), 0);
  });

  it('never hold more than the bound, and hold exactly the sample of their level', () => {
    fc.assert(
      fc.property(
        fc.array(identity, { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (identities, bound) => {
          const tracker = new KeyTracker(bound);
          for (const one of identities) {
            tracker.begin(one);
            assert.ok(tracker.size <= bound);
          }
          const sample = new Set(identities.filter((one) => isSampled(one, tracker.level)));
          assert.equal(tracker.size, sample.size);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });

  it('pack and unpack, leaving out what is not in the sample', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(identity, fc.nat()).map(([one, mask]) => ({ identity: one, mask }))),
        fc.integer({ min: 0, max: 8 }),
        (marks, level) => {
          const kept = marks.filter((mark) => isSampled(mark.identity, level));
          assert.deepEqual(unpackKeys(packKeys(marks, level)), kept);
        },
      ),
      { seed: 6 },
    );
  });

  it('give unbiased counts when sampled', () => {
    // Many releases (salts), each with so many keys of which a tenth is bad, at most 200 held.
    const [releases, keys] = [scale(60, 600), 1_000];
    let all = 0;
    let bad = 0;
    for (let r = 0; r < releases; r += 1) {
      const tracker = new KeyTracker(200);
      const marks = new Map<number, boolean>();
      for (let k = 0; k < keys; k += 1) {
        const { identity } = hashKey(`salt-${r}`, `key-${k}`);
        if (tracker.begin(identity)) marks.set(identity, k % 10 === 0);
      }
      // 250 keys are expected at level 2: once in some thousands of releases no more than 200 come.
      assert.ok(tracker.level >= 2);
      const kept = [...marks].filter(([one]) => isSampled(one, tracker.level));
      all += kept.length * 2 ** tracker.level;
      bad += kept.filter(([, isBad]) => isBad).length * 2 ** tracker.level;
    }
    // Up to level 4, the standard error of the mean is at most sqrt(15 * 1000 / releases) keys; four of them.
    assert.ok(
      Math.abs(all / releases - keys) < 4 * Math.sqrt((15 * keys) / releases),
      `${all / releases} keys`,
    );
    assert.ok(
      Math.abs(bad / releases - keys / 10) < 4 * Math.sqrt((1.5 * keys) / releases),
      `${bad / releases} bad`,
    );
  });
});
