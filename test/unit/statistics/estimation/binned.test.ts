import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { aucRange } from '../../../../src/statistics/estimation/auc-range.js';
import {
  binCalibration,
  calibrateBins,
  estimateBinned,
  realisedBinned,
} from '../../../../src/statistics/estimation/binned.js';
import { binOf } from '../../../../src/statistics/estimation/bins.js';
import { calibrated, type Calibration } from '../../../../src/statistics/estimation/calibration.js';
import { fitIsotonic } from '../../../../src/statistics/estimation/isotonic.js';
import {
  ESTIMATED_METRICS,
  expectedBinary,
  groupedAuc,
  realisedBinary,
} from '../../../../src/statistics/estimation/performance.js';
import { predictedAt } from '../../../../src/statistics/metrics/scored.js';
import { seededRandom } from '../../../../src/statistics/metrics/random.js';
import { scale } from '../../../support/scale.js';

const numRuns = scale(200, 5000);
/** Coarse and fine scores, so that some tie and some lie on a cut. */
const score = fc.oneof(
  fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const scores = fc.array(score, { minLength: 1, maxLength: 60 });
const cutsWith = fc
  .array(
    fc.integer({ min: 1, max: 20 }).map((n) => n / 20),
    { minLength: 1, maxLength: 12 },
  )
  .map((some) => [...new Set(some)].sort((a, b) => a - b));
const labelled = fc.array(fc.tuple(score, fc.integer({ min: 0, max: 1 })), { minLength: 2, maxLength: 60 });

function histogram(cuts: readonly number[], values: readonly number[]): number[] {
  const counts = Array<number>(cuts.length + 1).fill(0);
  for (const value of values) counts[binOf(cuts, value)]! += 1;
  return counts;
}

function between(least: number, value: number, most: number, what: string): void {
  const slack = 1e-9;
  assert.ok(value >= least - slack && value <= most + slack, `${what}: ${value} in ${least}..${most}`);
}

describe('Estimates from score histograms', () => {
  it('hold the estimate of the rows themselves in their range, whatever the rows, the cuts and the calibration', () => {
    fc.assert(
      fc.property(
        labelled,
        scores,
        cutsWith,
        fc.nat(),
        fc.boolean(),
        (rows, window, cuts, pick, identity) => {
          const xs = rows.map(([x]) => x);
          const calibration: Calibration = identity
            ? { kind: 'none' }
            : {
                kind: 'isotonic',
                ...fitIsotonic(
                  xs,
                  rows.map(([, y]) => y),
                ),
              };
          const threshold = [...cuts, 0, 1.5][pick % (cuts.length + 2)]!;
          const bins = binCalibration(calibration, cuts, threshold, xs);
          const binned = estimateBinned(bins, histogram(cuts, window));
          const own = expectedBinary(
            { scores: window, predicted: predictedAt(window, threshold) },
            window.map((x) => calibrated(calibration, x)),
          );
          for (const metric of ESTIMATED_METRICS.binary) {
            const [figure, value] = [binned[metric], own[metric]];
            if (figure === null || value === null) continue;
            between(figure.least, value, figure.most, metric);
            assert.ok(figure.least <= figure.value && figure.value <= figure.most, metric);
          }
        },
      ),
      { seed: 20_261_125, numRuns },
    );
  });

  it('hold the best order of a bin whose probabilities lie evenly around a half', () => {
    // All of the ratio's derivative that is square in the part cancels out, but for the last digits.
    assert.deepEqual(
      [aucRange([5], [1 / 3], [2 / 3]), aucRange([9], [0.3], [0.7])].map(({ most }) => most.toFixed(12)),
      [(2 / 3).toFixed(12), (0.7).toFixed(12)],
    );
  });

  it('lose nothing where each score has its bin', () => {
    const xs = [0.1, 0.1, 0.4, 0.4, 0.4, 0.8, 0.8, 0.9];
    const ys = [0, 0, 1, 0, 0, 1, 1, 1];
    const cuts = [0.4, 0.8, 0.9];
    const calibration = calibrateBins(cuts, 0.8, {
      positives: histogram(
        cuts,
        xs.filter((_, i) => ys[i] === 1),
      ),
      negatives: histogram(
        cuts,
        xs.filter((_, i) => ys[i] === 0),
      ),
    });
    const fitted = fitIsotonic(xs, ys);
    assert.deepEqual(
      calibration.probabilities,
      [0.1, 0.4, 0.8, 0.9].map((x) => calibrated({ kind: 'isotonic', ...fitted }, x)),
    );
    const window = [0.1, 0.4, 0.4, 0.8, 0.9, 0.9];
    const own = expectedBinary(
      { scores: window, predicted: predictedAt(window, 0.8) },
      window.map((x) => calibrated({ kind: 'isotonic', ...fitted }, x)),
    );
    const binned = estimateBinned(calibration, histogram(cuts, window));
    for (const metric of ESTIMATED_METRICS.binary)
      assert.ok(Math.abs(binned[metric]!.value - own[metric]!) < 1e-12, metric);
  });

  it('measure labelled rows: accuracy and F1 exactly, AUC within its range', () => {
    fc.assert(
      fc.property(labelled, cutsWith, fc.nat(), (rows, cuts, pick) => {
        const threshold = cuts[pick % cuts.length]!;
        const xs = rows.map(([x]) => x);
        const of = (label: number) =>
          histogram(
            cuts,
            rows.flatMap(([x, y]) => (y === label ? [x] : [])),
          );
        const binned = realisedBinned(cuts, threshold, { positives: of(1), negatives: of(0) });
        const own = realisedBinary({
          scores: xs,
          predicted: predictedAt(xs, threshold),
          labels: rows.map(([, y]) => y),
        });
        for (const metric of ['accuracy', 'f1'] as const) {
          assert.equal(binned[metric] === null, own[metric] === null);
          if (own[metric] !== null) assert.ok(Math.abs(binned[metric]!.value - own[metric]) < 1e-12, metric);
        }
        assert.equal(binned.auc === null, own.auc === null);
        if (own.auc !== null) between(binned.auc!.least, own.auc, binned.auc!.most, 'auc');
      }),
      { seed: 20_261_126, numRuns },
    );
  });
});

describe('The range of the expected AUC', () => {
  it('holds every rising choice of probabilities, and both of its ends are reached', () => {
    const random = seededRandom(8);
    for (let run = 0; run < 20; run += 1) {
      const bins = 1 + random.below(4);
      const edges = Array.from({ length: bins + 1 }, () => 0.02 + 0.96 * random.next()).sort((a, b) => a - b);
      const [lowest, highest] = [edges.slice(0, -1), edges.slice(1)];
      const counts = Array.from({ length: bins }, () => 40 + random.below(60));
      const { least, most } = aucRange(counts, lowest, highest);
      const aucOf = (probability: (place: number, bin: number) => number): number => {
        const places = counts.flatMap((count, bin) => Array<number>(count).fill(bin));
        return groupedAuc(
          places.map(() => 1),
          places.map((bin, place) => probability(place, bin)),
        )!;
      };
      const rows = counts.reduce((sum, count) => sum + count, 0);
      let [low, high] = [1, 0];
      for (let place = 0; place <= rows; place += 1) {
        const best = aucOf((i, bin) => (i < place ? lowest : highest)[bin]!);
        high = Math.max(high, best);
        between(least, best, most, `split at ${place}`);
      }
      for (let bin = 0; bin < bins; bin += 1) {
        for (let part = 0; part <= 1; part += 0.02) {
          const own = highest[bin]! + part * (lowest[bin]! - highest[bin]!);
          const worst = aucOf((_, k) => (k === bin ? own : k < bin ? highest[k]! : lowest[k]!));
          low = Math.min(low, worst);
          between(least, worst, most, `bin ${bin} at ${own}`);
        }
      }
      const drawn = counts.map((count, bin) =>
        Array.from(
          { length: count },
          () => lowest[bin]! + random.next() * (highest[bin]! - lowest[bin]!),
        ).sort((a, b) => a - b),
      );
      const flat = drawn.flat();
      between(
        least,
        aucOf((place) => flat[place]!),
        most,
        'drawn',
      );
      assert.ok(low - least < 1e-3 && most - high < 1e-3, `${low}..${high} fill ${least}..${most}`);
    }
  });
});
