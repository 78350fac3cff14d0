/** What a finding calls an effect, and how far it may be off. */
import assert from 'node:assert/strict';
import type { FeatureFinding, FindingKind } from '../../../../src/contracts/monitoring.js';
import { differenceLimits } from '../../../../src/statistics/metrics/melded.js';
import { excessInterval, shareInterval } from '../../../../src/statistics/monitor/intervals.js';
import { addValue, emptySketch } from '../../../../src/statistics/sketch.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { within } from '../drift/simulate.js';
import { latencyOf, MadeModel, Monitored } from './made-model.js';

const near = (value: number, wanted: number): void =>
  assert.ok(Math.abs(value - wanted) < 1e-9, `${value}, not ${wanted}`);

describe('the interval of a share', () => {
  it('is that of Clopper and Pearson, where it can be written down', () => {
    // None of n: 0 to 1 - .025^(1/n).
    const [none, most] = shareInterval({ hits: 0, rows: 10 });
    near(none, 0);
    near(most, 1 - 0.025 ** 0.1);
    const [least, all] = shareInterval({ hits: 10, rows: 10 });
    near(least, 0.025 ** 0.1);
    near(all, 1);
    // At its ends half of what may lie outside is as far as what was seen: P(X >= 1) and P(X <= 1) of 2 rows.
    const [low, high] = shareInterval({ hits: 1, rows: 2 });
    near(1 - (1 - low) ** 2, 0.025);
    near(1 - high ** 2, 0.025);
    assert.deepEqual(shareInterval({ hits: 0, rows: 0 }), [0, 1]);
  });

  it('holds the share in 95 % of samples at least, however rare it is', () => {
    const random = createRandom(31);
    const runs = scale(2_000, 40_000);
    for (const [rows, share] of [
      [50, 0.02],
      [200, 0.3],
      [5_000, 0.001],
    ] as const) {
      let held = 0;
      for (let run = 0; run < runs; run += 1) {
        const [least, most] = shareInterval({ hits: random.binomial(rows, share), rows });
        if (least <= share && share <= most) held += 1;
      }
      assert.ok(held / runs >= within(0.95, runs).low, `${held} of ${runs} for ${share} of ${rows}`);
    }
  });
});

describe('the interval of an excess', () => {
  it('holds the difference of two shares in 95 % of samples at least', () => {
    const random = createRandom(32);
    const runs = scale(500, 20_000);
    for (const [share, reference, rows] of [
      [0.12, 0.0005, 500],
      [0.3, 0.2, 60],
      [1, 0.01, 500],
    ] as const) {
      let held = 0;
      for (let run = 0; run < runs; run += 1) {
        const [least, most] = excessInterval(
          { hits: random.binomial(rows, share), rows },
          { hits: random.binomial(5_000, reference), rows: 5_000 },
        );
        if (least <= share - reference && share - reference <= most) held += 1;
      }
      assert.ok(held / runs >= within(0.95, runs).low, `${held} of ${runs} for ${share} and ${reference}`);
    }
  });

  it('is no narrower than the melded one, and not by much wider', () => {
    for (const [hits, rows, known, knownRows] of [
      [60, 500, 1, 5_000],
      [170, 500, 20, 5_000],
      [40, 50, 300, 600],
      [300, 500, 250, 500],
    ] as const) {
      const [least, most] = excessInterval({ hits, rows }, { hits: known, rows: knownRows });
      const melded = differenceLimits(
        { successes: hits, rows },
        { successes: known, rows: knownRows },
        0.975,
      );
      assert.ok(least <= melded.lower && melded.upper <= most);
      const wider = (most - least) / (melded.upper - melded.lower);
      assert.ok(wider < 1.7, `${wider} times`);
    }
  });
});

describe('an effect', () => {
  /** Of the newest finding of this kind. */
  const seen = (monitored: Monitored, kind: FindingKind): FeatureFinding => {
    const found = monitored.findings.filter((finding) => finding.kind === kind).at(-1);
    assert.ok(found !== undefined, `no ${kind}`);
    return found.features[0]!;
  };

  const width = ({ effect, interval }: FeatureFinding): number => {
    assert.ok(effect !== null && interval !== null, JSON.stringify({ effect, interval }));
    const [least, most] = interval;
    assert.ok(least <= effect && effect <= most && least < most, JSON.stringify({ effect, interval }));
    assert.ok(Number.isFinite(least) && Number.isFinite(most));
    return most - least;
  };

  const missing = (rows: number): FeatureFinding => {
    const model = new MadeModel(createRandom(5), 3);
    const monitored = new Monitored(model.profile);
    monitored.hour({ features: model.counts({ rows, missing: 0.3 * rows }) });
    return seen(monitored, 'data-quality');
  };

  const slow = (answers: number): FeatureFinding => {
    const monitored = new Monitored(null);
    const latency = emptySketch();
    for (let i = 0; i < answers; i += 1) addValue(latency, i % 4 === 0 ? 300 : 20);
    monitored.hour({ latency });
    return seen(monitored, 'latency');
  };

  const slower = (answers: number): FeatureFinding => {
    const random = createRandom(4);
    const monitored = new Monitored(null, { falseFindingSeconds: 30 * 86_400 });
    for (let i = 0; i < 48; i += 1) monitored.hour({ latency: latencyOf(random, answers, 10) });
    monitored.hour({ latency: latencyOf(random, answers, 30) });
    return seen(monitored, 'latency');
  };

  const failing = (requests: number): FeatureFinding => {
    const monitored = new Monitored(null);
    monitored.slot(requests, requests / 5);
    return seen(monitored, 'availability');
  };

  const fewer = (requests: number, season: 'none' | 'day', level: number): FeatureFinding => {
    const random = createRandom(9);
    const monitored = new Monitored(null, { season });
    for (let i = 0; i < 200; i += 1)
      monitored.hour({ requests: requests + Math.round(Math.sqrt(requests) * random.normal()) });
    monitored.hour({ requests: level * requests });
    return seen(monitored, 'traffic');
  };

  for (const [what, measure, few, many] of [
    ['missing values', missing, 200, 5_000],
    ['answers slower than the objective', slow, 200, 5_000],
    ['answers slower than before', slower, 300, 5_000],
    ['errors', failing, 100, 10_000],
    ['requests', (requests: number) => fewer(requests, 'none', 0.25), 400, 40_000],
    ['requests of a rhythm', (requests: number) => fewer(requests, 'day', 0.25), 400, 40_000],
    ['requests that stay away', (requests: number) => fewer(requests, 'none', 0), 400, 40_000],
    ['requests that are more', (requests: number) => fewer(requests, 'none', 3), 400, 40_000],
  ] as const)
    it(`of ${what} lies in its interval, which narrows with rows`, () => {
      assert.ok(width(measure(many)) < width(measure(few)) / 2);
    });

  it('of what is missing, slow or failing has the exact interval of its share', () => {
    const of = (hits: number, rows: number, allowed: number) =>
      shareInterval({ hits, rows }).map((end) => end - allowed);
    assert.deepEqual(slow(200).interval, of(50, 200, 0.05));
    assert.deepEqual(failing(100).interval, of(20, 100, 1 - 0.99));
    assert.deepEqual(
      missing(500).interval,
      excessInterval({ hits: 150, rows: 500 }, { hits: 0, rows: 5_000 }),
    );
  });

  it('of answers at the objective allows for what the sketch cannot tell', () => {
    const latency = emptySketch();
    for (let i = 0; i < 1_000; i += 1) addValue(latency, i % 4 === 0 ? 300 : i % 4 === 1 ? 100.5 : 20);
    const monitored = new Monitored(null);
    monitored.hour({ latency });
    const [least, most] = seen(monitored, 'latency').interval!;
    // 250 are slow, 250 more may be.
    assert.ok(least < 0.25 - 0.05 && most > 0.5 - 0.05, `${least} to ${most}`);
  });

  it('of requests holds the true change in about 95 % of runs', () => {
    const random = createRandom(33);
    const runs = scale(300, 5_000);
    let held = 0;
    for (let run = 0; run < runs; run += 1) {
      const monitored = new Monitored(null);
      const hour = (mean: number) =>
        monitored.hour({ requests: Math.round(mean + Math.sqrt(mean) * random.normal()) });
      for (let i = 0; i < 24; i += 1) hour(400);
      hour(120);
      const [least, most] = seen(monitored, 'traffic').interval!;
      if (least <= 0.3 - 1 && 0.3 - 1 <= most) held += 1;
    }
    assert.ok(held / runs >= within(0.95, runs).low, `${held} of ${runs}`);
  });
});
