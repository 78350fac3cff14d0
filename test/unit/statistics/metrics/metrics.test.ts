import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { binOf } from '../../../../src/statistics/metrics/calibration.js';
import { bootstrap } from '../../../../src/statistics/metrics/bootstrap.js';
import { deLong, placements } from '../../../../src/statistics/metrics/delong.js';
import { meanLimits } from '../../../../src/statistics/metrics/limits.js';
import {
  compareModels,
  judgeLoss,
  rowsNeeded,
  tooFewRows,
} from '../../../../src/statistics/metrics/no-regression.js';
import type { Comparison } from '../../../../src/statistics/metrics/no-regression.js';
import { seededRandom, seedOf } from '../../../../src/statistics/metrics/random.js';
import type { BinaryScored } from '../../../../src/statistics/metrics/scored.js';
import { metricValue } from '../../../../src/statistics/metrics/values.js';

const run = { seed: 20261124, numRuns: 200 };

const binary = (labels: readonly number[], scores: readonly number[]): BinaryScored => ({
  task: 'binary',
  labels,
  scores,
  threshold: 0.5,
});

/** Rows with both classes; scores on a grid, so that there are ties. */
const rows = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 1 }),
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 20 }),
    ),
    {
      minLength: 4,
      maxLength: 60,
    },
  )
  .filter((list) => list.some(([label]) => label === 0) && list.some(([label]) => label === 1))
  .map((list) => ({
    labels: list.map(([label]) => label),
    first: list.map(([, score]) => score / 20),
    second: list.map(([, , score]) => score / 20),
  }));

function end<T>(work: Generator<number, T, void>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

describe('metric values', () => {
  it('AUC is the share of pairs in order, ties half, and turns over with the labels', () => {
    fc.assert(
      fc.property(rows, ({ labels, first }) => {
        let wins = 0;
        let pairs = 0;
        labels.forEach((label, i) => {
          if (label !== 1) return;
          labels.forEach((other, j) => {
            if (other === 1) return;
            pairs += 1;
            wins += (first[i] ?? 0) > (first[j] ?? 0) ? 1 : first[i] === first[j] ? 0.5 : 0;
          });
        });
        const { auc } = placements(labels, first);
        assert.ok(Math.abs(auc - wins / pairs) < 1e-12);
        const turned = placements(
          labels.map((label) => 1 - label),
          first,
        );
        assert.ok(Math.abs(turned.auc - (1 - auc)) < 1e-12);
      }),
      run,
    );
  });

  it('are NaN, never a number, without rows or with one class', () => {
    assert.ok(Number.isNaN(metricValue('auc', binary([1, 1], [0.2, 0.4]))));
    assert.ok(Number.isNaN(metricValue('accuracy', binary([], []))));
    assert.ok(Number.isNaN(metricValue('ece', binary([], []))));
    assert.ok(Number.isNaN(metricValue('rmse', { task: 'regression', labels: [], scores: [] })));
  });

  it('refuse a metric of another task by name', () => {
    assert.throws(
      () => metricValue('mae', binary([1], [1])),
      /Metric mae does not fit task binary; it has auc, logLoss/,
    );
  });

  it('put a probability on an edge into the lower bin', () => {
    assert.deepEqual(
      [0, 0.1, 0.1000001, 0.2, 0.7, 0.9, 1].map((p) => binOf(p)),
      [0, 0, 1, 1, 6, 8, 9],
    );
  });
});

describe('limits', () => {
  it('of a mean follow the skew', () => {
    const even = meanLimits([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.95);
    assert.ok(Math.abs(even.upper - 5.5 - (5.5 - even.lower)) < 1e-12);
    const skewed = meanLimits([...Array.from({ length: 99 }, () => 0), 10], 0.95);
    assert.ok(skewed.upper - skewed.estimate > 2 * (skewed.estimate - skewed.lower));
    const flat = meanLimits([2, 2, 2], 0.95);
    assert.deepEqual([flat.lower, flat.upper], [2, 2]);
  });
});

describe('comparison of two models', () => {
  it("DeLong's difference has the variance that its parts give", () => {
    fc.assert(
      fc.property(rows, ({ labels, first, second }) => {
        const d = deLong(labels, first, second);
        if (Number.isNaN(d.differenceVariance)) return;
        const parts = d.firstVariance + d.secondVariance - 2 * d.covariance;
        assert.ok(Math.abs(d.differenceVariance - parts) < 1e-10);
        assert.ok(d.differenceVariance >= 0);
      }),
      run,
    );
  });

  const metrics = ['auc', 'logLoss', 'brier', 'accuracy', 'ece'] as const;

  it('finds the same model not worse, and a better one better, for every binary metric', () => {
    const random = seededRandom(3);
    const labels = Array.from({ length: 2000 }, () => (random.next() < 0.4 ? 1 : 0));
    const good = labels.map((label) =>
      Math.min(0.98, Math.max(0.02, 0.15 + 0.7 * label + 0.5 * (random.next() - 0.5))),
    );
    const bad = good.map(() => 0.02 + 0.96 * random.next());
    for (const metric of metrics) {
      const same = judgeLoss(end(compareModels(metric, binary(labels, good), binary(labels, good), 1)), 0.01);
      assert.deepEqual([same.loss, same.verdict, same.upper < 0.0015], [0, 'passed', true], metric);
      const worse = judgeLoss(end(compareModels(metric, binary(labels, bad), binary(labels, good), 1)), 0.01);
      assert.deepEqual([worse.loss > 0, worse.verdict], [true, 'failed'], metric);
      const better = judgeLoss(end(compareModels(metric, binary(labels, good), binary(labels, bad), 1)), 0);
      assert.equal(better.verdict, 'passed', metric);
    }
  });

  it('compares regression and multiclass models too', () => {
    const random = seededRandom(4);
    const labels = Array.from({ length: 1000 }, () => random.next());
    const near = labels.map((label) => label + 0.1 * (random.next() - 0.5));
    const far = labels.map((label) => label + random.next() - 0.5);
    for (const metric of ['mae', 'rmse'] as const) {
      const make = (scores: readonly number[]) => ({ task: 'regression', labels, scores }) as const;
      assert.equal(judgeLoss(end(compareModels(metric, make(near), make(far), 1)), 0).verdict, 'passed');
      assert.equal(judgeLoss(end(compareModels(metric, make(far), make(near), 1)), 0.05).verdict, 'failed');
    }
    const classes = labels.map((label) => Math.floor(label * 3));
    const scores = (noise: number): readonly number[] =>
      classes.flatMap((label) => {
        const raw = [0, 1, 2].map((k) => (k === label ? 1 : 0.2) + noise * random.next());
        const sum = raw.reduce((a, b) => a + b, 0);
        return raw.map((value) => value / sum);
      });
    const make = (values: readonly number[]) =>
      ({ task: 'multiclass', labels: classes, scores: values, classes: 3 }) as const;
    const [clear, noisy] = [make(scores(0.5)), make(scores(3))];
    for (const metric of ['accuracy', 'logLoss', 'macroF1'] as const) {
      assert.equal(
        judgeLoss(end(compareModels(metric, noisy, clear, 1, 200)), 0.02).verdict,
        'failed',
        metric,
      );
      assert.equal(
        judgeLoss(end(compareModels(metric, clear, noisy, 1, 200)), 0.02).verdict,
        'passed',
        metric,
      );
    }
    const calibration = end(compareModels('ovrEce', noisy, clear, 1));
    assert.ok(calibration.lower <= calibration.loss && calibration.loss <= calibration.upper);
  });

  it('says how many rows it needs, and that more do not help when the loss is no smaller than the margin', () => {
    const base: Comparison = {
      method: 'delong',
      candidate: 0.8,
      champion: 0.81,
      loss: 0.01,
      standardError: 0.01,
      lower: -0.00645,
      upper: 0.02645,
      rows: 1000,
    };
    const room = judgeLoss(base, 0.02);
    // (1.645 + 0.842)^2 * 1000 * (0.01 / 0.01)^2
    assert.deepEqual([room.verdict, room.rowsNeeded], ['undecided', 6184]);
    assert.equal(judgeLoss(base, 0.01).rowsNeeded, null);
    assert.equal(judgeLoss(base, 0.005).verdict, 'undecided');
    assert.equal(judgeLoss({ ...base, upper: Number.NaN, lower: Number.NaN }, 0.5).verdict, 'undecided');
    assert.equal(rowsNeeded(0.1, Infinity, 10), null);
  });

  it('refuses few rows and rare classes', () => {
    const labels = Array.from({ length: 200 }, (_, i) => (i < 20 ? 1 : 0));
    assert.match(
      tooFewRows(binary(labels, labels)) ?? '',
      /20 rows of the rarest class; .* at least 30 of each/,
    );
    assert.match(tooFewRows(binary(labels.slice(0, 50), labels)) ?? '', /50 rows; .* at least 100/);
    const even = labels.map((_, i) => i % 2);
    assert.equal(tooFewRows(binary(even, even)), null);
  });
});

describe('seeds', () => {
  it('give the same numbers again, uniform ones, and others for another seed', () => {
    const draw = (seed: number): readonly number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 5000 }, () => random.next());
    };
    assert.deepEqual(draw(5), draw(5));
    assert.notDeepEqual(draw(5).slice(0, 3), draw(6).slice(0, 3));
    const mean = draw(5).reduce((a, b) => a + b, 0) / 5000;
    assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 12 / 5000));
    assert.equal(seedOf('f'.repeat(64)), 2 ** 52 - 1);
    assert.throws(() => seedOf('none'), /does not start with 13 hex digits/);
  });

  it('keep the sizes of the strata in a bootstrap', () => {
    const strata = [0, 0, 0, 1, 1, 2];
    const seen = end(
      bootstrap(
        strata,
        (choice) => {
          const counts = [0, 0, 0];
          for (const row of choice) counts[strata[row] ?? 0] = (counts[strata[row] ?? 0] ?? 0) + 1;
          assert.deepEqual(counts, [3, 2, 1]);
          return choice[0] ?? 0;
        },
        9,
        50,
      ),
    );
    assert.equal(seen.values.length, 50);
    assert.ok(seen.standardError > 0);
  });
});
