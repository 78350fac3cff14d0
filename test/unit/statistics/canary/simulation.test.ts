import assert from 'node:assert/strict';
import type { Context } from 'mocha';
import { scale } from '../../../support/scale.js';
import {
  atMost,
  constant,
  geometricLooks,
  median,
  promote,
  promotePooled,
  promoteSwapped,
  promoteUnseeded,
  quantile,
  rollback,
  rollbackPooled,
  rollbackSwapped,
  rollbackWithoutR,
  runCanaries,
  type Canary,
  type MakeFormula,
} from './simulate.js';

const FAMILY = [0.01, 0.001, 0.05, 0.05];
const ALPHA = 0.01;
const BETA = 0.05;
const RAMP_HORIZON = 40_000;

/** Puts figures into the title of a test: they show in the report, and only with large N. */
function tell(test: Context, text: string): void {
  if (scale(0, 1) === 1 && test.test !== undefined) test.test.title += `: ${text}`;
}

/** 10 % to 10,000 keys, 25 % to 20,000, then 50 %. */
function ramp(base: (total: number) => number, worse: (p: number) => number = (p) => p): Canary {
  return {
    looks: [...new Set([...geometricLooks(0.1, RAMP_HORIZON), 10_000, 20_000])].sort((a, b) => a - b),
    share: (total) => (total < 10_000 ? 0.1 : total < 20_000 ? 0.25 : 0.5),
    rates: (total) => ({ champion: [base(total)], candidate: [worse(base(total))] }),
  };
}
const jump = (total: number): number => (total < 20_000 ? 0.005 : 0.03);
const drop = (total: number): number => (total < 20_000 ? 0.03 : 0.005);
const wave = (total: number): number => 0.011 + 0.009 * Math.sin(total / 3000);
const byTheMargin = (p: number): number => Math.max(1.5 * p, p + 0.005);

/** Checks that a formula must pass; a mutation of it must fail at least one. */
const checks = {
  healthyStays(formula: MakeFormula, runs: number): { ok: boolean; rate: number } {
    const { rolledBack } = runCanaries(runs, 1, constant(0.1, FAMILY), { rollback: formula });
    return { ok: rolledBack <= atMost(ALPHA, runs), rate: rolledBack };
  },
  worseGoes(formula: MakeFormula, runs: number): { ok: boolean; rate: number } {
    const { rolledBack } = runCanaries(runs, 2, constant(0.1, [0.01], [0.05]), { rollback: formula });
    return { ok: rolledBack >= 0.99, rate: rolledBack };
  },
  rampStays(
    formula: MakeFormula,
    runs: number,
    base: (total: number) => number,
  ): { ok: boolean; rate: number } {
    const { rolledBack } = runCanaries(runs, 3, ramp(base), { rollback: formula });
    return { ok: rolledBack <= atMost(ALPHA / 4, runs), rate: rolledBack };
  },
  worseNotProven(
    formula: MakeFormula,
    runs: number,
    base: number,
    share: number,
  ): { ok: boolean; rate: number } {
    const canary = constant(share, [base], [byTheMargin(base)]);
    const { promoted } = runCanaries(runs, 4, canary, { promote: formula });
    return { ok: promoted <= atMost(BETA, runs), rate: promoted };
  },
  rampNotProven(
    formula: MakeFormula,
    runs: number,
    base: (total: number) => number,
  ): { ok: boolean; rate: number } {
    const { promoted } = runCanaries(runs, 5, ramp(base, byTheMargin), { promote: formula });
    return { ok: promoted <= atMost(BETA, runs), rate: promoted };
  },
  healthyProven(formula: MakeFormula, runs: number): { ok: boolean; rate: number } {
    const { promoted } = runCanaries(runs, 6, constant(0.1, [0.01]), { promote: formula });
    return { ok: promoted >= 0.9, rate: promoted };
  },
  /** 50/50, base 5 %, 100 equal looks: half of the canaries are proven by the tenth look. */
  provenSoon(formula: MakeFormula, runs: number): { ok: boolean; rate: number } {
    const looks = Array.from({ length: 100 }, (_, i) => 1000 * (i + 1));
    const canary = { ...constant(0.5, [0.05]), looks };
    const { outcomes } = runCanaries(runs, 7, canary, { promote: formula });
    const middle = median(outcomes.map((o) => o.promoted));
    return { ok: middle <= 10_000, rate: middle };
  },
  /** A large first look at a base rate that nobody knew (20 %) must not set the proof back. */
  firstLookIsFree(formula: MakeFormula): { ok: boolean; rate: number } {
    const evidence = formula();
    evidence.add({ share: 0.5, n: 10_000, m: 10_000, x: 2000, y: 2000 });
    return { ok: evidence.lnE() >= -1, rate: evidence.lnE() };
  },
};

describe('canary simulations: both errors are bounded', () => {
  it('four healthy guardrails, 57 looks at 10 %: rolled back in at most 1 %', function () {
    const { ok, rate } = checks.healthyStays(rollback, scale(2000, 20_000));
    tell(this, `${(100 * rate).toFixed(2)} %`);
    assert.ok(ok, `${rate}`);
  });

  it('four healthy guardrails, 74 looks at 50 %: rolled back in at most 1 %', function () {
    const runs = scale(1500, 20_000);
    const { rolledBack } = runCanaries(runs, 8, constant(0.5, FAMILY), { rollback });
    tell(this, `${(100 * rolledBack).toFixed(2)} %`);
    assert.ok(rolledBack <= atMost(ALPHA, runs), `${rolledBack}`);
  });

  for (const share of [0.1, 0.5]) {
    for (const base of [0.01, 0.001, 0.05]) {
      it(`worse by exactly the margin, base ${100 * base} %, split ${100 * share} %: proven in at most 5 %`, function () {
        const { ok, rate } = checks.worseNotProven(promote(), scale(400, 10_000), base, share);
        tell(this, `${(100 * rate).toFixed(2)} %`);
        assert.ok(ok, `${rate}`);
        assert.ok(rate > 0.005, `bound far from used: ${rate}`);
      });
    }
  }

  it('both sides together at 10 %: healthy is promoted in at least 90 %, one guardrail worse by the margin in at most 5 %', function () {
    const runs = scale(400, 4000);
    const healthy = runCanaries(runs, 9, constant(0.1, FAMILY), { rollback, promote: promote() });
    const one = FAMILY.with(0, byTheMargin(FAMILY[0] ?? 0));
    const worse = runCanaries(runs, 10, constant(0.1, FAMILY, one), { rollback, promote: promote() });
    const at = median(healthy.outcomes.map((o) => o.promoted));
    tell(
      this,
      `${100 * healthy.promoted} % promoted (median ${at} keys), ${100 * worse.promoted} % of the worse`,
    );
    assert.ok(healthy.promoted >= 0.9, `${healthy.promoted}`);
    assert.ok(healthy.rolledBack <= atMost(ALPHA, runs), `${healthy.rolledBack}`);
    assert.ok(worse.promoted <= atMost(BETA, runs), `${worse.promoted}`);
  });

  it('history of 20,000 keys serves as seed; a wrong one costs time, not validity', function () {
    const runs = scale(300, 5000);
    for (const rate of [0.01, 0.002, 0.05]) {
      const formula = promote(rate * 20_000, 20_000);
      const { ok, rate: proven } = checks.worseNotProven(formula, runs, 0.01, 0.1);
      assert.ok(ok, `history ${rate}: ${proven}`);
    }
    const right = checks.healthyProven(promote(200, 20_000), runs);
    tell(this, `${100 * right.rate} % proven with the right one`);
    assert.ok(right.ok, `${right.rate}`);
  });
});

describe('canary simulations: time to roll back', () => {
  // Fixed-size z-test of the same errors (alpha / 4, power 95 %), in requests.
  const fixedN = { 0.1: [29_733, 9243, 3153], 0.5: [11_706, 3878, 1435] } as const;
  for (const share of [0.1, 0.5] as const) {
    it(`split ${100 * share} %, 1 to 2, 3, 5 %: median at most 0.75, 95th percentile at most 1.75 of the fixed size`, function () {
      const runs = scale(300, 4000);
      const rows = [0.02, 0.03, 0.05].map((candidate, i) => {
        const { outcomes } = runCanaries(runs, 11, constant(share, [0.01], [candidate]), { rollback });
        const times = outcomes.map((o) => o.rolledBack);
        return { times, fixed: fixedN[share][i] ?? NaN, worse: candidate };
      });
      const row = (r: (typeof rows)[number]): string => `${median(r.times)}/${quantile(r.times, 0.95)}`;
      tell(this, `median/95th ${rows.map(row).join(', ')}`);
      for (const { times, fixed, worse } of rows) {
        assert.ok(median(times) <= 0.75 * fixed, `1 to ${worse}: median ${median(times)}`);
        assert.ok(quantile(times, 0.95) <= 1.75 * fixed, `1 to ${worse}: 95th ${quantile(times, 0.95)}`);
      }
    });
  }
});

describe('canary simulations: a base rate that moves during a ramp', () => {
  for (const [name, base] of [
    ['jumps', jump],
    ['drops', drop],
    ['swings', wave],
  ] as const) {
    it(`shared rate ${name}: neither side breaks its bound`, function () {
      const back = checks.rampStays(rollback, scale(1000, 20_000), base);
      const forth = checks.rampNotProven(promote(), scale(500, 10_000), base);
      tell(this, `rolled back ${(100 * back.rate).toFixed(2)} %, proven ${(100 * forth.rate).toFixed(2)} %`);
      assert.ok(back.ok, `${back.rate}`);
      assert.ok(forth.ok, `${forth.rate}`);
    });
  }

  it('pooling over generations breaks both', () => {
    assert.ok(checks.rampStays(rollbackPooled, 100, jump).rate > 0.95);
    assert.ok(checks.rampNotProven(promotePooled, 100, drop).rate > 0.5);
  });
});

describe('canary simulations: each mutation of the formulas is caught', () => {
  const runs = scale(200, 2000);

  it('the formulas themselves pass every check', () => {
    assert.ok(checks.worseGoes(rollback, runs).ok);
    assert.ok(checks.healthyProven(promote(), runs).ok);
    const soon = checks.provenSoon(promote(), runs);
    assert.ok(soon.ok, `median ${soon.rate}`);
    assert.ok(checks.firstLookIsFree(promote()).ok);
  });

  it('pooled strata', () => assert.equal(checks.rampStays(rollbackPooled, runs, jump).ok, false));
  it('swapped shares, roll-back side', () => assert.equal(checks.worseGoes(rollbackSwapped, runs).ok, false));
  it('missing r-term', () => assert.equal(checks.healthyStays(rollbackWithoutR, runs).ok, false));
  it('no seeding', function () {
    const { ok, rate } = checks.provenSoon(promoteUnseeded(500), runs);
    tell(this, `median ${rate}`);
    assert.equal(ok, false, `${rate}`);
    assert.equal(checks.firstLookIsFree(promoteUnseeded(500)).ok, false);
    assert.equal(checks.firstLookIsFree(promoteUnseeded(50)).ok, false);
  });
  it('swapped shares, promote side', () => {
    const proven = checks.worseNotProven(promoteSwapped, runs, 0.01, 0.1);
    const power = checks.healthyProven(promoteSwapped, runs);
    assert.ok(!proven.ok || !power.ok, `${proven.rate} ${power.rate}`);
  });
});
