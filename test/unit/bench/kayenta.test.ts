import assert from 'node:assert/strict';
import { classify, METRIC_DEFAULTS, type MetricConfig } from '../../../bench/peers/kayenta/classify.js';
import { judgeLikeKayenta, type JudgeConfig } from '../../../bench/peers/kayenta/judge.js';
import { createRandom } from '../../support/random.js';

const metric = (name: string, more: Partial<MetricConfig> = {}): MetricConfig => ({
  ...METRIC_DEFAULTS,
  name,
  group: 'all',
  ...more,
});
const noise = (): number => {
  throw new Error('no noise is due here');
};
const label = (
  canary: readonly number[],
  baseline: readonly number[],
  more: Partial<MetricConfig> = {},
): string => classify(canary, baseline, metric('m', more), noise);
const config = (
  metrics: readonly MetricConfig[],
  weights: Readonly<Record<string, number>> = {},
): JudgeConfig => ({
  metrics,
  weights,
  pass: 95,
  marginal: 75,
});

const ten = Array.from({ length: 10 }, (_, i) => 1 + i / 100);
const worse = ten.map((value) => 100 * value);
const nothing = ten.map(() => NaN);

describe("Kayenta's labels", () => {
  it('clear differences are High or Low, in the direction that counts', () => {
    assert.equal(label(worse, ten), 'High');
    assert.equal(label(ten, worse), 'Low');
    assert.equal(label(worse, ten, { direction: 'decrease' }), 'Pass');
    assert.equal(label(ten, worse, { direction: 'increase' }), 'Pass');
    assert.equal(label(worse, ten, { allowedIncrease: 200 }), 'Pass');
  });

  it('the same values, or one value, pass', () => {
    assert.equal(label([3, 1, 2], [1, 2, 3]), 'Pass');
    assert.equal(label([1, 1], [1, 1, 1]), 'Pass');
  });

  it('seven of ten points a hundred times worse pass', () => {
    const canary = ten.map((value, i) => (i < 3 ? value : 100 * value));
    assert.equal(label(canary, ten), 'Pass');
  });

  it('errors where the baseline has none pass while they are few', () =>
    assert.equal(label([0, 1, 2, 1, 0, 0], [0, 0, 0, 0, 0, 0]), 'Pass'));

  it('three points against three, apart by little, are High', () =>
    assert.equal(label([1.1, 1.2, 1.3], [1, 1.01, 1.02]), 'High'));

  it('one point against one, ten times worse, is an error', () =>
    assert.equal(
      classify([10], [1], metric('m'), () => 0.5),
      'Error',
    ));

  it('constant series that differ are spread by noise first', () => {
    const random = createRandom(1);
    const five = (value: number): number[] => Array.from({ length: 5 }, () => value);
    assert.equal(
      classify(five(2), five(1), metric('m'), () => random.normal()),
      'High',
    );
  });

  it('without data: Nodata, NodataFailMetric or, replaced by zeros, Pass', () => {
    assert.equal(label(nothing, ten), 'Nodata');
    assert.equal(label(nothing, ten, { mustHaveData: true }), 'NodataFailMetric');
    assert.equal(label(nothing, ten, { mustHaveData: true, critical: true }), 'Nodata');
    assert.equal(label([], ten, { nan: 'replace' }), 'Pass');
    assert.equal(label(nothing, ten, { nan: 'replace', direction: 'decrease' }), 'Low');
  });

  it('outliers are kept unless asked', () => {
    const spiked = Array.from({ length: 300 }, (_, i) => 1 + (i % 10) / 100);
    spiked[7] = 1e6;
    const baseline = spiked.map((value) => (value > 10 ? 1 : value));
    const relaxed = { allowedIncrease: 2 };
    const shifted = spiked.map((value) => value + 0.5);
    assert.equal(label(shifted, baseline, relaxed), 'High');
    assert.equal(label(shifted, baseline, { ...relaxed, removeOutliers: true }), 'Pass');
  });
});

describe("Kayenta's score", () => {
  const judged = (labels: Readonly<Record<string, readonly number[]>>, all: JudgeConfig) =>
    judgeLikeKayenta(
      Object.fromEntries(
        Object.entries(labels).map(([name, canary]) => [
          name,
          { canary, baseline: canary.length === 1 ? [1] : ten },
        ]),
      ),
      all,
      () => 0.5,
    );

  it('every metric an error: 100, also where they were critical', () => {
    const result = judged({ a: [10], b: [10] }, config([metric('a', { critical: true }), metric('b')]));
    assert.deepEqual(result, { score: 100, verdict: 'Pass', labels: { a: 'Error', b: 'Error' } });
  });

  it('one metric without data, alone in a group of 60 %: 100', () => {
    const metrics = [
      metric('a', { group: 'main' }),
      metric('b', { group: 'rest' }),
      metric('c', { group: 'rest' }),
    ];
    const result = judged({ a: nothing, b: ten, c: ten }, config(metrics, { main: 60, rest: 40 }));
    assert.deepEqual([result.score, result.verdict], [100, 'Pass']);
  });

  it('half of the metrics without data: 0', () => {
    const result = judged({ a: nothing, b: ten }, config([metric('a'), metric('b')]));
    assert.deepEqual([result.score, result.verdict], [0, 'Fail']);
  });

  it('a critical metric that does not pass: 0', () => {
    const metrics = [metric('a', { critical: true }), metric('b'), metric('c')];
    assert.equal(judged({ a: worse, b: ten, c: ten }, config(metrics)).score, 0);
  });

  it('groups count by weight, those without one share the rest', () => {
    const metrics = ['a', 'b', 'c', 'd'].map((name) => metric(name, { group: name === 'b' ? 'a' : name }));
    const { score, verdict } = judged({ a: worse, b: ten, c: ten, d: ten }, config(metrics, { a: 40 }));
    assert.deepEqual([score, verdict], [80, 'Marginal']);
  });
});
