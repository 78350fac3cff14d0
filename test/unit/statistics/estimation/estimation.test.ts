import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { chunkBounds, sideOf } from '../../../../src/statistics/estimation/bounds.js';
import { calibrated, fitCalibration } from '../../../../src/statistics/estimation/calibration.js';
import { estimateBinary, fitBinary } from '../../../../src/statistics/estimation/cbpe.js';
import { carryOver, chunksOfSize } from '../../../../src/statistics/estimation/chunks.js';
import { fitIsotonic, isotonicAt } from '../../../../src/statistics/estimation/isotonic.js';
import { realisedBinary } from '../../../../src/statistics/estimation/performance.js';
import { predictedAt } from '../../../../src/statistics/metrics/scored.js';
import { seededRandom } from '../../../../src/statistics/metrics/random.js';
import { scale } from '../../../support/scale.js';

const numRuns = scale(200, 5000);
const seed = 20_261_125;

/** Scores with the log odds stretched by `trust`, and labels of the true probabilities: uniform ones to the `power`. */
function made(rows: number, trust: number, seed: number, power = 1) {
  const random = seededRandom(seed);
  const truth = Array.from({ length: rows }, () => random.next() ** power);
  const scores = truth.map((p) => 1 / (1 + ((1 - p) / p) ** trust));
  const labels = truth.map((p) => (random.next() < p ? 1 : 0));
  return { scores, labels, predicted: predictedAt(scores, 0.5) };
}

describe('Isotonic regression', () => {
  const points = fc.array(
    fc.record({
      x: fc.integer({ min: 0, max: 12 }),
      y: fc.double({ min: -5, max: 5, noNaN: true }),
      weight: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 40 },
  );

  it('rises, keeps the weighted mean, and takes a weight for as many rows, in any order', () => {
    fc.assert(
      fc.property(points, (rows) => {
        const fit = (some: typeof rows) =>
          fitIsotonic(
            some.map(({ x }) => x),
            some.map(({ y }) => y),
            some.map(({ weight }) => weight),
          );
        const fitted = fit(rows);
        for (let i = 1; i < fitted.y.length; i += 1) assert.ok(fitted.y[i]! >= fitted.y[i - 1]!);
        const total = (of: (row: (typeof rows)[number]) => number) =>
          rows.reduce((sum, row) => sum + row.weight * of(row), 0);
        assert.ok(Math.abs(total(({ x }) => isotonicAt(fitted, x)) - total(({ y }) => y)) < 1e-9);
        const repeated = rows.flatMap((row) =>
          Array.from({ length: row.weight }, () => ({ ...row, weight: 1 })),
        );
        for (const other of [fit(repeated), fit(rows.toReversed())])
          for (let x = -1; x <= 13; x += 0.5)
            assert.ok(Math.abs(isotonicAt(other, x) - isotonicAt(fitted, x)) < 1e-9);
      }),
      { seed, numRuns },
    );
  });

  it('is nearer to the values than any other rising function', () => {
    const rising = fc
      .array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 13, maxLength: 13 })
      .map((values) => values.sort((a, b) => a - b));
    fc.assert(
      fc.property(points, rising, (rows, other) => {
        const fitted = fitIsotonic(
          rows.map(({ x }) => x),
          rows.map(({ y }) => y),
          rows.map(({ weight }) => weight),
        );
        const squares = (of: (x: number) => number) =>
          rows.reduce((sum, { x, y, weight }) => sum + weight * (y - of(x)) ** 2, 0);
        assert.ok(squares((x) => isotonicAt(fitted, x)) <= squares((x) => other[x]!) + 1e-9);
      }),
      { seed, numRuns },
    );
  });
});

describe('Performance without labels', () => {
  it('is near the truth for a model that is too sure of itself, where its own scores are not', () => {
    const reference = made(6000, 2, 1);
    const estimator = fitBinary(reference, 1000);
    assert.equal(estimator.calibration.kind, 'isotonic');
    const later = made(4000, 2, 2, 0.4);
    const [estimated, realised] = [estimateBinary(estimator, later), realisedBinary(later)];
    const uncalibrated = estimateBinary({ ...estimator, calibration: { kind: 'none' } }, later);
    assert.ok(Math.abs(estimated.accuracy.value! - realised.accuracy!) < 0.02);
    assert.ok(Math.abs(uncalibrated.accuracy.value! - realised.accuracy!) > 0.08);
    for (const metric of ['auc', 'accuracy', 'f1'] as const) {
      const { lowest, highest } = estimated[metric];
      assert.ok(lowest! < realised[metric]! && realised[metric]! < highest!, metric);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(estimator)), estimator, 'plain JSON');
  });

  it('sees nothing when labels change and inputs do not: concept drift', () => {
    const reference = made(6000, 1, 3);
    const estimator = fitBinary(reference, 1000);
    const later = made(1000, 1, 4);
    const turned = realisedBinary({ ...later, labels: later.labels.map((label) => 1 - label) });
    assert.equal(estimateBinary(estimator, later).accuracy.side, 'within');
    assert.ok(turned.accuracy! < 0.35);
  });

  it('leaves calibrated scores as they are', () => {
    const { scores, labels } = made(3000, 1, 5);
    const calibration = fitCalibration(scores, labels);
    assert.equal(calibrated({ kind: 'none' }, 0.3), 0.3);
    assert.ok(Math.abs(calibrated(calibration, 0.5) - 0.5) < 0.1);
  });

  it('has no AUC of one class, and no F1 without positives: null, not a number', () => {
    const one = realisedBinary({ scores: [0.1, 0.2], labels: [0, 0], predicted: [0, 0] });
    assert.deepEqual(one, { auc: null, accuracy: 1, f1: null });
    const estimator = fitBinary(made(2000, 1, 6), 500);
    const sure = estimateBinary(
      { ...estimator, calibration: { kind: 'none' } },
      { scores: [0, 0], predicted: [0, 0] },
    );
    assert.deepEqual(sure.auc, { value: null, samplingError: null, lowest: null, highest: null, side: null });
    assert.equal(sure.f1.value, null);
    assert.equal(sure.accuracy.value, 1);
  });

  it('takes bounds from chunks that have the metric, within 0..1', () => {
    assert.equal(chunkBounds([0.9, null]), null);
    const bounds = chunkBounds([0.99, 0.9, null, 1])!;
    assert.equal(bounds.upper, 1);
    assert.ok(bounds.lower > 0.8 && bounds.lower < 0.9);
    assert.deepEqual(
      [0.5, 0.95, 1].map((value) => sideOf({ lower: 0.8, upper: 0.97 }, value)),
      ['below', 'within', 'above'],
    );
  });
});

describe('Chunks', () => {
  it('are never smaller than asked: what is over waits', () => {
    assert.deepEqual(chunksOfSize(10, 3), {
      chunks: [
        { from: 0, to: 3 },
        { from: 3, to: 6 },
        { from: 6, to: 9 },
      ],
      carried: 1,
    });
    assert.deepEqual(chunksOfSize(2, 3), { chunks: [], carried: 2 });
  });

  it('carry a stretch under the minimum into the next, and lose no row', () => {
    const add = (a: readonly number[], b: readonly number[]) => [...a, ...b];
    const carry = (stretches: readonly (readonly number[])[], minimum: number) =>
      carryOver(stretches, minimum, (rows) => rows.length, add);
    assert.deepEqual(carry([[1, 2], [3], [], [4, 5], [6]], 2), {
      chunks: [
        [1, 2],
        [3, 4, 5],
      ],
      carried: [6],
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer(), { maxLength: 5 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(12),
        (stretches, minimum, cut) => {
          const whole = carry(stretches, minimum);
          assert.ok(whole.chunks.every((chunk) => chunk.length >= minimum));
          assert.ok((whole.carried ?? []).length < minimum);
          assert.deepEqual([...whole.chunks, whole.carried ?? []].flat(), stretches.flat());
          const first = carry(stretches.slice(0, cut), minimum);
          const second = carry(
            [...(first.carried === null ? [] : [first.carried]), ...stretches.slice(cut)],
            minimum,
          );
          assert.deepEqual([...first.chunks, ...second.chunks], whole.chunks, 'in two calls as in one');
        },
      ),
      { seed, numRuns },
    );
  });
});
