import assert from 'node:assert/strict';
import { hardLimitTripped, hardLimitWindowSize } from '../../../../src/statistics/canary/hard-limit.js';
import { initialBound, judgeBound } from '../../../../src/statistics/canary/one-sample.js';
import { sampleRatioEvidence, sampleRatioThreshold } from '../../../../src/statistics/canary/sample-ratio.js';
import { keysToProve, nextLookAt } from '../../../../src/statistics/canary/schedule.js';
import { slowThresholdMs } from '../../../../src/statistics/canary/slow-threshold.js';
import { checkCanaryPlan } from '../../../../src/statistics/canary/plan.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { geometricLooks, median } from './simulate.js';

describe('sample-ratio check', () => {
  /** Keys at which the check voids, Infinity for never. */
  const voidedAt = (configured: number, real: number, horizon: number, seed: number, before = 0): number => {
    const random = createRandom(seed);
    const good = random.binomial(before, configured);
    const split = { share: configured, candidate: 0, champion: 0 };
    const splits =
      before > 0 ? [{ share: configured, candidate: good, champion: before - good }, split] : [split];
    let total = 0;
    for (const look of geometricLooks(configured, horizon)) {
      const candidate = random.binomial(look - total, real);
      split.candidate += candidate;
      split.champion += look - total - candidate;
      total = look;
      if (sampleRatioEvidence(splits) >= sampleRatioThreshold()) return look;
    }
    return Infinity;
  };
  const times = (configured: number, real: number, horizon: number, runs: number, before = 0): number[] =>
    Array.from({ length: runs }, (_, i) => voidedAt(configured, real, horizon, 1000 + i, before));
  const share = (values: number[]): number => values.filter((t) => t !== Infinity).length / values.length;

  it('has exact values: no keys, and Laplace succession by hand', () => {
    assert.equal(sampleRatioEvidence([]), 0);
    assert.ok(Math.abs(sampleRatioEvidence([{ share: 0.5, candidate: 0, champion: 0 }])) < 1e-12);
    // One key: both mixtures predict the configured share exactly.
    assert.ok(Math.abs(sampleRatioEvidence([{ share: 0.1, candidate: 1, champion: 0 }])) < 1e-9);
    // Two candidate keys at one half: (k/2 + 1) / (k + 1) / 0.5 for k = 20 and 500, averaged; half product, a quarter sum.
    const e = 0.5 * (11 / 21 / 0.5) + 0.5 * (251 / 501 / 0.5);
    const expected = Math.log(0.75 * e + 0.25);
    assert.ok(Math.abs(sampleRatioEvidence([{ share: 0.5, candidate: 2, champion: 0 }]) - expected) < 1e-9);
  });

  it('voids a right split in at most 0.1 % of canaries', () => {
    const runs = scale(1500, 20_000);
    const rate = share(times(0.1, 0.1, 100_000, runs));
    assert.ok(rate <= 0.001 + 3 * Math.sqrt(0.001 / runs), `${rate}`);
  });

  it('finds 20 % for 10 % within a few hundred keys', () => {
    const found = times(0.1, 0.2, 2000, scale(200, 2000));
    assert.ok(median(found) <= 500, `median ${median(found)}`);
    assert.ok(share(times(0.1, 0.2, 1000, scale(200, 2000))) >= 0.98);
  });

  it('finds 12 % for 10 % within some ten thousand', () => {
    const found = times(0.1, 0.12, 20_000, scale(200, 2000));
    assert.ok(median(found) <= 10_000, `median ${median(found)}`);
    assert.ok(share(found) >= 0.97, `${share(found)}`);
  });

  it('is not blunted by a long good generation before', () => {
    const found = times(0.1, 0.2, 2000, scale(100, 1000), 200_000);
    assert.ok(median(found) <= 600, `median ${median(found)}`);
  });
});

describe('hard limit', () => {
  it('half bad trips a limit of 20 % from 28 requests on, 20 % bad from 312', () => {
    const fewest = (badShare: number, step: number): number => {
      let n = step;
      while (!hardLimitTripped({ requests: n, bad: n * badShare }, 5, 0.2)) n += step;
      return n;
    };
    assert.equal(fewest(0.5, 2), 28);
    assert.equal(fewest(0.2, 5), 315);
    assert.equal(hardLimitWindowSize(0.2), 312);
  });

  it('never fires below its minimum, nor on few keys before ten times that', () => {
    assert.equal(hardLimitTripped({ requests: 19, bad: 19 }, 19, 0.2), false);
    assert.equal(hardLimitTripped({ requests: 20, bad: 20 }, 20, 0.2), true);
    assert.equal(hardLimitTripped({ requests: 199, bad: 199 }, 1, 0.2), false);
    assert.equal(hardLimitTripped({ requests: 200, bad: 200 }, 1, 0.2), true);
    assert.equal(hardLimitTripped({ requests: 0, bad: 0 }, 5, 0.2), false);
  });

  it('does not fire on noise: a true share of half the limit, all window sizes up to 400', () => {
    const random = createRandom(11);
    let fired = 0;
    for (let run = 0; run < scale(300, 5000); run += 1) {
      for (let n = 20; n <= 400; n += 20) {
        if (hardLimitTripped({ requests: n, bad: random.binomial(n, 0.1) }, 9, 0.2)) fired += 1;
      }
    }
    assert.equal(fired, 0);
  });
});

describe('fixed bound (one sample)', () => {
  const plan = { bound: 0.02, alpha: 0.01, beta: 0.05 };
  const run = (
    p: number,
    seed: number,
    horizon = 50_000,
  ): { breached: boolean; proven: boolean; at: number } => {
    const random = createRandom(seed);
    let state = initialBound();
    let bad = 0;
    let total = 0;
    for (const look of geometricLooks(0.5, horizon)) {
      bad += random.binomial(look - total, p);
      total = look;
      state = judgeBound(state, plan, { bad, total }).state;
      if (state.breached || state.proven) return { ...state, at: look };
    }
    return { ...state, at: Infinity };
  };
  const runs = scale(400, 10_000);
  const rate = (p: number, what: 'breached' | 'proven'): number =>
    Array.from({ length: runs }, (_, i) => run(p, 500 + i)).filter((r) => r[what]).length / runs;

  it('at the bound itself: breach at most 1 %, proof at most 5 %', () => {
    assert.ok(rate(0.02, 'breached') <= 0.01 + 3 * Math.sqrt(0.01 / runs));
    assert.ok(rate(0.02, 'proven') <= 0.05 + 3 * Math.sqrt(0.05 / runs));
  });

  it('twice the bound is a breach, half of it a proof', () => {
    assert.ok(rate(0.04, 'breached') >= 0.98);
    assert.ok(rate(0.01, 'proven') >= 0.98);
    const times = Array.from({ length: 100 }, (_, i) => run(0.04, i).at);
    assert.ok(median(times) <= 1500, `median ${median(times)}`);
  });

  it('a breach stays, and ends a proof', () => {
    const breached = judgeBound({ breached: false, proven: true }, plan, { bad: 100, total: 1000 });
    assert.deepEqual(breached.state, { breached: true, proven: false });
    assert.deepEqual(judgeBound(breached.state, plan, { bad: 100, total: 100_000 }).state, breached.state);
  });

  it('bad counts are no evidence, bad bounds an error', () => {
    for (const counts of [
      { bad: NaN, total: 10 },
      { bad: -1, total: 10 },
      { bad: 11, total: 10 },
      { bad: 0, total: Infinity },
    ]) {
      const { look, state } = judgeBound(initialBound(), plan, counts);
      assert.equal(look.valid, false);
      assert.deepEqual(state, { breached: false, proven: false });
      assert.deepEqual(JSON.parse(JSON.stringify(look)), look);
    }
    assert.throws(
      () => judgeBound(initialBound(), { ...plan, bound: 0 }, { bad: 0, total: 1 }),
      /bound is 0/,
    );
  });
});

describe('looks', () => {
  it('57 looks reach 100,000 keys at 10 %, 74 at 50 %', () => {
    for (const [share, expected] of [
      [0.1, 57],
      [0.5, 74],
    ] as const) {
      assert.equal(geometricLooks(share, 100_000).length, expected);
      let keys = 0;
      let looks = 0;
      while (keys < 100_000) {
        keys = nextLookAt(keys, share);
        looks += 1;
      }
      assert.ok(Math.abs(looks - expected) <= 1, `${looks}`);
    }
  });

  it('the first look waits for 50 keys on the smaller arm', () => {
    assert.equal(nextLookAt(0, 0.1), 500);
    assert.equal(nextLookAt(0, 0.95), 1000);
    assert.equal(nextLookAt(0, 0), 100);
    assert.equal(nextLookAt(10_000, 0.1), 11_000);
  });

  it('keys still needed: none when proven, null when the rates would never do', () => {
    const margin = { relativeMargin: 1.5, absoluteMargin: 0.005 };
    const open = { lnE: 0, threshold: 3, share: 0.1, priorBad: 100, priorKeys: 10_000 };
    const equal = { candidateKeys: 1000, candidateBad: 10, championKeys: 9000, championBad: 90 };
    const needed = keysToProve({ ...open, ...equal }, margin) ?? NaN;
    assert.ok(needed > 15_000 && needed < 40_000, `${needed}`);
    assert.equal(keysToProve({ ...open, ...equal, lnE: 3 }, margin), 0);
    const worse = { ...open, ...equal, candidateBad: 20 };
    assert.equal(keysToProve(worse, margin), null);
    const alike = keysToProve(worse, margin, true) ?? NaN;
    assert.ok(alike > 25_000 && alike < 40_000, `${alike}`);
    assert.equal(keysToProve({ ...open, ...equal, share: 1 }, margin), null);
  });
});

describe('slow threshold', () => {
  const rule = { factor: 2, floorMs: 20 };
  it('is a multiple of the champion quantile, not below the floor', () => {
    assert.equal(slowThresholdMs(30, rule), 60);
    assert.equal(slowThresholdMs(3, rule), 20);
  });
  it('is unknown without the champion, and refuses bad rules', () => {
    for (const quantile of [null, NaN, Infinity, -1]) assert.equal(slowThresholdMs(quantile, rule), null);
    assert.throws(() => slowThresholdMs(30, { ...rule, factor: 0.5 }), /factor is 0.5/);
    assert.throws(() => slowThresholdMs(30, { ...rule, floorMs: NaN }), /floorMs is NaN/);
  });
});

describe('canary plan', () => {
  const plan = {
    guardrails: [{ name: 'errors', kind: 'errors', relativeMargin: 1.5, absoluteMargin: 0.005 }],
    alpha: 0.01,
    beta: 0.05,
    steps: [{ weight: 0.1, minKeys: 100, minSeconds: 0 }],
    judgement: 'prove',
  } as const;
  const [guardrail] = plan.guardrails;
  const [step] = plan.steps;

  it('accepts a good one', () => assert.deepEqual(checkCanaryPlan(plan), []));

  for (const [what, change, message] of [
    ['no guardrails', { guardrails: [] }, /guardrails is empty/],
    ['no steps', { steps: [] }, /steps is empty/],
    ['alpha 0', { alpha: 0 }, /alpha is 0/],
    ['beta NaN', { beta: NaN }, /beta is NaN/],
    ['two guardrails of one name', { guardrails: [guardrail, guardrail] }, /guardrails\[1\]\.name is errors/],
    ['a margin below 1', { guardrails: [{ ...guardrail, relativeMargin: 0.9 }] }, /relativeMargin is 0.9/],
    [
      'no margin at all',
      { guardrails: [{ ...guardrail, relativeMargin: 1, absoluteMargin: 0 }] },
      /nothing can be proven/,
    ],
    ['a hard limit of 0', { guardrails: [{ ...guardrail, hardLimit: 0 }] }, /hardLimit is 0/],
    [
      'a minimum of 1.5',
      { guardrails: [{ ...guardrail, hardLimitMinimum: 1.5 }] },
      /hardLimitMinimum is 1.5/,
    ],
    ['weights that do not rise', { steps: [step, step] }, /steps\[1\]\.weight is 0.1: above 0.1/],
    ['a weight above 1', { steps: [{ ...step, weight: 1.1 }] }, /weight is 1.1/],
    ['a step without keys', { steps: [{ ...step, minKeys: 0 }] }, /minKeys is 0/],
    ['negative seconds', { steps: [{ ...step, minSeconds: -1 }] }, /minSeconds is -1/],
  ] as const) {
    it(`refuses ${what}`, () => {
      const problems = checkCanaryPlan({ ...plan, ...change });
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', message);
    });
  }
});
