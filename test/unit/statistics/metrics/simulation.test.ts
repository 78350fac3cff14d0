/**
 * How often a candidate that is worse by exactly the margin passes: at most 5 %, within the Monte Carlo error.
 * Populations are finite grids of equally likely rows, so that the true loss is exact.
 */
import assert from 'node:assert/strict';
import type { Metric } from '../../../../src/contracts/manifest.js';
import { binOf } from '../../../../src/statistics/metrics/calibration.js';
import { normalCdf } from '../../../../src/statistics/metrics/distributions.js';
import { compareModels, judgeLoss } from '../../../../src/statistics/metrics/no-regression.js';
import type { Scored } from '../../../../src/statistics/metrics/scored.js';
import { createRandom } from '../../../support/random.js';
import type { Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';

const RUNS = scale(80, 20_000);
/** Three standard errors above 5 %. */
const allowed = (runs: number): number => 0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs);

function passes(
  metric: Metric,
  candidate: Scored,
  champion: Scored,
  margin: number,
  seed: number,
  replicates = 200,
): boolean {
  const work = compareModels(metric, candidate, champion, seed, replicates);
  for (;;) {
    const step = work.next();
    if (step.done === true) return judgeLoss(step.value, margin).verdict === 'passed';
  }
}

function shareOf(runs: number, happens: (run: number) => boolean): number {
  let count = 0;
  for (let run = 0; run < runs; run += 1) if (happens(run)) count += 1;
  return count / runs;
}

/** Rows whose true probability is known: answers of both models are functions of it. */
interface Population {
  readonly name: string;
  readonly truth: readonly number[];
  readonly champion: (p: number) => number;
  readonly candidate: (p: number) => number;
}

const grid = Array.from({ length: 199 }, (_, i) => (i + 1) / 200);
const logit = (p: number): number => Math.log(p / (1 - p));
const sharper = (by: number) => (p: number) => 1 / (1 + Math.exp(-by * logit(p)));
const higher = (by: number) => (p: number) => Math.min(0.999, Math.max(0.001, p + by));
const populations: readonly Population[] = [
  {
    name: 'calibrated champion, shifted candidate',
    truth: grid,
    champion: (p) => p,
    candidate: higher(0.05),
  },
  {
    name: 'calibrated champion, overconfident candidate',
    truth: grid,
    champion: (p) => p,
    candidate: sharper(1.6),
  },
  { name: 'both off the same way', truth: grid, champion: sharper(1.3), candidate: sharper(1.6) },
  { name: 'off in opposite ways', truth: grid, champion: higher(-0.02), candidate: higher(0.06) },
  { name: 'rare positives', truth: grid.map((p) => p ** 3), champion: (p) => p, candidate: sharper(1.5) },
];

/** The metric over the whole population, not a sample. */
const EXACT: Readonly<
  Record<
    'logLoss' | 'brier' | 'ece' | 'accuracy',
    (answer: (p: number) => number, truth: readonly number[]) => number
  >
> = {
  logLoss: (answer, truth) =>
    meanOf(truth, (p) => -p * Math.log(answer(p)) - (1 - p) * Math.log(1 - answer(p))),
  brier: (answer, truth) => meanOf(truth, (p) => p * (1 - answer(p)) ** 2 + (1 - p) * answer(p) ** 2),
  accuracy: (answer, truth) => meanOf(truth, (p) => (answer(p) >= 0.5 ? p : 1 - p)),
  ece: (answer, truth) => {
    const gaps = Array.from({ length: 10 }, () => 0);
    for (const p of truth)
      gaps[binOf(answer(p))] = (gaps[binOf(answer(p))] ?? 0) + (answer(p) - p) / truth.length;
    return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0);
  },
};

const meanOf = (values: readonly number[], f: (value: number) => number): number =>
  values.reduce((sum, value) => sum + f(value), 0) / values.length;

function sample(
  { truth, champion, candidate }: Population,
  rows: number,
  random: Random,
): { candidate: Scored; champion: Scored } {
  const p = Float64Array.from({ length: rows }, () => truth[random.below(truth.length)] ?? 0);
  const labels = p.map((value) => (random.uniform() < value ? 1 : 0));
  const scored = (answer: (value: number) => number): Scored => ({
    task: 'binary',
    labels,
    scores: p.map(answer),
    threshold: 0.5,
  });
  return { candidate: scored(candidate), champion: scored(champion) };
}

describe('a candidate worse by exactly the margin passes at most 5 %', function () {
  this.timeout(scale(60_000, 1_800_000));

  for (const metric of ['logLoss', 'brier', 'ece'] as const) {
    for (const population of populations) {
      it(`${metric}: ${population.name}`, () => {
        const { truth, champion, candidate } = population;
        const margin = EXACT[metric](candidate, truth) - EXACT[metric](champion, truth);
        assert.ok(margin > 0.001, `${margin}`);
        for (const rows of [200, 1000]) {
          const random = createRandom(rows);
          const share = shareOf(RUNS, (run) => {
            const drawn = sample(population, rows, random);
            return passes(metric, drawn.candidate, drawn.champion, margin, run);
          });
          assert.ok(share <= allowed(RUNS), `${share} of ${RUNS} with ${rows} rows`);
        }
      });
    }
  }

  it('accuracy: another threshold, and two that hardly ever differ', () => {
    for (const [by, rows] of [
      [0.15, 200],
      [0.15, 1000],
      [0.03, 300],
    ] as const) {
      const population: Population = { name: '', truth: grid, champion: (p) => p, candidate: higher(by) };
      const margin = EXACT.accuracy(population.candidate, grid) - EXACT.accuracy((p) => p, grid);
      assert.ok(margin < 0);
      const random = createRandom(rows + 1);
      const share = shareOf(RUNS, (run) => {
        const drawn = sample(population, rows, random);
        return passes('accuracy', drawn.candidate, drawn.champion, -margin, run);
      });
      assert.ok(share <= allowed(RUNS), `${share} of ${RUNS} with ${rows} rows`);
    }
  });

  it('AUC: normal scores, correlated and not', () => {
    for (const [shared, rows] of [
      [0.9, 100],
      [0, 200],
      [0.9, 200],
      [0.9, 1000],
    ] as const) {
      const [good, worse] = [1.5, 1.2];
      const margin = normalCdf(good / Math.SQRT2) - normalCdf(worse / Math.SQRT2);
      const random = createRandom(17);
      const share = shareOf(RUNS, (run) => {
        const labels = Float64Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 1 : 0));
        const common = labels.map(() => random.normal());
        const scored = (gap: number): Scored => ({
          task: 'binary',
          labels,
          threshold: 0,
          scores: labels.map(
            (label, i) =>
              label * gap + Math.sqrt(shared) * (common[i] ?? 0) + Math.sqrt(1 - shared) * random.normal(),
          ),
        });
        return passes('auc', scored(worse), scored(good), margin, run);
      });
      assert.ok(share <= allowed(RUNS), `${share} of ${RUNS}, shared ${shared}, ${rows} rows`);
    }
  });

  it('MAE and RMSE: normal errors of another size', () => {
    const random = createRandom(23);
    for (const [metric, factor] of [
      ['mae', Math.sqrt(2 / Math.PI)],
      ['rmse', 1],
    ] as const) {
      const share = shareOf(RUNS, (run) => {
        const labels = new Float64Array(200);
        const champion: Scored = { task: 'regression', labels, scores: labels.map(() => random.normal()) };
        const candidate: Scored = {
          task: 'regression',
          labels,
          scores: labels.map(() => 1.2 * random.normal()),
        };
        return passes(metric, candidate, champion, 0.2 * factor, run);
      });
      assert.ok(share <= allowed(RUNS), `${metric}: ${share}`);
    }
  });

  it('macro F1: labels and confusions at random', () => {
    const runs = scale(150, 3000);
    const random = createRandom(29);
    const priors = [0.5, 0.3, 0.2];
    const draw = (): number => {
      const u = random.uniform();
      return u < 0.5 ? 0 : u < 0.8 ? 1 : 2;
    };
    // A model is right with this probability, else it guesses by the priors: its F1 of every class is `right + (1 - right) * prior`.
    const expected = (right: number): number => meanOf(priors, (prior) => right + (1 - right) * prior);
    const margin = expected(0.8) - expected(0.7);
    const share = shareOf(runs, (run) => {
      const labels = Int32Array.from({ length: 300 }, draw);
      const scored = (right: number): Scored => {
        const scores = new Float64Array(900);
        labels.forEach((label, i) => (scores[i * 3 + (random.uniform() < right ? label : draw())] = 1));
        return { task: 'multiclass', labels, scores, classes: 3 };
      };
      return passes('macroF1', scored(0.7), scored(0.8), margin, run);
    });
    assert.ok(share <= allowed(runs), `${share} of ${runs}`);
  });
});
