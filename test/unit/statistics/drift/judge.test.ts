/** What is made of one feature and of one window. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  FEATURE_DEFAULTS,
  judgeFeature,
  type FeatureCounts,
  type FeatureRule,
} from '../../../../src/statistics/drift/judge-feature.js';
import { judgeWindow, WINDOW_DEFAULTS } from '../../../../src/statistics/drift/judge-window.js';
import { inputPairs } from '../../../../src/statistics/monitor/pairs.js';
import { categoricalProfile, numericProfile } from '../../../../src/statistics/profile/build.js';
import { mergeWindows } from '../../../../src/statistics/profile/merge.js';
import type { ReferenceProfile, WindowCounts } from '../../../../src/statistics/profile/types.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { multinomial, NormalFeature, within } from './simulate.js';

const RULE: FeatureRule = { ...FEATURE_DEFAULTS, alpha: 1e-6 };
const share = (p: number, rows: number): FeatureCounts => ({
  kind: 'categorical',
  reference: { yes: 2500, no: 2500 },
  window: { yes: Math.round(p * rows), no: rows - Math.round(p * rows) },
});

describe('judging a feature', () => {
  it('.08 sd at 50,000 rows is significant and immaterial, .3 sd is drift, nothing is none', () => {
    const random = createRandom(2);
    const feature = new NormalFeature(random, 50_000);
    for (let run = 0; run < scale(10, 500); run += 1) {
      const small = judgeFeature(feature.counts(50_000, feature.shares(0.08)), RULE);
      assert.equal(small.verdict, 'significant-immaterial');
      assert.ok(small.p < 1e-12 && small.effect.upper < 0.06 && small.effect.lower > 0.01);
      const large = judgeFeature(feature.counts(50_000, feature.shares(0.3)), RULE);
      assert.equal(large.verdict, 'drift');
      assert.equal(judgeFeature(feature.counts(50_000, feature.shares()), RULE).verdict, 'none');
    }
  });

  it('the interval of an effect, 95 %, holds the truth in at least 92 % of runs', () => {
    const random = createRandom(40);
    const runs = scale(150, 2_000);
    const lax = { ...RULE, alpha: 0.5 };
    const named = (counts: readonly number[]) =>
      Object.fromEntries(counts.map((count, i) => [`c${i}`, count]));
    const even = Array.from({ length: 20 }, () => 1 / 20);
    const moved = even.map((share, i) => share * (i < 10 ? 1.2 : 0.8));
    const held = { numeric: 0, categorical: 0 };
    for (let run = 0; run < runs; run += 1) {
      const feature = new NormalFeature(random, 5000);
      const numeric = judgeFeature(feature.counts(2000, feature.shares(0.3)), lax);
      const categorical = judgeFeature(
        {
          kind: 'categorical',
          reference: named(multinomial(random, 5000, even)),
          window: named(multinomial(random, 1000, moved)),
        },
        lax,
      );
      assert.ok(numeric.verdict !== 'insufficient' && categorical.verdict !== 'insufficient');
      // Largest distance of two normal laws .3 sd apart; a tenth of the rows moved.
      if (numeric.effect.lower <= 0.1192 && 0.1192 <= numeric.effect.upper) held.numeric += 1;
      if (categorical.effect.lower <= 0.1 && 0.1 <= categorical.effect.upper) held.categorical += 1;
    }
    const { low } = within(0.92, runs);
    assert.ok(held.numeric / runs >= low && held.categorical / runs >= low, JSON.stringify(held));
  });

  it('another spread with the same middle is drift: the shape tells', () => {
    const feature = new NormalFeature(createRandom(3), 5000);
    const found = judgeFeature(feature.counts(500, feature.shares(0, 1.6)), RULE);
    assert.ok(found.verdict === 'drift' && found.test === 'chi-square', JSON.stringify(found));
  });

  it('mostly one value: the ranks are left out, the share of it is judged', () => {
    const counts = { kind: 'numeric', reference: [4900, 50, 50], window: [490, 5, 5] } as const;
    assert.equal(judgeFeature(counts, RULE).verdict, 'none');
    const broken = judgeFeature({ ...counts, window: [300, 100, 100] }, RULE);
    assert.ok(broken.verdict === 'drift' && broken.test !== 'mann-whitney');
  });

  it('categories: what grew is the effect, an unseen category counts, many categories by chance do not', () => {
    const moved = judgeFeature(share(0.7, 1000), RULE);
    assert.ok(moved.verdict === 'drift');
    assert.ok(
      Math.abs(moved.effect.estimate - 0.2) < 0.01 && moved.effect.lower < 0.2 && moved.effect.upper > 0.2,
    );
    const unseen = judgeFeature(
      { kind: 'categorical', reference: { a: 1000 }, window: { a: 800, b: 200 } },
      RULE,
    );
    assert.ok(unseen.verdict === 'drift' && Math.abs(unseen.effect.estimate - 0.2) < 0.01);
    const random = createRandom(12);
    const many = Array.from({ length: 50 }, () => 1 / 50);
    const named = (rows: number) =>
      Object.fromEntries(multinomial(random, rows, many).map((count, i) => [`c${i}`, count]));
    const chance = judgeFeature({ kind: 'categorical', reference: named(5000), window: named(500) }, RULE);
    assert.ok(chance.verdict === 'none' && chance.effect.estimate < 0.06, JSON.stringify(chance));
  });

  it('too few rows are insufficient, never a number', () => {
    const few = judgeFeature(share(1, 49), RULE);
    assert.deepEqual(few, {
      verdict: 'insufficient',
      rows: { reference: 5000, window: 49 },
      reason: '49 rows in the window, at least 50 are needed',
    });
  });

  for (const [what, feature, reason] of [
    ['missing counts', { kind: 'numeric', reference: [1], window: null }, /window is null: a list of counts/],
    ['no counts at all', undefined, /kind is undefined: numeric or categorical/],
    ['another kind', { kind: 'text', reference: [1], window: [1] }, /kind is text/],
    [
      'NaN in a bin',
      { kind: 'numeric', reference: [100, 100], window: [Number.NaN, 100] },
      /window\[0\] is NaN/,
    ],
    [
      'other bins',
      { kind: 'numeric', reference: [100, 100], window: [100] },
      /window has 1 bins and reference 2/,
    ],
    [
      'a category that is no count',
      { kind: 'categorical', reference: { a: 9 }, window: { a: '9' } },
      /window\.a is 9: a whole/,
    ],
    [
      'a list for categories',
      { kind: 'categorical', reference: [1], window: { a: 1 } },
      /reference is 1: counts by category/,
    ],
    [
      'nothing in the window',
      { kind: 'categorical', reference: { a: 100 }, window: {} },
      /window has no rows/,
    ],
  ] as const)
    it(`${what}: insufficient with the field, never none`, () => {
      const found = judgeFeature(feature as unknown as FeatureCounts, RULE);
      assert.equal(found.verdict, 'insufficient');
      assert.match(found.verdict === 'insufficient' ? found.reason : '', reason);
    });

  it('refuses a rule that does not hold together, all of it at once', () => {
    const rule = { alpha: 0, minRows: 2, material: 1, confidence: Number.NaN };
    assert.throws(
      () => judgeFeature(share(0.5, 100), rule),
      /^RangeError: Feature rule: alpha is 0.*confidence is NaN.*minRows is 2.*material is 1/,
    );
    assert.throws(
      () => judgeWindow({}, { ...WINDOW_DEFAULTS, windowsBetweenFalseFindings: 1 }),
      /windowsBetweenFalseFindings is 1: a finite number above 1/,
    );
  });

  it('shards merged in any order give the same verdict, to the last bit', () => {
    const listed = ['a', 'b', 'c', 'toString'];
    const profile: ReferenceProfile = {
      format: 1,
      rows: 600,
      features: [
        { ...numericProfile('x', [0, 1, 2, 3, 4, 5]), counts: Array<number>(6).fill(100) },
        { ...categoricalProfile('y', listed, 'string'), values: listed, counts: [300, 200, 5, 40] },
      ],
      score: null,
    };
    const bins = fc.array(fc.nat(60), { minLength: 6, maxLength: 6 });
    const counts = fc.array(fc.nat(80), { minLength: 4, maxLength: 4 });
    const unlisted = fc.dictionary(
      fc.constantFrom('10', '2', 'hasOwnProperty', 'd'),
      fc.integer({ min: 1, max: 80 }),
    );
    const shard = fc.tuple(bins, counts, unlisted).map(([numeric, categorical, names]): WindowCounts => ({
      profile: 'p',
      rows: 0,
      features: [
        { kind: 'numeric', counts: numeric, below: 1, above: 0, missing: 0, wrongType: 0 },
        {
          kind: 'categorical',
          counts: categorical,
          unlisted: { names: Object.entries(names), rest: 0 },
          missing: 0,
          wrongType: 0,
        },
      ],
      score: null,
    }));
    const orders = fc.infiniteStream(fc.nat(1000));
    fc.assert(
      fc.property(fc.array(shard, { minLength: 1, maxLength: 8 }), orders, (shards, order) => {
        const shuffled = shards
          .map((one) => ({ one, at: order.next().value! }))
          .sort((x, y) => x.at - y.at)
          .map(({ one }) => one);
        const merged = (some: readonly WindowCounts[]): WindowCounts => some.reduce(mergeWindows);
        const judged = (window: WindowCounts) => {
          const pairs = inputPairs({ digest: 'p', profile, predictions: [] }, window, []);
          return judgeWindow(Object.fromEntries(pairs.map((pair) => [pair.name, pair.counts])));
        };
        const straight = judged(merged(shards));
        assert.equal(straight.features.length, 2);
        assert.deepEqual(judged(merged(shuffled)), straight);
        // Shards of shards, as a compactor makes them.
        const half = Math.ceil(shards.length / 2);
        const parts = [shards.slice(0, half), shards.slice(half)].filter((part) => part.length > 0);
        assert.deepEqual(judged(merged(parts.map(merged).reverse())), straight);
      }),
      { seed: 14, numRuns: 150 },
    );
  });

  it('a window tells each feature by name, with its p after correction; without features it is insufficient', () => {
    const verdict = judgeWindow({ steady: share(0.5, 1000), moved: share(0.8, 1000), thin: share(0.5, 20) });
    assert.equal(verdict.verdict, 'drift');
    assert.deepEqual(
      verdict.features.map(({ name, verdict }) => [name, verdict]),
      [
        ['moved', 'drift'],
        ['steady', 'none'],
        ['thin', 'insufficient'],
      ],
    );
    const [moved] = verdict.features;
    assert.ok(moved?.verdict === 'drift' && Math.abs(moved.pInWindow / (3 * moved.p) - 1) < 1e-12);
    assert.equal(judgeWindow({ thin: share(0.5, 20) }).verdict, 'insufficient');
    assert.equal(judgeWindow({}).verdict, 'insufficient');
  });
});
