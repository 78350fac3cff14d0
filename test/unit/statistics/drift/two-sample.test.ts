/** What the tests do at the edges: ties, bins, constant columns, categories of one side, bad input. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  alignCategories,
  chiSquare,
  joinColumns,
  mergeNeighbours,
  mergeRare,
} from '../../../../src/statistics/drift/chi-square.js';
import { total, type Pair } from '../../../../src/statistics/drift/checks.js';
import {
  alphaAtLook,
  alphaOfBudget,
  benjaminiHochberg,
  bonferroni,
} from '../../../../src/statistics/drift/corrections.js';
import { jensenShannon, psi, psiTest, psiThreshold } from '../../../../src/statistics/drift/distances.js';
import { ksFromCounts, ksFromSamples } from '../../../../src/statistics/drift/kolmogorov-smirnov.js';
import {
  mannWhitneyFromCounts,
  mannWhitneyFromSamples,
} from '../../../../src/statistics/drift/mann-whitney.js';
import { estimateOnset } from '../../../../src/statistics/drift/onset.js';
import { addChunk, NO_CHUNKS, predictionInterval } from '../../../../src/statistics/drift/prediction.js';
import { midRankScore } from '../../../../src/statistics/drift/reference-score.js';
import { INITIAL_RUN_LENGTH, watchScore } from '../../../../src/statistics/drift/run-length.js';
import { scoreSeasonal } from '../../../../src/statistics/drift/seasonal.js';
import {
  wassersteinFromCounts,
  wassersteinFromSamples,
} from '../../../../src/statistics/drift/wasserstein.js';

const samples = fc.record({
  reference: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 40 }),
  window: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 40 }),
});

/** Rows in bins of three values each, the borders half a step aside. */
function coarse(sides: Pair<readonly number[]>): Pair<readonly number[]> {
  const of = (values: readonly number[]): number[] => {
    const bins = Array.from({ length: 11 }, () => 0);
    for (const value of values) bins[Math.floor(value / 3)]! += 1;
    return bins;
  };
  return { reference: of(sides.reference), window: of(sides.window) };
}

describe('two-sample tests at the edges', () => {
  it('from bins: the distance of the rows lies between least and most, and the p-value is never too small', () => {
    fc.assert(
      fc.property(samples, (sides) => {
        const rows = ksFromSamples(sides);
        const bins = ksFromCounts(coarse(sides));
        assert.ok(bins.distance <= rows.distance + 1e-12 && rows.distance <= bins.most + 1e-12);
        assert.ok(bins.p >= rows.p - 1e-12);
        const moved = wassersteinFromCounts(
          coarse(sides),
          Array.from({ length: 12 }, (_, i) => 3 * i - 0.5),
        );
        const exact = wassersteinFromSamples(sides);
        assert.ok(moved.least <= exact + 1e-12 && exact <= moved.most + 1e-12);
        assert.ok(moved.least <= moved.estimate + 1e-12 && moved.estimate <= moved.most + 1e-12);
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it('which side is the reference does not matter to a p-value', () => {
    fc.assert(
      fc.property(samples, ({ reference, window }) => {
        const there = { reference, window };
        const back = { reference: window, window: reference };
        assert.ok(Math.abs(ksFromSamples(there).p - ksFromSamples(back).p) < 1e-12);
        assert.ok(Math.abs(mannWhitneyFromSamples(there).p - mannWhitneyFromSamples(back).p) < 1e-12);
        const z = mannWhitneyFromSamples(there).z + mannWhitneyFromSamples(back).z;
        assert.ok(Math.abs(z) < 1e-9);
      }),
      { seed: 12, numRuns: 200 },
    );
  });

  it('joined columns expect five rows each, and hold every row once', () => {
    const counts = fc.integer({ min: 0, max: 60 });
    const pair = fc
      .integer({ min: 1, max: 12 })
      .chain((bins) =>
        fc.record({
          reference: fc.array(counts, { minLength: bins, maxLength: bins }),
          window: fc.array(counts, { minLength: bins, maxLength: bins }),
        }),
      )
      .filter((sides) => total(sides.reference) > 0 && total(sides.window) > 0);
    fc.assert(
      fc.property(pair, (sides) => {
        for (const groups of [mergeRare(sides), mergeNeighbours(sides)]) {
          const joined = joinColumns(sides, groups);
          assert.equal(total(joined.reference), total(sides.reference));
          assert.equal(total(joined.window), total(sides.window));
          if (groups.length > 1) assert.ok(chiSquare(joined).leastExpected >= 5 - 1e-9);
        }
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it('a constant column cannot differ: p is 1, never NaN', () => {
    for (const counts of [
      { reference: [500], window: [300] },
      { reference: [0, 500, 0], window: [0, 300, 0] },
    ]) {
      assert.equal(chiSquare(counts).p, 1);
      assert.equal(chiSquare(counts).likelihoodRatioP, 1);
      assert.equal(ksFromCounts(counts).p, 1);
      assert.equal(mannWhitneyFromCounts(counts).p, 1);
      assert.equal(psi(counts), 0);
      assert.equal(psiTest(counts).p, 1);
      assert.equal(jensenShannon(counts).divergence, 0);
      assert.equal(midRankScore(counts, 0.01), undefined);
    }
    assert.equal(ksFromSamples({ reference: [7, 7], window: [7] }).p, 1);
    assert.equal(midRankScore({ reference: [501, 499, 0], window: [10, 20, 30] }, 0.01), undefined);
    assert.equal(midRankScore({ reference: [500, 500], window: [20, 20] }, 0.01)?.score, 0);
  });

  it('categories that one side lacks are zero there', () => {
    const aligned = alignCategories({ reference: { a: 90, b: 10 }, window: { a: 70, c: 30 } });
    assert.deepEqual(aligned.names, ['a', 'b', 'c']);
    assert.deepEqual(aligned.reference, [90, 10, 0]);
    assert.deepEqual(aligned.window, [70, 0, 30]);
    assert.ok(chiSquare(aligned).p < 1e-9);
    assert.ok(Number.isFinite(psi(aligned)));
    // A name that every object has.
    assert.deepEqual(alignCategories({ reference: { a: 1 }, window: { toString: 2 } }).reference, [1, 0]);
  });

  it('shares of alpha over looks without end add up to at most 1', () => {
    let sum = 0;
    for (let look = 1; look <= 100_000; look += 1) sum += alphaAtLook(0.5, look) / 0.5;
    // 1/(1 + ln k) is what is left for later looks.
    assert.ok(Math.abs(1 - sum - 1 / (1 + Math.log(100_001))) < 1e-12, `${sum}`);
    assert.equal(alphaOfBudget(17_520), 1 / 17_520);
  });

  const good = { reference: [5, 5], window: [5, 5] };
  for (const [what, call, message] of [
    [
      'a NaN in a sample',
      () => ksFromSamples({ reference: [1, Number.NaN], window: [2] }),
      /reference\[1\] is NaN: a finite/,
    ],
    [
      'an infinite value',
      () => wassersteinFromSamples({ reference: [1], window: [-Infinity] }),
      /window\[0\] is -Infinity/,
    ],
    ['an empty sample', () => mannWhitneyFromSamples({ reference: [], window: [1] }), /reference is empty/],
    [
      'no sample',
      () => ksFromSamples({ reference: [1], window: undefined as never }),
      /window is undefined: a list/,
    ],
    [
      'a text among values',
      () => ksFromSamples({ reference: [1, '2' as never], window: [2] }),
      /reference\[1\] is 2/,
    ],
    [
      'a share for a count',
      () => chiSquare({ reference: [0.5, 0.5], window: [1, 1] }),
      /reference\[0\] is 0.5: a whole number/,
    ],
    ['a count below 0', () => psi({ reference: [5, -1], window: [1, 1] }), /reference\[1\] is -1/],
    [
      'other bins',
      () => jensenShannon({ reference: [5], window: [1, 1] }),
      /window has 2 bins and reference 1/,
    ],
    ['no rows', () => ksFromCounts({ reference: [5, 5], window: [0, 0] }), /window has no rows/],
    [
      'many wrong values',
      () => chiSquare({ reference: [-1, -1, -1, -1, -1], window: [1] }),
      /\[2\] is -1.*more of these/,
    ],
    ['borders that do not fit', () => wassersteinFromCounts(good, [0, 1]), /borders has 2 values for 2 bins/],
    [
      'borders that fall',
      () => wassersteinFromCounts(good, [0, 2, 1]),
      /borders\[2\] is 1: it must be greater/,
    ],
    [
      'alpha of 1',
      () => psiThreshold({ reference: 9, window: 9 }, 4, 1),
      /alpha is 1: a number between 0 and 1/,
    ],
    ['one bin for a threshold', () => psiThreshold({ reference: 9, window: 9 }, 1, 0.1), /bins is 1/],
    ['no rows for a threshold', () => psiThreshold({ reference: 9, window: 0 }, 3, 0.1), /rows.window is 0/],
    ['a p-value above 1', () => bonferroni([0.2, 1.2]), /ps\[1\] is 1.2/],
    ['a p-value that is missing', () => benjaminiHochberg([Number.NaN]), /ps\[0\] is NaN/],
    ['look 0', () => alphaAtLook(0.05, 0), /Look 0 must be a whole number from 1/],
    ['a budget of nothing', () => alphaOfBudget(0), /windowsBetweenFalseFindings is 0/],
    ['a chunk that is missing', () => predictionInterval([1, 2, Number.NaN]), /values\[2\] is NaN/],
    ['a share of 0 outside', () => predictionInterval([1, 2, 3], 0), /outside is 0/],
    [
      'a score that is missing',
      () => watchScore(INITIAL_RUN_LENGTH, { windowsBetweenFalseFindings: 9 }, Number.NaN),
      /score is NaN/,
    ],
    [
      'an allowance below 0',
      () => watchScore(INITIAL_RUN_LENGTH, { windowsBetweenFalseFindings: 9, allowance: -1 }, 0),
      /allowance is -1/,
    ],
    ['no scores', () => estimateOnset([]), /scores is empty/],
    ['a period of 1', () => scoreSeasonal([1, 2, 3], 1), /period is 1/],
    ['a last window that is missing', () => scoreSeasonal([1, 2, null], 2), /values\[2\] is null/],
  ] as const)
    it(`refuses ${what}, by field`, () => {
      assert.throws(call, (error: unknown) => error instanceof RangeError && message.test(error.message));
    });

  it('too few chunks, or chunks that do not vary, give no interval', () => {
    for (const values of [[], [1], [1, 2], [4, 4, 4, 4]])
      assert.equal(predictionInterval(values).state, 'insufficient');
    assert.equal(predictionInterval([1, 2, 3]).state, 'known');
    assert.equal([1, 2, 3].reduce(addChunk, NO_CHUNKS).mean, 2);
  });
});
