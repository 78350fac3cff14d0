import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { GivenLabel } from '../../../src/contracts/observations.js';
import {
  decideLabels,
  type KeptLabel,
  labelOf,
  type Prediction,
} from '../../../src/platform/observations/decide-labels.js';
import { countLabels } from '../../../src/platform/observations/label-window.js';
import { mergeWindows } from '../../../src/statistics/profile/merge.js';
import { scale } from '../../support/scale.js';
import { smallProfile, versionProfile } from '../../support/profile.js';

const CLASSES = [0, 1] as const;
const NOW = Date.UTC(2026, 10, 28);
const prediction = (identity: string, scores: readonly number[]): Prediction => ({
  identity,
  version: 'v1',
  digest: 'd'.repeat(64),
  role: 'champion',
  generation: 1,
  labelsUntil: NOW + 1_000,
  expiresAt: NOW + 2_000,
  scores,
  isObserved: false,
});

describe('A label', () => {
  it('is a class of the model by its text, or a finite number where there are no classes', () => {
    const cases: readonly (readonly [unknown, readonly (string | number)[], string | number | null])[] = [
      [1, [0, 1], 1],
      ['1', [0, 1], 1],
      [true, [0, 1], 1],
      ['false', [0, 1], 0],
      [2, [0, 1], null],
      [Number.NaN, [0, 1], null],
      [undefined, [0, 1], null],
      [{}, [0, 1], null],
      ['yes', ['no', 'yes'], 'yes'],
      [true, ['no', 'yes'], null],
      ['1.5', [], 1.5],
      [Number.POSITIVE_INFINITY, [], null],
      [' ', [], null],
    ];
    for (const [given, classes, expected] of cases)
      assert.equal(labelOf(given, classes), expected, JSON.stringify([given, classes]));
  });

  const labels = fc.array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'unknown'),
      row: fc.nat(2),
      label: fc.constantFrom(0, 1, 'x'),
      at: fc.constant(null),
    }),
    { maxLength: 30 },
  );

  it('counts once, the first of each row, in whatever batches and however often it comes', () => {
    const predictions = new Map(
      ['a', 'b', 'c'].map((id, i) => [id, [prediction(id, [0.1 * i, 0.5, Number.NaN])]]),
    );
    const profile = {
      digest: 'p',
      madeAt: '',
      content: versionProfile('m', 'd'.repeat(64), smallProfile(['x'])),
    };
    fc.assert(
      fc.property(labels, fc.array(fc.nat(30), { maxLength: 5 }), (given: GivenLabel[], cuts) => {
        const kept = new Map<string, KeptLabel>();
        const take = (batch: readonly GivenLabel[]) => {
          const decided = decideLabels(batch, {
            settings: { classes: CLASSES },
            identityOf: (id) => id,
            predictions,
            labels: kept,
            now: NOW,
          });
          assert.equal(decided.accepted.length + decided.repeated + decided.refused.length, batch.length);
          for (const { key, label } of decided.accepted) {
            assert.ok(!kept.has(key));
            kept.set(key, { label, observed: null });
          }
          const counted = countLabels(decided.accepted, CLASSES, new Map([['d'.repeat(64), profile]]));
          return counted.cells.flatMap(({ features }) => features ?? []);
        };
        const bounds = [0, ...cuts.sort((a, b) => a - b), given.length];
        const parts = bounds.slice(1).flatMap((end, i) => take(given.slice(bounds[i], end)));
        const total = parts.length === 0 ? null : parts.reduce(mergeWindows);
        const [firsts, expected] = [new Map<string, unknown>(), { positive: 0, negative: 0 }];
        for (const { id, row, label } of given) {
          if (id === 'unknown' || label === 'x' || firsts.has(`${id}/${row}`)) continue;
          firsts.set(`${id}/${row}`, label);
          if (row === 2) continue; // Its score is no number.
          if (label === 1) expected.positive += 1;
          else expected.negative += 1;
        }
        const sum = (bins: readonly number[] = []): number => bins.reduce((all, count) => all + count, 0);
        assert.deepEqual(
          { positive: sum(total?.score?.positives), negative: sum(total?.score?.negatives) },
          expected,
        );
        assert.deepEqual(
          [...kept].map(([key, { label }]) => [key, label]),
          [...firsts],
        );
        // All of it again: nothing is new.
        assert.equal(take(given).length, 0);
      }),
      { seed: 3, numRuns: scale(200, 5_000) },
    );
  });

  it('that came with a row from elsewhere is known without what was answered, and counts for another version too', () => {
    const digest = 'd'.repeat(64);
    const decided = (observed: string | null, answered: readonly Prediction[], label: number) => {
      const { accepted, repeated, refused } = decideLabels([{ id: 'a', row: 0, label, at: null }], {
        settings: { classes: CLASSES },
        identityOf: (id) => id,
        predictions: new Map(answered.length === 0 ? [] : [['a', answered]]),
        labels: new Map([['a/0', { label: 1, observed }]]),
        now: NOW,
      });
      return [accepted.map(({ isKept }) => isKept), repeated, refused.map(({ reason }) => reason)];
    };
    const answered = [prediction('a', [0.5])];
    assert.deepEqual(decided(digest, [], 1), [[], 1, []]);
    assert.deepEqual(decided(digest, [], 0), [[], 0, ['contradicts']]);
    assert.deepEqual(decided(digest, answered, 1), [[], 1, []]);
    assert.deepEqual(decided('e'.repeat(64), answered, 1), [[true], 0, []]);
    assert.deepEqual(decided('e'.repeat(64), answered, 0), [[], 0, ['contradicts']]);
    assert.deepEqual(decided(null, answered, 1), [[], 1, []]);
  });
});
