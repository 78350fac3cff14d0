/** Estimated performance against NannyML's, isotonic regression against scikit-learn's, permutations against numpy's. */
import assert from 'node:assert/strict';
import { isotonicAt, fitIsotonic } from '../../../src/statistics/estimation/isotonic.js';
import { needsCalibration } from '../../../src/statistics/estimation/calibration.js';
import { estimateBinary, fitBinary, type Estimate } from '../../../src/statistics/estimation/cbpe.js';
import type { ChunkBounds } from '../../../src/statistics/estimation/bounds.js';
import { MersenneTwister } from '../../../src/statistics/estimation/mersenne.js';
import {
  estimateMulticlass,
  fitMulticlass,
  realisedMulticlass,
} from '../../../src/statistics/estimation/multiclass.js';
import { ESTIMATED_METRICS, realisedBinary } from '../../../src/statistics/estimation/performance.js';
import { predictedAt } from '../../../src/statistics/metrics/scored.js';
import { scoreProfile } from '../../../src/statistics/profile/build.js';
import { estimateWindow } from '../../../src/statistics/profile/performance.js';
import { WindowCounter } from '../../../src/statistics/profile/window.js';
import { binaryErrors } from '../../../src/statistics/estimation/sampling-error.js';
import { stratifiedSplits } from '../../../src/statistics/estimation/splits.js';
import { binaryRows, carLoan, creditCards, reference, type Figures } from './stored.js';

function near(actual: number | null, expected: number, tolerance: number, what: string): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= tolerance,
    `${what}: ${actual}, not ${expected} (off by ${Math.abs((actual ?? Number.NaN) - expected)})`,
  );
}

/** What NannyML says about a metric, chunk by chunk. */
function sameFigures(
  metric: string,
  figures: Figures,
  bounds: ChunkBounds | null,
  chunks: readonly { readonly estimate: Estimate; readonly realised: number | null }[],
  errorTolerance = 1e-12,
): void {
  near(bounds?.lower ?? null, figures.lower, 1e-9, `${metric}: lower bound`);
  near(bounds?.upper ?? null, figures.upper, 1e-9, `${metric}: upper bound`);
  chunks.forEach(({ estimate, realised }, i) => {
    near(estimate.value, figures.estimate[i]!, 2e-9, `${metric}, chunk ${i}`);
    near(realised, figures.realised[i]!, 1e-12, `${metric} realised, chunk ${i}`);
    near(estimate.samplingError, figures.samplingError[i]!, errorTolerance, `${metric}: error, chunk ${i}`);
    near(estimate.lowest, figures.lowest[i]!, 2e-9 + 3 * errorTolerance, `${metric}: lowest, chunk ${i}`);
    near(estimate.highest, figures.highest[i]!, 2e-9 + 3 * errorTolerance, `${metric}: highest, chunk ${i}`);
  });
  const alerts = chunks.map(({ estimate }) => (estimate.side === 'within' ? '0' : '1')).join('');
  assert.equal(alerts, figures.alerts, `${metric}: alerts`);
}

describe('performance without labels is what NannyML 0.13.1 estimates', () => {
  it('on its car loans: AUC, accuracy and F1, bounds, sampling errors, alerts', () => {
    const { rows, chunkRows, calibrator } = reference.carLoan;
    const all = carLoan();
    const estimator = fitBinary(binaryRows(all, 0, rows), chunkRows);
    const { calibration } = estimator;
    assert.ok(calibration.kind === 'isotonic' && reference.carLoan.needsCalibration);
    assert.deepEqual(calibration.x, calibrator[0]);
    calibration.y.forEach((value, i) => near(value, calibrator[1][i]!, 1e-12, `knot ${i}`));
    for (const period of ['reference', 'analysis'] as const) {
      const start = period === 'reference' ? 0 : rows;
      const chunks = Array.from({ length: 10 }, (_, i) =>
        binaryRows(all, start + i * chunkRows, start + (i + 1) * chunkRows),
      ).map((chunk) => ({ estimates: estimateBinary(estimator, chunk), realised: realisedBinary(chunk) }));
      for (const metric of ESTIMATED_METRICS.binary) {
        sameFigures(
          metric,
          reference.carLoan[period][metric]!,
          estimator.metrics[metric].bounds,
          chunks.map(({ estimates, realised }) => ({
            estimate: estimates[metric],
            realised: realised[metric],
          })),
          // Only 101 scores: NannyML's figure depends on how its sort left rows of one score.
          metric === 'auc' ? 1e-5 : 1e-12,
        );
      }
      const [least, most] = reference.carLoan.errorByTies;
      const error = chunks[0]?.estimates.auc.samplingError ?? Number.NaN;
      assert.ok(error > least && error < most, `${error} lies between ${least} and ${most}`);
      const analysis = reference.carLoan.analysis['auc']!;
      assert.equal(analysis.alerts, '0000011111');
      assert.equal(analysis.estimate[0]!.toFixed(6), '0.970744');
    }
  });

  it('on a quarter of its credit cards: accuracy and macro F1 of three classes', () => {
    const { rows, chunkRows, needsCalibration, classes } = reference.multiclass;
    const all = creditCards();
    const part = (from: number, to: number) => ({
      classes,
      scores: Array.prototype.slice.call(all.scores, from * classes, to * classes) as number[],
      labels: Array.prototype.slice.call(all.labels, from, to) as number[],
      predicted: Array.prototype.slice.call(all.predicted, from, to) as number[],
    });
    const estimator = fitMulticlass(part(0, rows), chunkRows);
    assert.deepEqual(
      estimator.calibrations.map(({ kind }) => kind === 'isotonic'),
      needsCalibration,
    );
    for (const period of ['reference', 'analysis'] as const) {
      const start = period === 'reference' ? 0 : rows;
      const chunks = Array.from({ length: 10 }, (_, i) =>
        part(start + i * chunkRows, start + (i + 1) * chunkRows),
      ).map((chunk) => ({
        estimates: estimateMulticlass(estimator, chunk),
        realised: realisedMulticlass(chunk),
      }));
      for (const metric of ESTIMATED_METRICS.multiclass) {
        sameFigures(
          metric,
          reference.multiclass[period][metric]!,
          estimator[metric].bounds,
          chunks.map(({ estimates, realised }) => ({
            estimate: estimates[metric],
            realised: realised[metric],
          })),
        );
      }
    }
  });

  it('decides as NannyML does whether to calibrate, wherever rows of one score do not decide there', () => {
    const settled = reference.decisions.filter(({ shuffled }) => shuffled === 0 || shuffled === 15);
    const needed = settled.filter((one) => one.needed).length;
    assert.ok(needed >= 8 && settled.length - needed >= 8, `${needed} of ${settled.length} need it`);
    assert.deepEqual(
      settled.map(({ scores, labels }) => needsCalibration(scores, Array.from(labels, Number))),
      settled.map((one) => one.needed),
    );
  });

  it('has its sampling error of AUC where no two scores are the same', () => {
    for (const { scores, labels, deviation, share } of reference.samplingErrors) {
      const values = Array.from(labels, Number);
      const { auc } = binaryErrors({ scores, labels: values, predicted: values });
      near(auc?.deviation ?? null, deviation, 1e-12, `deviation of ${scores.length} rows`);
      near(auc?.share ?? null, share, 1e-12, `share of ${scores.length} rows`);
    }
  });
});

describe('performance from the score histograms of windows', () => {
  it('raises the alarms that the rows raise, and holds the estimate of the rows in its range', () => {
    const { rows, chunkRows } = reference.carLoan;
    const all = carLoan();
    const threshold = 0.5;
    const past = binaryRows(all, 0, rows);
    const score = scoreProfile(past.scores, past.labels, threshold, chunkRows);
    const profile = { format: 1, rows, features: [], score } as const;
    const alerts = { auc: '', accuracy: '', f1: '' };
    for (let from = rows; from < 2 * rows; from += chunkRows) {
      const chunk = binaryRows(all, from, from + chunkRows);
      const window = new WindowCounter(profile, 'car loans');
      for (let i = 0; i < chunkRows; i += 1) window.add([], chunk.scores[i]);
      const binned = estimateWindow(score, window.counts().score!);
      const own = estimateBinary(score.estimator, {
        scores: chunk.scores,
        predicted: predictedAt(chunk.scores, threshold),
      });
      for (const metric of ESTIMATED_METRICS.binary) {
        const { value, least, most, side } = binned[metric];
        near(value, own[metric].value!, 4e-4, `${metric} of rows ${from} on`);
        assert.ok(least! <= own[metric].value! && own[metric].value! <= most!, metric);
        alerts[metric] += side === 'within' ? '0' : '1';
      }
    }
    assert.deepEqual(alerts, { auc: '0000011111', accuracy: '0000011111', f1: '0000011111' });
  });
});

describe('isotonic regression is that of scikit-learn 1.9.1', () => {
  for (const [index, { x, y, weights, knots, at, values }] of reference.isotonic.entries()) {
    it(`${x.length} rows${weights === null ? '' : ', weighted'}, case ${index}`, () => {
      const fitted = fitIsotonic(x, y, weights ?? undefined);
      at.forEach((value, i) => near(isotonicAt(fitted, value), values[i]!, 1e-12, `at ${value}`));
      assert.deepEqual(fitted.x.at(0), knots[0].at(0));
      assert.deepEqual(fitted.x.at(-1), knots[0].at(-1));
      knots[0].forEach((knot, i) => near(isotonicAt(fitted, knot), knots[1][i]!, 1e-12, `knot ${knot}`));
    });
  }
});

describe('permutations are those of numpy 2.2.6, splits those of scikit-learn 1.9.1', () => {
  it('draws the same words and permutations', () => {
    const { words, permutations } = reference.shuffles;
    const random = new MersenneTwister(42);
    assert.deepEqual(
      words.map(() => random.word()),
      words,
    );
    const again = new MersenneTwister(42);
    assert.deepEqual(
      permutations.map(({ length }) => [...again.permutation(length)]),
      permutations,
    );
  });

  it('puts the same rows into the parts', () => {
    for (const { labels, splits } of reference.shuffles.splits) {
      const sorted = (rows: Uint32Array): number[] => [...rows.slice().sort()];
      assert.deepEqual(
        [...stratifiedSplits(labels, splits.length)].map(({ train, test }) => [sorted(train), sorted(test)]),
        splits,
      );
    }
  });
});
