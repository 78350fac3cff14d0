import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  categoricalProfile,
  numericProfile,
  scoreProfile,
} from '../../../../src/statistics/profile/build.js';
import { checkWindow } from '../../../../src/statistics/profile/check.js';
import { mergeWindows } from '../../../../src/statistics/profile/merge.js';
import { LONGEST_NAME, MOST_NAMES } from '../../../../src/statistics/profile/names.js';
import { estimateWindow, realisedWindow } from '../../../../src/statistics/profile/performance.js';
import type {
  CategoricalCounts,
  ReferenceProfile,
  WindowCounts,
} from '../../../../src/statistics/profile/types.js';
import { valuesOf, WindowCounter } from '../../../../src/statistics/profile/window.js';
import { scale } from '../../../support/scale.js';

const numRuns = scale(100, 3000);

const scores = Array.from({ length: 200 }, (_, i) => ((i * 37) % 100) / 100);
const labels = scores.map((score, i) => (((i * 13) % 100) / 100 < score ? 1 : 0));
const profile: ReferenceProfile = {
  format: 1,
  rows: 200,
  features: [
    numericProfile(
      'income',
      Array.from({ length: 200 }, (_, i) => i),
      10,
    ),
    categoricalProfile(
      'state',
      Array.from({ length: 200 }, (_, i) => ['TX', 'TX', 'CA', null, 'NY'][i % 5]),
      'string',
    ),
  ],
  score: scoreProfile(scores, labels, 0.5, 50),
};

const counter = (): WindowCounter => new WindowCounter(profile, 'p1');

interface Row {
  readonly values: readonly unknown[];
  readonly score: unknown;
  readonly label: number | null;
}

const windowOf = (rows: readonly Row[]): WindowCounts => {
  const counts = counter();
  for (const { values, score, label } of rows) {
    counts.add(values, score);
    if (label !== null && typeof score === 'number' && score >= 0 && score <= 1)
      counts.addLabel(score, label);
  }
  return counts.counts();
};

const anything = fc.constantFrom(null, undefined, Number.NaN, 'x', true, 12n, Infinity, {}, [3]);
const row: fc.Arbitrary<Row> = fc.record({
  values: fc.tuple(
    fc.oneof(fc.double({ min: -50, max: 250 }), anything),
    // Many more names than are kept.
    fc.oneof(
      fc.constantFrom('TX', 'CA', 'NY'),
      fc.nat(200).map((n) => `state ${n}`),
      anything,
    ),
  ),
  score: fc.oneof(fc.double({ min: -0.1, max: 1.1 }), anything),
  label: fc.constantFrom(0, 1, null),
});
/** Rows, the shard that each goes to, and an order of the shards. */
const shards = fc.array(fc.tuple(row, fc.nat(7)), { maxLength: 400, size: 'max' });
const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });

describe('Windows', () => {
  it('are the same from any shards, added in any order and any grouping', () => {
    let full = 0;
    fc.assert(
      fc.property(shards, order, (rows, places) => {
        const whole = windowOf(rows.map(([one]) => one));
        const parts = places.map((place) =>
          windowOf(rows.flatMap(([one, at]) => (at === place ? [one] : []))),
        );
        const chain = parts.reduce(mergeWindows, counter().counts());
        const [a, b, c, d, e, f, g, h] = parts as [
          WindowCounts,
          WindowCounts,
          WindowCounts,
          WindowCounts,
          WindowCounts,
          WindowCounts,
          WindowCounts,
          WindowCounts,
        ];
        const m = mergeWindows;
        assert.deepEqual(chain, whole);
        assert.deepEqual(m(m(m(a, b), m(c, d)), m(m(e, f), m(g, h))), whole);
        assert.deepEqual(JSON.parse(JSON.stringify(chain)), chain, 'plain JSON');
        checkWindow(profile, chain);
        if ((whole.features[1] as CategoricalCounts).unlisted.rest > 0) full += 1;
      }),
      { seed: 20_261_125, numRuns },
    );
    assert.ok(full > numRuns / 10, `${full} of the windows had more names than are kept`);
  });

  it('are the same from columns as from rows, in whatever pieces', () => {
    const numbers = fc.array(fc.oneof(fc.double({ min: -50, max: 250 }), fc.double()), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), numbers, fc.nat(60), (rows, incomes, cut) => {
        const split = (length: number): number => Math.min(cut, length);
        const mixed = counter();
        const columns = [0, 1].map((i) => rows.map(({ values }) => values[i]));
        const given = rows.map(({ score }) => score);
        mixed.addColumns(columns, given, 0, split(rows.length));
        mixed.addColumns(columns, given, split(rows.length), rows.length);
        assert.deepEqual(mixed.counts(), windowOf(rows.map((one) => ({ ...one, label: null }))));
        const plain = counter();
        const typed = [Float64Array.from(incomes), incomes.map(() => 'TX')];
        plain.addColumns(typed, incomes, 0, split(incomes.length));
        plain.addColumns(typed, incomes, split(incomes.length), incomes.length);
        const each = incomes.map((income) => ({ values: [income, 'TX'], score: income, label: null }));
        assert.deepEqual(plain.counts(), windowOf(each));
      }),
      { seed: 20_261_128, numRuns },
    );
  });

  it('put each value where it belongs', () => {
    const counts = counter();
    const values = [0, 199, -1, 200, -Infinity, Infinity, 12n, null, undefined, Number.NaN, '12', true, [1]];
    for (const value of values) counts.add([value, null]);
    const [numeric] = counts.counts().features;
    assert.deepEqual(numeric, {
      kind: 'numeric',
      counts: [2, 0, 0, 0, 0, 0, 0, 0, 0, 1].with(0, 2),
      below: 2,
      above: 2,
      missing: 3,
      wrongType: 3,
    });
    const states = counter();
    for (const value of ['TX', 'CA', 'TX', 'ON', 'ON', 'TX ', null, 5, 5n, false]) states.add([1, value]);
    assert.deepEqual(states.counts().features[1], {
      kind: 'categorical',
      counts: [2, 1, 0],
      unlisted: {
        names: [
          ['ON', 2],
          ['TX ', 1],
        ],
        rest: 0,
      },
      missing: 1,
      wrongType: 3,
    });
  });

  it('are of bounded size, with each kept name exact and the rest counted', () => {
    const counts = counter();
    const rows = 20_000;
    for (let i = 0; i < rows; i += 1)
      counts.add([i, i % 2 === 0 ? `name ${i % 3000}` : `${'long'.repeat(500)}${i}`], 0.5);
    const window = counts.counts();
    const { names, rest } = (window.features[1] as CategoricalCounts).unlisted;
    assert.equal(names.length, MOST_NAMES);
    assert.ok(names.every(([name]) => name.length <= LONGEST_NAME));
    for (const [name, number] of names)
      if (name.startsWith('name')) assert.ok(number === 6 || number === 7, `${name}: ${number}`);
    assert.equal(
      names.reduce((sum, [, number]) => sum + number, rest),
      rows,
    );
    assert.ok(JSON.stringify(window).length < 10_000);
  });

  it('keep no half characters, and tell long names apart', () => {
    const counts = counter();
    const long = `${'a'.repeat(54)}\u{1f600}`.repeat(3);
    for (const name of [`${long}1`, `${long}2`, 'half \ud83d', '__proto__']) counts.add([1, name]);
    const { names } = (counts.counts().features[1] as CategoricalCounts).unlisted;
    assert.equal(names.length, 4);
    assert.ok(names.every(([name]) => !/\p{Surrogate}/u.test(name)));
  });

  it('of different profiles are not added, nor damaged ones', () => {
    const mine = counter().counts();
    assert.throws(
      () => mergeWindows(mine, { ...mine, profile: 'p2' }),
      /^RangeError: A window of profile p2 cannot be added to one of profile p1: their bins differ$/,
    );
    assert.throws(() => mergeWindows(mine, { ...mine, features: [] }), /differ in their features or scores/);
    const [income, state] = mine.features as [WindowCounts['features'][0], WindowCounts['features'][0]];
    assert.throws(
      () => mergeWindows(mine, { ...mine, features: [state, income] }),
      /differ in their bins of feature 0/,
    );
    assert.throws(
      () => mergeWindows(mine, { ...mine, score: { ...mine.score!, positives: [] } }),
      /differ in their bins of the score/,
    );
  });

  it('take rows by name: what a row lacks is missing', () => {
    assert.deepEqual(valuesOf(profile.features, { state: 'TX', other: 1 }), [undefined, 'TX']);
  });

  it('take labels for scores, and no others', () => {
    const counts = counter();
    counts.addLabel(0.3, 1);
    assert.equal(
      counts.counts().score!.positives.reduce((sum, number) => sum + number),
      1,
    );
    assert.throws(() => counts.addLabel(0.3, 2), /Label is 2: it must be 0 or 1/);
    assert.throws(() => counts.addLabel(Number.NaN, 1), /Score is NaN, of a row with label 1/);
    assert.throws(
      () => new WindowCounter({ ...profile, score: null }, 'p1').addLabel(0.3, 1),
      /Label 1 has no bin: the profile p1 has no scores/,
    );
  });

  it('give performance without labels and with', () => {
    const window = windowOf(scores.map((score, i) => ({ values: [i, 'TX'], score, label: labels[i]! })));
    const [estimated, realised] = [
      estimateWindow(profile.score!, window.score!),
      realisedWindow(profile.score!, window.score!),
    ];
    const right = labels.filter((label, i) => (scores[i]! >= 0.5 ? 1 : 0) === label).length / 200;
    assert.equal(realised.accuracy.value, right);
    for (const metric of ['auc', 'accuracy', 'f1'] as const) {
      assert.equal(estimated[metric].side, 'within');
      assert.ok(Math.abs(estimated[metric].value! - realised[metric].value!) < 0.06, metric);
    }
    assert.throws(
      () => realisedWindow(profile.score!, counter().counts().score!),
      /are all 0: at least one label/,
    );
  });
});
