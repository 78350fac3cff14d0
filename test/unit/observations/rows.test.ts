import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ObservationError, readScore } from '../../../src/platform/observations/observed-values.js';
import { RowTaker } from '../../../src/platform/observations/take-rows.js';
import type { CountedCell } from '../../../src/platform/observations/label-window.js';
import type { VersionProfile } from '../../../src/platform/profiles/index.js';
import { checkWindow } from '../../../src/statistics/profile/check.js';
import { mergeWindows } from '../../../src/statistics/profile/merge.js';
import { categoricalProfile } from '../../../src/statistics/profile/build.js';
import { monitored } from '../../support/gateway.js';
import { smallProfile, versionProfile } from '../../support/profile.js';
import { scale } from '../../support/scale.js';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 28, 12);
const ref = { version: 'v1', digest: 'a'.repeat(64) };
const content = versionProfile('m', ref.digest, smallProfile(['x', 'y'], 'c'));
const settings = { ...monitored().monitoring!, sampleShare: 0.5, personal: ['c'] };

const takerOf = (batch: string, of: VersionProfile = content, changes: object = {}): RowTaker =>
  new RowTaker({
    head: { model: 'm', ref, batch, content: 'b'.repeat(64) },
    profile: { digest: 'p', madeAt: '', content: of },
    monitoring: { ...settings, ...changes },
    now: NOW,
    mostStretches: 5,
  });

interface Row {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly score: unknown;
  readonly label: unknown;
  readonly at: number;
  readonly id: string | null;
}
const row = (changes: Partial<Row> = {}): Row => ({
  inputs: { x: 0, y: 1, c: 'a' },
  score: 0.5,
  label: null,
  at: NOW,
  id: null,
  ...changes,
});
const take = (taker: RowTaker, rows: readonly Row[]): void => {
  const given = {
    inputs: taker.names.map((name) => rows.map(({ inputs }) => inputs[name])),
    scores: rows.map(({ score }) => score),
    labels: rows.map(({ label }) => label),
    at: rows.map(({ at }) => at),
    ids: rows.map(({ id }) => id),
  };
  taker.take(given, (i) => `rows[${i}]`);
};

describe('Rows from elsewhere', () => {
  const rows = fc.array(
    fc.record({
      inputs: fc.record({
        x: fc.oneof(fc.double({ min: -3, max: 3, noNaN: true }), fc.constant(null), fc.constant('text')),
        y: fc.integer({ min: -3, max: 3 }),
        c: fc.constantFrom('a', 'b', 'unseen', null, 1),
      }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      label: fc.constantFrom(0, 1, null),
      at: fc.integer({ min: NOW - 3 * HOUR, max: NOW }),
      id: fc.constant(null),
    }),
    { minLength: 1, maxLength: 60 },
  );

  it('give the same counts in whatever batches and order they come, each in its hour', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(60), { maxLength: 4 }), fc.boolean(), (given, cuts, backwards) => {
        const sumOf = (parts: readonly (readonly Row[])[]) => {
          const hours = new Map<number, CountedCell['features']>();
          for (const [i, part] of parts.entries()) {
            const taker = takerOf(`b${i}`);
            take(taker, part);
            for (const { from, to, cells } of taker.counted().windows) {
              const [cell] = cells as readonly CountedCell[];
              const features = cell!.features!;
              checkWindow(content.profile, features);
              assert.equal(cell!.requests.split, features.rows);
              assert.equal(cell!.scores.count, features.rows);
              const hour = Math.floor(from / HOUR);
              assert.equal(Math.floor((to - 1) / HOUR), hour);
              const before = hours.get(hour);
              hours.set(hour, before == null ? features : mergeWindows(before, features));
            }
          }
          return [...hours].sort(([a], [b]) => a - b);
        };
        const bounds = [0, ...cuts.sort((a, b) => a - b), given.length];
        const parts = bounds.slice(1).map((end, i) => given.slice(bounds[i], end));
        assert.deepEqual(sumOf(backwards ? parts.reverse() : parts), sumOf([given]));
        const taken = sumOf([given]).reduce((sum, [, features]) => sum + features!.rows, 0);
        assert.equal(taken, given.length);
      }),
      { seed: 8, numRuns: scale(150, 3_000) },
    );
  });

  it('are read as a tensor would hold them', () => {
    const profile = smallProfile([]);
    const features = [
      categoricalProfile('half', [Math.fround(0.7)], 'number'),
      categoricalProfile('flag', [true, false], 'boolean'),
      categoricalProfile('wide[1]', [5], 'number'),
      categoricalProfile('big', [2 ** 60], 'number'),
    ];
    const source = (name: string, datatype: 'FP32' | 'BOOL' | 'INT64', element = 0, width = 1) =>
      ({ from: 'input', name, datatype, element, width }) as const;
    const of: VersionProfile = {
      ...content,
      sources: [
        source('half', 'FP32'),
        source('flag', 'BOOL'),
        source('wide', 'INT64', 1, 2),
        source('big', 'INT64'),
      ],
      profile: { ...profile, features },
    };
    const taker = takerOf('b', of);
    take(taker, [
      row({ inputs: { half: 0.7, flag: 1, wide: [4, 5], big: '1152921504606846976' } }),
      row({ inputs: { half: 0.7, flag: false, wide: null } }),
    ]);
    const [cell] = taker.counted().windows[0]!.cells as readonly CountedCell[];
    assert.deepEqual(
      cell!.features!.features.map(({ counts, missing, wrongType }) => [counts, missing, wrongType]),
      [
        [[2], 0, 0],
        [[1, 1], 0, 0],
        [[1], 1, 0],
        [[1], 1, 0],
      ],
    );
    assert.throws(
      () => take(takerOf('b', of), [row({ inputs: { wide: [1] } })]),
      /a list of 2 values is needed/,
    );
  });

  it('of classes count the likeliest, of regression the value', () => {
    const feature = categoricalProfile('prediction.score', ['no', 'yes'], 'string');
    const of: VersionProfile = {
      ...content,
      sources: [{ from: 'output', name: 'score', as: 'class', classes: ['no', 'yes'] }],
      score: null,
      profile: { ...content.profile, features: [feature], score: null },
    };
    const taker = takerOf('b', of, { task: 'multiclass', classes: ['no', 'yes'] });
    take(taker, [row({ score: [0.25, 0.75], label: 'no' }), row({ score: [0.5, 0.5] })]);
    const counted = taker.counted();
    const [cell] = counted.windows[0]!.cells as readonly CountedCell[];
    assert.deepEqual([cell!.features!.features[0]!.counts, counted.labels], [[1, 1], 0]);
  });

  it('are refused by row, field and value', () => {
    const wrong: readonly (readonly [readonly Row[], RegExp])[] = [
      [[row(), row({ score: Number.NaN })], /^rows\[1\]: score is NaN; a number from 0 to 1 is needed/],
      [[row({ score: null })], /score is null/],
      [[row({ score: 1.5 })], /score is 1\.5/],
      [[row({ at: NOW + HOUR })], /time 2026-11-28T13:00:00.000Z is more than five minutes ahead/],
      [[row({ at: 1_764_000_000 })], /time 1970-01-21T\S+ is more than three years ago/],
      [[row({ at: Number.NaN })], /time NaN is more than three years ago/],
      [[row({ label: 7 })], /7 is no label of this model: its classes are 0, 1/],
      [
        [row({ id: 'r', label: 1 }), row({ id: 'r', label: 0 })],
        /^rows\[1\]: id "r" was that of row 0 already/,
      ],
      [Array.from({ length: 6 }, (_, i) => row({ at: NOW - i * HOUR })), /more than 5 stretches of 3600 s/],
    ];
    for (const [given, message] of wrong)
      assert.throws(
        () => take(takerOf('b'), given),
        (error: unknown) => error instanceof ObservationError && message.test(error.message),
        String(message),
      );
    assert.throws(
      () => readScore([0.5], 'multiclass', 2, () => 'rows[0]'),
      /a list of 2 probabilities is needed/,
    );
    assert.throws(
      () => readScore(Number.POSITIVE_INFINITY, 'regression', 0, () => 'rows[0]'),
      /score is Infinity/,
    );
  });

  it('leave samples without what is personal, and scores for labels that are still to come', () => {
    const taker = takerOf('b');
    take(
      taker,
      Array.from({ length: 600 }, (_, i) => row({ id: `r${i}`, label: i < 300 ? 1 : null })),
    );
    const { kept, labels, labelled } = taker.counted();
    assert.equal(labels, 300);
    assert.deepEqual(
      labelled.labels.map(({ requestId, label }) => [requestId, label]),
      Array.from({ length: 300 }, (_, i) => [`r${i}`, 1]),
    );
    assert.ok(labelled.expiresAt > kept.predictions[0]!.expiresAt);
    assert.ok(kept.samples.length > 250 && kept.samples.length < 350);
    assert.deepEqual(kept.samples[0]!.inputs, { x: 0, y: 1 });
    assert.deepEqual(
      kept.predictions.map(({ ids, rows: each }) => [ids.length, each.length]),
      [
        [250, 250],
        [50, 50],
      ],
    );
    assert.equal(new Set(kept.predictions.map(({ _id }) => _id)).size, 2);
  });
});
