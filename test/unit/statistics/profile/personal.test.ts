import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { categoricalProfile, numericProfile } from '../../../../src/statistics/profile/build.js';
import { checkProfile } from '../../../../src/statistics/profile/check.js';
import {
  LEAST_BIN_ROWS,
  personalCategories,
  personalNumeric,
} from '../../../../src/statistics/profile/personal.js';
import { WindowCounter } from '../../../../src/statistics/profile/window.js';
import { scale } from '../../../support/scale.js';

const unknown = { least: null, most: null };

describe('A personal feature', () => {
  it('of numbers has bins of many rows, and neither ends nor moments', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 400 })), {
          maxLength: 300,
        }),
        (values) => {
          const made = personalNumeric(numericProfile('age', values), unknown);
          checkProfile({ format: 1, rows: values.length, features: [made], score: null });
          assert.equal(
            made.counts.every((rows) => rows >= LEAST_BIN_ROWS),
            values.length >= LEAST_BIN_ROWS,
          );
          assert.equal(made.moments, null);
          assert.deepEqual(
            made.range,
            values.length === 0 ? null : { least: -Number.MAX_VALUE, most: Number.MAX_VALUE },
          );
        },
      ),
      { numRuns: scale(200, 5000), seed: 20 },
    );
  });

  it('of numbers has the range that is known without the rows', () => {
    const values = Array.from({ length: 200 }, (_, i) => i % 90);
    const made = personalNumeric(numericProfile('age', values), { least: 0, most: 120 });
    assert.deepEqual(made.range, { least: 0, most: 120 });
    const counter = new WindowCounter({ format: 1, rows: 200, features: [made], score: null }, 'd');
    for (const age of [-1, 119, 121]) counter.add([age]);
    const [counts] = counter.counts().features;
    assert.ok(counts?.kind === 'numeric');
    assert.deepEqual([counts.below, counts.counts.at(-1), counts.above], [1, 1, 1]);
    // A range that the rows do not keep to would leave cuts outside of it.
    const { range } = personalNumeric(numericProfile('age', values), { least: 50, most: 60 });
    assert.deepEqual(range, { least: -Number.MAX_VALUE, most: Number.MAX_VALUE });
  });

  it('of categories names none, in the profile or in windows', () => {
    const made = personalCategories(categoricalProfile('origin', ['a', 'a', 'b', null, 'c', 7], 'string', 2));
    assert.deepEqual(made, {
      kind: 'categorical',
      name: 'origin',
      of: 'string',
      missing: 1,
      wrongType: 1,
      values: [],
      counts: [],
      other: { rows: 4, values: 3 },
      personal: true,
    });
    const profile = { format: 1, rows: 6, features: [made], score: null } as const;
    checkProfile(profile);
    const counter = new WindowCounter(profile, 'd');
    for (const value of ['a', 'z', null, 3]) counter.add([value]);
    assert.deepEqual(counter.counts().features, [
      { kind: 'categorical', counts: [], unlisted: { names: [], rest: 2 }, missing: 1, wrongType: 1 },
    ]);
  });
});
