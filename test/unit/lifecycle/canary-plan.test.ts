import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { LookResult } from '../../../src/contracts/canary.js';
import {
  canaryHistory,
  canaryPlan,
  nextMove,
  soakBounds,
  takesAllTraffic,
} from '../../../src/lifecycle/canary-plan.js';
import { manifest } from '../../support/manifests.js';

const look = fc.record({
  verdict: fc.constantFrom('continue', 'promote', 'roll-back', 'inconclusive'),
  state: fc.constantFrom('judged', 'void', 'inconsistent', 'no-data'),
  hold: fc.boolean(),
  advance: fc.boolean(),
  proven: fc.boolean(),
  sentence: fc.constant('why'),
  keysInStep: fc.nat(1000),
}) as unknown as fc.Arbitrary<LookResult>;

describe('next move of a canary', () => {
  const plan = (judgement: 'prove' | 'watch', ...weights: number[]) => ({
    ...canaryPlan(manifest()),
    judgement,
    steps: weights.map((weight) => ({ weight, minKeys: 200, minSeconds: 60 })),
  });

  it('with all traffic and too few keys at the end of the time is a person’s', () => {
    const steps = plan('prove', 0.1, 1);
    const seen = {
      verdict: 'continue',
      state: 'judged',
      hold: false,
      keysInStep: 10,
    } as unknown as LookResult;
    assert.deepEqual(nextMove(steps, 1, seen, 100, false), { kind: 'look-again' });
    assert.deepEqual(nextMove(steps, 1, seen, 100, true), { kind: 'hold', as: 'inconclusive' });
    assert.deepEqual(nextMove(steps, 1, { ...seen, keysInStep: 200 }, 100, true), { kind: 'promote' });
  });

  it('is never towards more traffic without its clearance', () => {
    fc.assert(
      fc.property(
        look,
        fc.constantFrom('prove' as const, 'watch' as const),
        fc.nat(2),
        fc.nat(100),
        (seen, judgement, step, seconds) => {
          const steps = plan(judgement, 0.1, 0.5, 1);
          const { kind } = nextMove(steps, step, seen, seconds);
          if (seen.verdict === 'roll-back') return assert.equal(kind, 'roll-back');
          assert.notEqual(kind, 'roll-back');
          if (kind === 'promote' && step < 2) {
            assert.ok(!seen.hold);
            assert.ok(seen.verdict === 'promote' || (seen.advance && (judgement === 'watch' || seen.proven)));
          }
          if (kind === 'promote' && step === 2) assert.ok(seen.keysInStep >= 200 && seconds >= 60);
          if (kind === 'next-step')
            assert.ok(seen.advance && !seen.hold && !takesAllTraffic(steps.steps, step + 1));
          if (kind === 'hold') assert.ok(seen.hold);
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });

  it('tunes the judge by a past that is long enough', () => {
    const baseline = { requests: 999, bad: { errors: 3 }, latencyMs: {} };
    assert.equal(canaryHistory(manifest(), baseline), null);
    assert.deepEqual(canaryHistory(manifest(), { ...baseline, requests: 1000 }), {
      errors: { bad: 3, keys: 1000 },
    });
  });

  it('holds a soak without anybody to compare with to the objectives', () => {
    const [bound] = soakBounds(manifest());
    assert.equal(bound?.guardrail, 'errors');
    assert.ok(Math.abs((bound?.bound.bound ?? 0) - 0.01) < 1e-9);
  });
});
