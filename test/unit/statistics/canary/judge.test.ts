import assert from 'node:assert/strict';
import type {
  CanaryCounts,
  CanaryPlan,
  JudgeState,
  LookMoment,
  LookResult,
} from '../../../../src/contracts/canary.js';
import { CANARY_JUDGE_VERSION, initialJudge, judge } from '../../../../src/statistics/canary/index.js';
import { scale } from '../../../support/scale.js';
import { arm, counts, generation, guardrail, judgeAll, moment, PLAN, simulated } from './made.js';
import { atMost, MARGIN, median, promote, rollback } from './simulate.js';
import { promoteEvidence } from '../../../../src/statistics/canary/promote.js';

const clean = { errors: 0, slow: 0 };
/** 1 % bad on both arms of a 10 % split. */
const even = (keys: number, share = 0.1): ReturnType<typeof generation> => {
  const n = Math.round(keys * share);
  const bad = (of: number): Record<string, number> => ({
    errors: Math.round(of / 100),
    slow: Math.round(of / 100),
  });
  return generation(1, share, arm(n, bad(n)), arm(keys - n, bad(keys - n)));
};
const codes = (look: LookResult): string[] => look.reasons.map((r) => r.code);
const healthy: [CanaryCounts, LookMoment][] = [500, 5000, 20_000, 60_000].map((keys) => [
  counts(even(keys)),
  moment(),
]);

describe('canary judge: verdicts', () => {
  it('promotes a healthy candidate when every guardrail is proven and the step is done', () => {
    const early = judgeAll(PLAN, healthy.slice(0, 2));
    assert.equal(early.look.verdict, 'continue');
    assert.deepEqual(early.look.reasons, [
      { code: 'unproven', guardrail: 'errors' },
      { code: 'unproven', guardrail: 'slow' },
    ]);
    assert.ok((early.look.keysToProve ?? 0) > 10_000 && (early.look.keysToProve ?? Infinity) < 60_000);
    const { look } = judgeAll(PLAN, healthy);
    assert.equal(look.verdict, 'promote');
    assert.deepEqual([look.proven, look.hold, look.keysToProve, look.state], [true, false, 0, 'judged']);
    assert.match(look.sentence, /^Promote: on every guardrail/);
    assert.equal(look.judge, CANARY_JUDGE_VERSION);
    assert.equal(look.look, 4);
    assert.deepEqual(look.guardrails[0]?.candidate, {
      requests: 6000,
      keys: 6000,
      firstBad: 60,
      newBad: 60,
      bad: 60,
      rate: 0.01,
    });
  });

  it('proof that came stays proof, and waits for keys and seconds of the step', () => {
    const slow = judgeAll(
      PLAN,
      healthy.map(([c]) => [c, moment({ seconds: 59 })]),
    );
    assert.equal(slow.look.verdict, 'continue');
    assert.deepEqual(codes(slow.look), ['step-minimum']);
    assert.equal(slow.look.proven, true);
    const later = judge(slow.state, PLAN, counts(even(60_100)), moment({ seconds: 60 }));
    assert.equal(later.look.verdict, 'promote');
    const few = judge(slow.state, PLAN, counts(even(60_100)), moment({ sinceGeneration: 2 }));
    assert.deepEqual([few.look.verdict, few.look.keysInStep], ['continue', 0]);
  });

  it('goes through steps: advance when the minimum is reached, promote only in the last', () => {
    const plan = { ...PLAN, steps: [...PLAN.steps, { weight: 0.5, minKeys: 1000, minSeconds: 60 }] };
    const { state, look } = judgeAll(plan, healthy);
    assert.deepEqual([look.verdict, look.advance, look.proven], ['continue', true, true]);
    const second = generation(2, 0.5, arm(500, { errors: 5, slow: 5 }), arm(500, { errors: 5, slow: 5 }));
    const last = judge(state, plan, counts(even(60_000), second), moment({ step: 1, sinceGeneration: 2 }));
    assert.deepEqual([last.look.verdict, last.look.keysInStep], ['promote', 1000]);
  });

  it('rolls back what is worse, with evidence and plain words', () => {
    const bad = generation(1, 0.1, arm(100, { errors: 8, slow: 0 }), arm(900, { errors: 3, slow: 0 }));
    const { look, state } = judgeAll(PLAN, [[counts(bad), moment()]]);
    assert.equal(look.verdict, 'roll-back');
    assert.deepEqual(look.reasons, [{ code: 'worse', guardrail: 'errors' }]);
    assert.ok((look.guardrails[0]?.rollBack.lnE ?? 0) > Math.log(200));
    assert.match(
      look.sentence,
      /errors is worse: 8 keys turned bad among the candidate's, 3 among the champion's/,
    );
    const later = judge(state, PLAN, counts(even(60_000)), moment());
    assert.equal(later.look.verdict, 'roll-back', 'a breach stays');
  });

  it('half of the answers bad rolls back at the first look, by the hard limit too', () => {
    const broken = generation(1, 0.1, arm(50, { errors: 25, slow: 0 }), arm(450, { errors: 4, slow: 0 }));
    const { look } = judgeAll(PLAN, [[counts(broken), moment()]]);
    assert.equal(look.verdict, 'roll-back');
    assert.deepEqual(codes(look), ['hard-limit', 'worse']);
    assert.match(look.sentence, /hard limit of 20\.00 %: 25 of 50 requests of the candidate \(50\.00 %\)/);
    let caught = 0;
    for (let seed = 0; seed < 50; seed += 1) {
      const [first] = simulated(seed, 0.1, { errors: [0.5, 0.01], slow: [0, 0] }, 100_000);
      if (first !== undefined && judgeAll(PLAN, [[first, moment()]]).look.verdict === 'roll-back')
        caught += 1;
    }
    assert.equal(caught, 50);
  });

  it('a hard limit acts on the newest window, not on the average of a long good past', () => {
    const base = even(60_000);
    const later = generation(
      1,
      0.1,
      {
        ...arm(6000, clean),
        requests: 6300,
        bad: { errors: 360, slow: 60 },
        newBad: { errors: 60, slow: 60 },
        firstBad: { errors: 60, slow: 60 },
      },
      base.champion,
    );
    const { state } = judgeAll(PLAN, healthy);
    const { look } = judge(state, PLAN, counts(later), moment());
    assert.deepEqual(look.reasons, [{ code: 'hard-limit', guardrail: 'errors' }]);
    assert.deepEqual(
      [look.guardrails[0]?.hardLimit?.requests, look.guardrails[0]?.hardLimit?.bad],
      [300, 300],
    );
  });

  it('a short window stays open until there is enough in it', () => {
    const at = (n: number): CanaryCounts =>
      counts(generation(1, 1, arm(n, { errors: n / 4, slow: 0 }), arm(0, clean)));
    let state = initialJudge(PLAN);
    const verdicts = [40, 80, 120, 160, 200, 240, 280].map((n) => {
      const next = judge(state, PLAN, at(n), moment({ soaking: true }));
      state = next.state;
      return next.look.guardrails[0]?.hardLimit?.tripped;
    });
    assert.equal(verdicts[0], false);
    assert.equal(verdicts.at(-1), true);
  });

  it('a wrong split voids, is held for a person, and no later look passes or blames the candidate', () => {
    const wrong = generation(1, 0.1, arm(400, clean), arm(1600, clean));
    const { state, look } = judgeAll(PLAN, [[counts(wrong), moment()]]);
    assert.deepEqual([look.verdict, look.state, look.hold], ['inconclusive', 'void', true]);
    assert.match(look.sentence, /400 of 2000 keys went to the candidate, about 200 were due/);
    assert.equal(look.sampleRatio.violated, true);
    const worse = generation(1, 0.1, arm(6000, { errors: 300, slow: 0 }), arm(54_000, clean));
    assert.equal(judge(state, PLAN, counts(worse), moment()).look.state, 'void');
    const burning = generation(1, 0.1, arm(6000, { errors: 3000, slow: 0 }), arm(54_000, clean));
    assert.equal(judge(state, PLAN, counts(burning), moment()).look.verdict, 'roll-back', 'hard limits hold');
  });

  it('at the end of the time an unproven candidate is held, with the keys still needed', () => {
    const { look } = judgeAll(PLAN, [
      healthy[0] ?? assert.fail(),
      [counts(even(5000)), moment({ atHorizon: true })],
    ]);
    assert.deepEqual([look.verdict, look.state, look.hold], ['inconclusive', 'judged', true]);
    assert.deepEqual(codes(look), ['horizon', 'unproven', 'unproven']);
    assert.match(
      look.sentence,
      /^Undecided at the end of the time: not proven: errors, slow \(about \d+ more keys at these rates\)/,
    );
  });

  it('watch promotes after the minimum, and says that it is not proven', () => {
    const plan: CanaryPlan = { ...PLAN, judgement: 'watch' };
    const { look } = judgeAll(plan, [[counts(even(600)), moment()]]);
    assert.deepEqual([look.verdict, look.proven, codes(look)], ['promote', false, ['watched']]);
    assert.match(look.sentence, /not proven: errors, slow/);
    const early = judgeAll(plan, [[counts(even(400)), moment()]]).look;
    assert.deepEqual([early.verdict, codes(early)], ['continue', ['step-minimum']]);
    const over = judgeAll(plan, [[counts(even(400)), moment({ atHorizon: true })]]).look;
    assert.deepEqual([over.verdict, over.hold], ['inconclusive', true]);
  });

  it('soaking only watches', () => {
    const hold = generation(2, 0.95, arm(950, { errors: 10, slow: 10 }), arm(50, clean));
    const soak = moment({ soaking: true, sinceGeneration: 2, atHorizon: true });
    const { state, look } = judgeAll(PLAN, [...healthy, [counts(even(60_000), hold), soak]]);
    assert.deepEqual([look.verdict, codes(look)], ['continue', ['soaking']]);
    const bad = generation(2, 0.95, arm(9500, { errors: 900, slow: 100 }), arm(500, { errors: 5, slow: 5 }));
    assert.equal(judge(state, PLAN, counts(even(60_000), bad), soak).look.verdict, 'roll-back');
  });
});

describe('canary judge: evidence', () => {
  it('adds each generation with its own share, whatever order it comes in', () => {
    const one = generation(1, 0.1, arm(100, { errors: 4, slow: 0 }), arm(900, { errors: 16, slow: 0 }));
    const two = generation(2, 0.25, arm(100, { errors: 12, slow: 0 }), arm(300, { errors: 8, slow: 0 }));
    const { look } = judgeAll(PLAN, [[counts(two, one), moment()]]);
    assert.equal(Math.exp(look.guardrails[0]?.rollBack.lnE ?? 0).toFixed(3), '150.626');
  });

  it('looking more often at the same counts does not change the evidence against', () => {
    const all = simulated(5, 0.1, { errors: [0.012, 0.01], slow: [0.05, 0.05] }, 50_000);
    const last = all.at(-1) ?? assert.fail();
    const often = judgeAll(
      PLAN,
      all.map((c) => [c, moment()]),
    ).look;
    const once = judgeAll(PLAN, [[last, moment()]]).look;
    assert.deepEqual(
      often.guardrails.map((g) => g.rollBack),
      once.guardrails.map((g) => g.rollBack),
    );
    assert.deepEqual(
      often.guardrails.map((g) => g.candidate),
      once.guardrails.map((g) => g.candidate),
    );
  });

  it('history seeds the proof; without it the first look does', () => {
    const first = counts(even(500));
    assert.equal(judgeAll(PLAN, [[first, moment()]]).look.guardrails[0]?.promote.lnE, 0);
    const history = { errors: { bad: 200, keys: 20_000 }, slow: { bad: NaN, keys: 5 } };
    const seeded = judgeAll(PLAN, [[first, moment()]], initialJudge(PLAN, history)).look;
    const keys = { share: 0.1, candidateKeys: 50, candidateBad: 1, championKeys: 450, championBad: 5 };
    const expected = promoteEvidence(keys, 200, 20_000, MARGIN);
    assert.ok(Math.abs((seeded.guardrails[0]?.promote.lnE ?? 0) - expected) < 1e-9);
    assert.equal(seeded.guardrails[1]?.promote.lnE, 0, 'impossible history is left out');
  });

  it('a share of 0 or 1 compares nothing', () => {
    const zero = generation(1, 0, arm(0, clean), arm(5000, { errors: 500, slow: 0 }));
    const full = generation(2, 1, arm(5000, { errors: 500, slow: 0 }), arm(0, clean));
    const { look } = judgeAll(PLAN, [[counts(zero, full), moment()]]);
    assert.deepEqual(
      [look.guardrails[0]?.rollBack.lnE, look.guardrails[0]?.promote.lnE, look.sampleRatio.lnE],
      [0, 0, 0],
    );
    assert.equal(look.verdict, 'continue');
  });

  it('counts that vanish and come back are no evidence twice', () => {
    const full = counts(even(20_000));
    const half = counts(even(10_000));
    const before = judgeAll(PLAN, healthy.slice(0, 3));
    const dip = judge(before.state, PLAN, half, moment());
    assert.equal(dip.look.verdict, 'inconclusive');
    assert.equal(dip.look.state, 'inconsistent');
    assert.ok(dip.look.discarded > 9000);
    const back = judge(dip.state, PLAN, full, moment());
    assert.deepEqual(
      back.state.guardrails.map((g) => [g.lnM, g.lnPromote, g.newBad, g.firstBad]),
      before.state.guardrails.map((g) => [g.lnM, g.lnPromote, g.newBad, g.firstBad]),
    );
    const on = judge(back.state, PLAN, counts(even(60_000)), moment());
    assert.equal(on.look.verdict, 'promote');
  });

  it('one key that moves to an earlier generation holds up nothing', () => {
    const first = even(20_000);
    const second = generation(2, 0.25, arm(100, clean), arm(300, clean));
    const before = judgeAll(PLAN, [...healthy.slice(0, 3), [counts(first, second), moment()]]);
    const moved = { ...second, candidate: { ...second.candidate, keys: 99 } };
    const { look } = judge(before.state, PLAN, counts(even(60_000), moved), moment());
    assert.deepEqual(
      [look.verdict, look.discarded, codes(look)],
      ['promote', 1, ['proven', 'counts-went-back']],
    );
  });

  it('a change of the sample rate gives up one interval and goes on', () => {
    const thin = (keys: number): CanaryCounts => {
      const g = even(keys);
      const half = (a: ReturnType<typeof arm>): ReturnType<typeof arm> => ({
        ...arm(a.keys / 2, { errors: Math.floor(a.keys / 200), slow: Math.floor(a.keys / 200) }),
        requests: a.requests,
        bad: a.bad,
      });
      return {
        generations: [{ ...g, candidate: half(g.candidate), champion: half(g.champion) }],
        sampleRate: 0.5,
      };
    };
    const before = judgeAll(PLAN, healthy.slice(0, 2));
    const changed = judge(before.state, PLAN, thin(20_000), moment());
    assert.ok(codes(changed.look).includes('sample-rate-changed'));
    assert.equal(changed.look.discarded, 0);
    assert.equal(changed.look.keys, 20_000);
    assert.deepEqual(
      changed.state.guardrails.map((g) => g.lnM),
      before.state.guardrails.map((g) => g.lnM),
    );
    const on = judge(changed.state, PLAN, thin(100_000), moment());
    assert.ok((on.look.guardrails[0]?.promote.lnE ?? 0) > (before.look.guardrails[0]?.promote.lnE ?? 0) + 2);
    assert.ok(!codes(on.look).includes('sample-rate-changed'));
    assert.equal(on.look.guardrails[0]?.candidate.keys, 500 + 4000);
  });

  it('a change of the sample rate waits until every generation can be read', () => {
    const before = judgeAll(PLAN, healthy.slice(0, 2));
    const broken = {
      ...counts({ ...even(5000), champion: { ...arm(1, clean), requests: NaN } }),
      sampleRate: 0.5,
    };
    const { state, look } = judge(before.state, PLAN, broken, moment());
    assert.equal(look.state, 'inconsistent');
    assert.equal(state.sampleRate, 1);
    const back = judge(state, PLAN, counts(even(60_000)), moment());
    const straight = judge(before.state, PLAN, counts(even(60_000)), moment());
    assert.deepEqual(back.state.generations, straight.state.generations);
    assert.deepEqual(
      back.state.guardrails.map((g) => g.lnPromote),
      straight.state.guardrails.map((g) => g.lnPromote),
    );
  });

  it('gives the evidence of the formulas run alone, and their verdicts, in simulated canaries', () => {
    const rates = { a: [0.01, 0.01], b: [0.001, 0.001], c: [0.05, 0.05], d: [0.05, 0.05] } as const;
    const names = Object.keys(rates);
    const four: CanaryPlan = { ...PLAN, guardrails: names.map((name) => guardrail(name)) };
    const runs = scale(60, 1000);
    const ends: number[] = [];
    let rolledBack = 0;
    for (let seed = 0; seed < runs; seed += 1) {
      let state = initialJudge(four);
      let before = counts(
        generation(1, 0.1, arm(0, { a: 0, b: 0, c: 0, d: 0 }), arm(0, { a: 0, b: 0, c: 0, d: 0 })),
      );
      const alone = names.map(() => ({ back: rollback(), forth: promote()() }));
      let end = Infinity;
      for (const c of simulated(9000 + seed, 0.1, rates, 100_000)) {
        const [now, was] = [c.generations[0] ?? assert.fail(), before.generations[0] ?? assert.fail()];
        const next = judge(state, four, c, moment());
        names.forEach((name, i) => {
          const interval = {
            share: 0.1,
            n: now.candidate.keys - was.candidate.keys,
            m: now.champion.keys - was.champion.keys,
            x: (now.candidate.newBad[name] ?? 0) - (was.candidate.newBad[name] ?? 0),
            y: (now.champion.newBad[name] ?? 0) - (was.champion.newBad[name] ?? 0),
          };
          const { back, forth } = alone[i] ?? assert.fail();
          back.add(interval);
          forth.add(interval);
          const row = next.look.guardrails[i] ?? assert.fail();
          assert.ok(Math.abs(row.rollBack.lnE - back.lnE()) < 1e-8);
          assert.ok(Math.abs(row.promote.lnE - forth.lnE()) < 1e-8);
        });
        [state, before] = [next.state, c];
        if (next.look.verdict === 'promote') end = next.look.keys;
        if (next.look.verdict === 'roll-back') rolledBack += 1;
        if (next.look.verdict !== 'continue') break;
      }
      ends.push(end);
    }
    const promoted = ends.filter((t) => t !== Infinity).length / runs;
    assert.ok(promoted >= 0.88, `${promoted}`);
    assert.ok(median(ends) >= 20_000 && median(ends) <= 45_000, `median ${median(ends)}`);
    assert.ok(rolledBack / runs <= atMost(0.01, runs), `${rolledBack}`);
  });
});

describe('canary judge: state', () => {
  const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  it('is plain JSON at every look, and small', () => {
    let state: JudgeState = initialJudge(PLAN);
    assert.deepEqual(json(state), state);
    for (const c of simulated(3, 0.1, { errors: [0.02, 0.01], slow: [0.05, 0.05] }, 100_000)) {
      const next = judge(state, PLAN, c, moment());
      assert.deepEqual(json(next), next);
      state = next.state;
    }
    assert.ok(JSON.stringify(state).length < 2000, `${JSON.stringify(state).length}`);
  });

  it('is not changed by a look, and goes on the same after a round trip', () => {
    const { state } = judgeAll(PLAN, healthy.slice(0, 3));
    const kept = JSON.stringify(state);
    const straight = judge(state, PLAN, counts(even(60_000)), moment());
    assert.equal(JSON.stringify(state), kept);
    const carried = judge(json(state) as JudgeState, PLAN, counts(even(60_000)), moment());
    assert.equal(JSON.stringify(carried), JSON.stringify(straight));
  });

  it('refuses a plan that cannot be judged', () => {
    assert.throws(
      () => initialJudge({ ...PLAN, alpha: 2 }),
      /Canary plan: alpha is 2: a number between 0 and 1 is needed/,
    );
  });
});
