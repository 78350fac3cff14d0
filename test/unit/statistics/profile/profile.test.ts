import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  categoricalProfile,
  numericProfile,
  scoreProfile,
} from '../../../../src/statistics/profile/build.js';
import { checkProfile, checkWindow } from '../../../../src/statistics/profile/check.js';
import { scoreCuts } from '../../../../src/statistics/profile/cuts.js';
import type { NumericProfile, ReferenceProfile } from '../../../../src/statistics/profile/types.js';
import { WindowCounter } from '../../../../src/statistics/profile/window.js';
import { scale } from '../../../support/scale.js';

const numRuns = scale(200, 5000);

describe('A numeric feature', () => {
  it('has bins of about equal numbers, all of its rows, its range and its moments', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i * 617) % 1000);
    const made = numericProfile('age', [...values, null, 'x'], 10);
    assert.deepEqual(made.cuts, [100, 200, 300, 400, 500, 600, 700, 800, 900]);
    assert.deepEqual(made.counts, Array<number>(10).fill(100));
    assert.deepEqual([made.missing, made.wrongType, made.range], [1, 1, { least: 0, most: 999 }]);
    const { mean, deviation, skewness, kurtosis } = made.moments!;
    assert.ok(Math.abs(mean - 499.5) < 1e-9 && Math.abs(deviation ** 2 - (1e6 - 1) / 12) < 1e-6);
    // Of the uniform distribution on n whole numbers: -6 (n^2 + 1) / (5 (n^2 - 1)).
    assert.ok(Math.abs(skewness!) < 1e-9 && Math.abs(kurtosis! + (6 * (1e6 + 1)) / (5 * (1e6 - 1))) < 1e-9);
  });

  it('gives few values a bin each, and a frequent one a bin of its own', () => {
    const few = numericProfile('rooms', [1, 2, 2, 3, 3, 3], 10);
    assert.deepEqual(
      [few.cuts, few.counts],
      [
        [2, 3],
        [1, 2, 3],
      ],
    );
    const zeros = numericProfile(
      'debt',
      [...Array<number>(600).fill(0), ...Array.from({ length: 400 }, (_, i) => i + 1)],
      10,
    );
    assert.equal(zeros.counts[0], 600);
    assert.equal(zeros.cuts[0], 1);
  });

  it('keeps all rows in at most as many bins as asked, and its digits far from 0', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
          {
            maxLength: 80,
          },
        ),
        fc.integer({ min: 1, max: 12 }),
        (values, bins) => {
          const made = numericProfile('x', values, bins);
          assert.ok(made.counts.length <= bins);
          checkProfile({ format: 1, rows: values.length, features: [made], score: null });
          assert.deepEqual(JSON.parse(JSON.stringify(made)), made);
          const window = new WindowCounter({ format: 1, rows: 0, features: [made], score: null }, 'p');
          for (const value of values) window.add([value]);
          const [own] = window.counts().features;
          assert.deepEqual(own?.counts, made.counts, 'the reference is in its own bins');
        },
      ),
      { seed: 20_261_125, numRuns },
    );
    const far = numericProfile('time', [1.7e12, 1.7e12 + 1, 1.7e12 + 2]);
    assert.ok(Math.abs(far.moments!.deviation - Math.sqrt(2 / 3)) < 1e-9);
  });

  it('may be constant, or have no value at all', () => {
    const constant = numericProfile('x', [5, 5, 5]);
    assert.deepEqual(
      [constant.cuts, constant.counts, constant.range, constant.moments],
      [[], [3], { least: 5, most: 5 }, { mean: 5, deviation: 0, skewness: null, kurtosis: null }],
    );
    const none = numericProfile('x', [null, Number.NaN]);
    assert.deepEqual([none.counts, none.range, none.moments, none.missing], [[0], null, null, 2]);
    const window = new WindowCounter({ format: 1, rows: 2, features: [constant, none], score: null }, 'p');
    for (const value of [5, 6, 4, -Infinity, Infinity]) window.add([value, value]);
    const shown = window.counts().features.map((f) => f.kind === 'numeric' && [f.counts, f.below, f.above]);
    assert.deepEqual(shown, [
      [[1], 2, 2],
      [[0], 4, 1],
    ]);
  });
});

describe('A categorical feature', () => {
  it('lists its most frequent values and counts the others', () => {
    const made = categoricalProfile('state', ['b', 'a', 'a', 'c', 'c', 'c', 'd', null, 4], 'string', 2);
    assert.deepEqual(made, {
      kind: 'categorical',
      name: 'state',
      of: 'string',
      missing: 1,
      wrongType: 1,
      values: ['c', 'a'],
      counts: [3, 2],
      other: { rows: 2, values: 2 },
    });
    assert.deepEqual(categoricalProfile('code', [7, 7n, 8, '7'], 'number').values, ['7', '8']);
    assert.deepEqual(categoricalProfile('code', [Infinity, -0, 0, [7]], 'number').values, ['0', 'Infinity']);
    assert.deepEqual(categoricalProfile('yes', [true, false, true, 1], 'boolean').counts, [2, 1]);
  });
});

describe('Cuts of scores', () => {
  it('hold the threshold, and follow the probability where the reference has few rows', () => {
    const scores = Float64Array.from({ length: 1000 }, (_, i) =>
      i < 980 ? i / 100_000 : 0.5 + (i - 980) / 50,
    );
    const cuts = scoreCuts(scores, { kind: 'none' }, 0.61);
    assert.ok(cuts.includes(0.61));
    assert.ok(cuts.filter((cut) => cut > 0.5).length >= 8);
    assert.deepEqual(
      scoreCuts(new Float64Array(2), { kind: 'none' }, 0),
      [],
      'a threshold that all reach is no cut',
    );
    assert.deepEqual(scoreCuts(new Float64Array(), { kind: 'none' }, 0.5), [0.5]);
  });
});

describe('A profile from outside', () => {
  const scores = Array.from({ length: 60 }, (_, i) => (i % 20) / 20);
  const labels = scores.map((score, i) => (score > 0.5 !== (i % 7 === 0) ? 1 : 0));
  const good: ReferenceProfile = {
    format: 1,
    rows: 60,
    features: [
      numericProfile('age', scores),
      categoricalProfile(
        'state',
        scores.map((score) => (score > 0.2 ? 'x' : 'y')),
        'string',
      ),
    ],
    score: scoreProfile(scores, labels, 0.5, 20),
  };
  const [age, state] = good.features as [NumericProfile, ReferenceProfile['features'][0]];
  const withAge = (changes: Partial<NumericProfile>): ReferenceProfile => ({
    ...good,
    features: [{ ...age, ...changes }, state],
  });
  const window = new WindowCounter(good, 'p').counts();

  it('is plain JSON, and passes when it is whole', () => {
    checkProfile(good);
    checkWindow(good, window);
    assert.deepEqual(JSON.parse(JSON.stringify(good)), good);
  });

  const CASES: readonly (readonly [string, () => void, RegExp])[] = [
    [
      'edges that do not rise',
      () => checkProfile(withAge({ cuts: age.cuts.with(3, 0.1) })),
      /^RangeError: Feature age: cuts\[3\] is 0\.1, after 0\.15: edges must rise$/,
    ],
    [
      'an edge that is none',
      () => checkProfile(withAge({ cuts: age.cuts.with(0, Number.NaN) })),
      /Feature age: cuts\[0\] is NaN/,
    ],
    [
      'a negative count',
      () => checkProfile(withAge({ counts: age.counts.with(2, -3) })),
      /Feature age: counts\[2\] is -3/,
    ],
    [
      'a count that is not whole',
      () => checkProfile(withAge({ counts: age.counts.with(2, 1.5) })),
      /counts\[2\] is 1\.5/,
    ],
    ['bins without cuts', () => checkProfile(withAge({ cuts: [] })), /counts has 20 bins: it must have 1/],
    [
      'rows that are lost',
      () => checkProfile(withAge({ missing: 1 })),
      /counts add up to 61: there are 60 rows/,
    ],
    [
      'a range that falls',
      () => checkProfile(withAge({ range: { least: 1, most: 0 } })),
      /range goes from 1 to 0/,
    ],
    [
      'cuts outside of the range',
      () => checkProfile(withAge({ range: { least: 0.2, most: 1 } })),
      /cuts go from 0\.05 to 0\.95, range from 0\.2 to 1/,
    ],
    [
      'a feature twice',
      () => checkProfile({ ...good, features: [age, age], rows: 60 }),
      /two features named age/,
    ],
    [
      'a value twice',
      () => checkProfile({ ...good, features: [age, { ...state, values: ['x', 'x'] } as typeof state] }),
      /Feature state: values hold "x" twice/,
    ],
    [
      'another format',
      () => checkProfile({ ...good, format: 2 as 1 }),
      /format 2: this release reads format 1/,
    ],
    [
      'a score histogram without its bins',
      () => checkProfile({ ...good, score: { ...good.score!, positives: [1] } }),
      /Score: positives has 1 bins/,
    ],
    [
      'a window of fewer features',
      () => checkWindow(good, { ...window, features: [] }),
      /Window has 0 features: its profile has 2/,
    ],
    [
      'a window whose rows are lost',
      () => checkWindow(good, { ...window, rows: 3 }),
      /Feature age: counts add up to 0: there are 3 rows/,
    ],
    [
      'a window of another kind',
      () => checkWindow(good, { ...window, features: window.features.toReversed() }),
      /Feature age: kind is categorical: the profile says numeric/,
    ],
    [
      'a window without scores',
      () => checkWindow(good, { ...window, score: null }),
      /Window has no scores, unlike its profile/,
    ],
    [
      'a window with a negative count',
      () => checkWindow(good, { ...window, score: { ...window.score!, invalid: -1 } }),
      /Score: invalid\[0\] is -1/,
    ],
  ];
  for (const [what, act, message] of CASES) {
    it(`is refused with ${what}`, () => {
      assert.throws(act, (error) => error instanceof RangeError && message.test(String(error)));
    });
  }

  it('is not made of infinite values: a reference is for the caller to mend', () => {
    assert.throws(() => numericProfile('age', [1, Infinity]), /Feature age has Infinity in row 2/);
  });
});
