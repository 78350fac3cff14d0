import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  addValue,
  countAbove,
  emptySketch,
  mergeSketch,
  quantileOf,
  SKETCH_ERROR,
} from '../../../src/statistics/sketch.js';

const sketchOf = (values: readonly number[]) => {
  const sketch = emptySketch();
  for (const value of values) addValue(sketch, value);
  return sketch;
};
const value = fc.double({ min: -1e9, max: 1e9, noNaN: true }).filter((v) => v === 0 || Math.abs(v) > 1e-9);

describe('The quantile sketch', () => {
  it('answers each quantile within its relative error', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.floor(q * (values.length - 1))] ?? Number.NaN;
          const answer = quantileOf(sketchOf(values), q) ?? Number.NaN;
          assert.ok(
            Math.abs(answer - exact) <= Math.abs(exact) * SKETCH_ERROR * 1.000001,
            `${answer} for ${exact}`,
          );
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it('is the same however it is merged', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), fc.nat(60), (values, cut) => {
        const [left, right] = [sketchOf(values.slice(0, cut)), sketchOf(values.slice(cut))];
        const [a, b] = [emptySketch(), emptySketch()];
        for (const part of [left, right]) mergeSketch(a, part);
        for (const part of [right, left]) mergeSketch(b, part);
        const bins = ({ count, zeros, positive, negative }: typeof a) => ({
          count,
          zeros,
          positive,
          negative,
        });
        assert.deepEqual(bins(a), bins(b));
        assert.deepEqual(bins(a), bins(sketchOf(values)));
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it('counts what is above a bound, keeps missing values apart, and has no answer without values', () => {
    const sketch = sketchOf([1, 2, 3, 50, Number.NaN, Infinity, 0]);
    assert.equal(countAbove(sketch, 2.5), 2);
    assert.deepEqual([sketch.count, sketch.missing, sketch.zeros], [5, 2, 1]);
    assert.equal(quantileOf(emptySketch(), 0.5), null);
  });
});
