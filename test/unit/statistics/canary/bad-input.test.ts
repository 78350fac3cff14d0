import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { CanaryCounts, CanaryPlan, JudgeState, LookMoment } from '../../../../src/contracts/canary.js';
import { initialJudge, judge } from '../../../../src/statistics/canary/index.js';
import { scale } from '../../../support/scale.js';
import { arm, counts, generation, judgeAll, moment, PLAN } from './made.js';

const numRuns = scale(400, 20_000);
const seed = 20_261_124;

/** A canary one look before its promotion: everything proven, only the seconds are missing. */
const good = (keys: number): CanaryCounts => {
  const bad = (of: number): Record<string, number> => ({ errors: of / 100, slow: of / 100 });
  return counts(
    generation(1, 0.1, arm(keys / 10, bad(keys / 10)), arm((keys * 9) / 10, bad((keys * 9) / 10))),
  );
};
const almost = judgeAll(
  PLAN,
  [1000, 10_000, 40_000, 80_000].map((keys) => [good(keys), moment({ seconds: 0 })]),
).state;
const next = good(90_000);
const WATCH: CanaryPlan = { ...PLAN, judgement: 'watch' };

function neverPromotes(state: JudgeState, plan: CanaryPlan, bad: unknown, when: LookMoment = moment()): void {
  const result = judge(state, plan, bad as CanaryCounts, when);
  assert.notEqual(result.look.verdict, 'promote');
  assert.notEqual(result.look.advance, true);
  assert.deepEqual(JSON.parse(JSON.stringify(result)), result, 'plain JSON');
}

/** A copy with the value at a path replaced, or removed when the value is REMOVED. */
const REMOVED = Symbol('removed');
function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return by;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as unknown as Record<number, unknown>)
    : { ...(value as Record<string, unknown>) };
  const inner = replaced(copy[head], rest, by);
  if (inner === REMOVED) delete copy[head];
  else copy[head] = inner;
  return copy;
}

function paths(value: unknown, at: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[...at]];
  const inner = Object.entries(value).flatMap(([key, v]) =>
    paths(v, [...at, Array.isArray(value) ? Number(key) : key]),
  );
  return [[...at], ...inner];
}

const everywhere = paths(next).filter((path) => path.length > 0);
const wrongCount = fc.oneof(
  fc.constantFrom<unknown>(
    NaN,
    Infinity,
    -Infinity,
    -1,
    0.5,
    null,
    undefined,
    REMOVED,
    '12',
    true,
    {},
    [],
    2 ** 60,
  ),
  fc.double({ max: -1e-9, noNaN: true }),
  fc.string(),
);

describe('canary judge: bad input never passes', () => {
  it('the same look with good counts does promote', () => {
    assert.equal(judge(almost, PLAN, next, moment()).look.verdict, 'promote');
    assert.equal(judge(almost, WATCH, next, moment()).look.verdict, 'promote');
  });

  it('any one cell missing, NaN, negative, fractional or of another type', () => {
    fc.assert(
      fc.property(fc.constantFrom(...everywhere), wrongCount, fc.boolean(), (path, value, watch) => {
        neverPromotes(almost, watch ? WATCH : PLAN, replaced(next, path, value));
      }),
      { numRuns, seed },
    );
  });

  it('anything at all in place of the counts', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => neverPromotes(almost, PLAN, value)),
      { numRuns, seed },
    );
    for (const value of [
      undefined,
      null,
      [],
      {},
      { generations: [], sampleRate: 1 },
      { generations: [null], sampleRate: 1 },
    ]) {
      neverPromotes(almost, PLAN, value);
      neverPromotes(almost, WATCH, value);
      neverPromotes(initialJudge(WATCH), WATCH, value);
      neverPromotes(almost, PLAN, value, moment({ atHorizon: true }));
    }
  });

  it('parts larger than the whole', () => {
    const [g] = next.generations;
    assert.ok(g !== undefined);
    for (const change of [
      { keys: g.candidate.requests + 1 },
      { firstBad: { errors: g.candidate.keys + 1, slow: 0 } },
      { newBad: { errors: 91, slow: 90 } },
      { bad: { errors: g.candidate.requests + 1, slow: 90 } },
    ]) {
      neverPromotes(almost, PLAN, counts({ ...g, candidate: { ...g.candidate, ...change } }));
    }
  });

  it('generations that repeat, vanish or change their share; keys off the split', () => {
    const [g] = next.generations;
    assert.ok(g !== undefined);
    const clean = { errors: 0, slow: 0 };
    neverPromotes(almost, PLAN, counts(g, g));
    neverPromotes(almost, PLAN, counts({ ...g, generation: 2 }));
    neverPromotes(almost, PLAN, counts({ ...g, candidateShare: 0.11 }));
    neverPromotes(almost, PLAN, counts(g, generation(2, 0, arm(1, clean), arm(9, clean))));
    neverPromotes(almost, PLAN, counts(g, generation(2, 1, arm(9, clean), arm(1, clean))));
    for (const sampleRate of [0, 0.3, 0.5, 2, NaN]) neverPromotes(almost, PLAN, { ...next, sampleRate });
  });

  it('nothing new since the last look, at the end of the time as well', () => {
    const same = good(80_000);
    const { look } = judge(almost, PLAN, same, moment());
    assert.deepEqual([look.verdict, look.state, look.hold], ['inconclusive', 'no-data', false]);
    assert.match(look.sentence, /No new evidence/);
    const end = judge(almost, PLAN, same, moment({ atHorizon: true })).look;
    assert.deepEqual([end.verdict, end.hold], ['inconclusive', true]);
  });

  it('a moment that is not one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('step', 'sinceGeneration', 'seconds'),
        fc.constantFrom(NaN, -5, null, 'x', undefined),
        (field, value) => {
          const when = { ...moment(), [field]: value } as LookMoment;
          assert.notEqual(judge(almost, PLAN, next, when).look.verdict, 'promote');
        },
      ),
      { numRuns: 100, seed },
    );
  });

  it('a plan with other guardrails than before', () => {
    neverPromotes(almost, { ...PLAN, guardrails: PLAN.guardrails.slice(0, 1) }, next);
    const reversed = { ...PLAN, guardrails: [...PLAN.guardrails].reverse() };
    neverPromotes(almost, reversed, next);
    const { state } = judge(almost, reversed, next, moment());
    assert.deepEqual(state, { ...almost, looks: almost.looks + 1 }, 'and loses no evidence');
  });

  it('a sequence of good and bad readings never promotes on a bad one, and keeps its state sound', () => {
    const reading = fc.oneof(
      fc.integer({ min: 1, max: 100 }).map((k) => ({ bad: false, counts: good(k * 1000) as unknown })),
      fc
        .tuple(fc.integer({ min: 1, max: 100 }), fc.constantFrom(...everywhere), wrongCount)
        .map(([k, path, value]) => ({ bad: true, counts: replaced(good(k * 1000), path, value) })),
    );
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 12 }), (readings) => {
        let state = initialJudge(PLAN);
        for (const r of readings) {
          const result = judge(state, PLAN, r.counts as CanaryCounts, moment());
          if (r.bad) assert.notEqual(result.look.verdict, 'promote');
          assert.notEqual(result.look.verdict, 'roll-back');
          ({ state } = result);
          for (const g of state.guardrails) {
            assert.ok([...g.lnM, g.lnPromote, g.priorBad, g.priorKeys].every(Number.isFinite));
            assert.ok(g.firstBad[0] <= (state.generations[0]?.keys[0] ?? 0));
          }
        }
      }),
      { numRuns: scale(200, 5000), seed },
    );
  });

  it('bad data of one guardrail does not shield another', () => {
    const burning = generation(
      1,
      0.1,
      arm(9000, { errors: 4500, slow: 90 }),
      arm(81_000, { errors: 810, slow: 810 }),
    );
    const broken = replaced(
      counts(burning),
      ['generations', 0, 'candidate', 'bad', 'slow'],
      NaN,
    ) as CanaryCounts;
    const { look } = judge(almost, PLAN, broken, moment());
    assert.deepEqual([look.verdict, look.state], ['roll-back', 'inconsistent']);
    assert.match(
      look.problems[0] ?? '',
      /generation 1: candidate\.bad\.slow is NaN: a whole number from 0 is needed/,
    );
  });

  it('names what is wrong, ten things at most', () => {
    const many = counts(...Array.from({ length: 20 }, () => next.generations[0] ?? assert.fail()));
    const { look } = judge(almost, PLAN, many, moment());
    assert.equal(look.problems.length, 10);
    assert.match(
      look.problems[0] ?? '',
      /generations\[1\]\.generation is 1: a whole number is needed, each once/,
    );
  });
});
