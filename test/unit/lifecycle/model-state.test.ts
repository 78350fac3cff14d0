import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { ReleaseStage } from '../../../src/contracts/model.js';
import type { ReleaseReport } from '../../../src/contracts/views.js';
import { rollBackTarget } from '../../../src/lifecycle/champions.js';
import { abandonRelease, applyReport, reportProblem } from '../../../src/lifecycle/model-reports.js';
import {
  clearQueue,
  expiredWarm,
  initialModelState,
  nextDeadline,
  nextToStart,
  queueRelease,
  releaseRefusal,
  startRelease,
  type ModelState,
} from '../../../src/lifecycle/model-state.js';
import { modelHealth, modelView } from '../../../src/lifecycle/model-view.js';
import { isOutcome, mayMove } from '../../../src/lifecycle/stages.js';
import { manifest } from '../../support/manifests.js';
import { scale } from '../../support/scale.js';

const STAGES: readonly ReleaseStage[] = [
  'validating',
  'awaiting-approval',
  'deploying',
  'canary',
  'promoting',
  'soaking',
  'succeeded',
  'rejected',
  'rolled-back',
  'aborted',
];
const ref = (number: number) => ({ version: `v${number}`, digest: String(number).padStart(64, '0') });

type Step =
  | { kind: 'submit'; version: number; supersede: boolean }
  | { kind: 'start' }
  | { kind: 'report'; release: number; stage: ReleaseStage }
  | { kind: 'abandon' }
  | { kind: 'clear' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('submit' as const), version: fc.nat(60), supersede: fc.boolean() }),
  fc.record({ kind: fc.constant('start' as const) }),
  fc.record({ kind: fc.constant('report' as const), release: fc.nat(6), stage: fc.constantFrom(...STAGES) }),
  fc.record({ kind: fc.constant('abandon' as const) }),
  fc.record({ kind: fc.constant('clear' as const) }),
);

/** What a release says: the one in flight, or (`late`) one from before. */
function report(state: ModelState, back: number, stage: ReleaseStage, now: number): ReleaseReport | null {
  const release = (state.inFlight ?? state.nextRelease) - back;
  const summary = state.releases.find((known) => known.release === release);
  if (summary === undefined) return null;
  const promoted = stage === 'soaking' || stage === 'succeeded';
  const former = state.champions.find((past) => past.release !== release) ?? null;
  return {
    release,
    stage,
    at: new Date(now).toISOString(),
    reason: null,
    champion: promoted ? { version: summary.version, digest: summary.digest } : former,
    former,
    generation: now,
    head: { sequence: now, hash: 'f'.repeat(64) },
  };
}

describe('model state', () => {
  it('has one release in flight, and brings every release to exactly one end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let state = initialModelState(manifest());
        const ended = new Map<number, string>();
        for (const [now, one] of steps.entries()) {
          if (one.kind === 'submit') {
            if (releaseRefusal(state, ref(one.version), one.supersede) !== null) continue;
            const queued = queueRelease(state, {
              version: ref(one.version),
              submittedBy: 'eve',
              supersede: one.supersede,
              now,
            });
            if (queued.abort !== null) assert.equal(queued.abort, state.inFlight);
            state = queued.state;
          } else if (one.kind === 'start') {
            const next = nextToStart(state);
            if (next === null) continue;
            assert.equal(state.inFlight, null);
            state = startRelease(state, next);
          } else if (one.kind === 'report') {
            const said = report(state, one.release, one.stage, now);
            if (said === null) continue;
            assert.equal(reportProblem(said), null);
            const once = applyReport(state, said);
            assert.deepEqual(applyReport(once, said), once, 'repeated reports are harmless');
            state = once;
          } else if (one.kind === 'abandon') {
            if (state.inFlight !== null) state = abandonRelease(state, state.inFlight, 'gone', now);
          } else state = clearQueue(state, 'cleared', now);

          const open = state.releases.filter(({ endedAt }) => endedAt === null).map(({ release }) => release);
          const expected = [...state.queue, ...(state.inFlight === null ? [] : [state.inFlight])];
          assert.deepEqual(
            open.toSorted((a, b) => a - b),
            expected.toSorted((a, b) => a - b),
          );
          assert.equal(new Set(state.queue).size, state.queue.length);
          assert.ok(state.queue.length <= 21 && state.releases.length <= 80);
          for (const { release, stage, endedAt } of state.releases) {
            if (endedAt === null) continue;
            assert.equal(ended.get(release) ?? stage, stage, 'an end is an end');
            ended.set(release, stage);
          }
          const current = state.champions.filter(({ until }) => until === null);
          assert.equal(current.length, state.champion === null ? 0 : 1);
          assert.equal(current[0]?.digest, state.champion?.digest);
          assert.ok(!state.warm.some(({ digest }) => digest === state.champion?.digest));
          assert.equal(new Set(state.warm.map(({ digest }) => digest)).size, state.warm.length);
          const target = rollBackTarget(state, undefined);
          if ('target' in target) assert.notEqual(target.target.digest, state.champion?.digest);
          assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
          modelView(state, now);
        }
      }),
      { seed: 1, numRuns: scale(400, 10_000) },
    );
  });

  it('takes no report of any other shape, and never throws', () => {
    const state = startRelease(
      queueRelease(initialModelState(manifest()), {
        version: ref(1),
        submittedBy: 'eve',
        supersede: false,
        now: 0,
      }).state,
      1,
    );
    const field = fc.oneof(fc.anything(), fc.constantFrom(1, 'soaking', '2026-01-01T00:00:00Z', null));
    const like = fc.record(
      {
        release: field,
        stage: field,
        at: field,
        reason: field,
        champion: field,
        former: field,
        generation: field,
        head: field,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), like), (junk) => {
        if (reportProblem(junk) === null) applyReport(state, junk as ReleaseReport);
      }),
      { seed: 2, numRuns: scale(2000, 50_000) },
    );
  });

  it('never goes back by itself to a version that its own release took back', () => {
    let state: ModelState = initialModelState(manifest());
    const run = (number: number, ...stages: ReleaseStage[]) => {
      state = queueRelease(state, {
        version: ref(number),
        submittedBy: 'eve',
        supersede: false,
        now: number,
      }).state;
      state = startRelease(state, number);
      const before = state.champion;
      for (const stage of stages) {
        const promoted = stage === 'soaking' || stage === 'succeeded';
        state = applyReport(state, {
          release: number,
          stage,
          at: new Date(number * 1000).toISOString(),
          reason: null,
          champion: promoted ? ref(number) : before,
          former: before,
          generation: number,
          head: { sequence: number, hash: '' },
        });
      }
    };
    run(1, 'soaking', 'succeeded');
    run(2, 'soaking', 'succeeded');
    run(3, 'canary', 'soaking', 'rolled-back');
    assert.equal(state.champion?.version, 'v2');
    assert.deepEqual(rollBackTarget(state, undefined), { target: ref(1) });
    assert.deepEqual(rollBackTarget(state, 'v3'), { target: ref(3) });
    assert.deepEqual(
      state.warm.map(({ version }) => version),
      ['v1'],
    );
    assert.equal(modelHealth(state, 0), 'healthy');
  });

  it('waits for the end of a freeze even while former champions wait for the end of a release', () => {
    const freeze = { reason: 'x', by: 'otto', until: new Date(5000).toISOString() };
    const warm = [{ ...ref(1), until: new Date(1000).toISOString() }];
    const state: ModelState = { ...initialModelState(manifest()), freeze, warm };
    assert.equal(nextDeadline(state), 1000);
    assert.equal(nextDeadline({ ...state, inFlight: 2 }), 5000);
    assert.equal(expiredWarm(state, 999).length, 0);
    assert.equal(expiredWarm(state, 1000).length, 1);
  });
});

describe('stages', () => {
  it('end in exactly four, and none leads out of an end', () => {
    assert.deepEqual(STAGES.filter(isOutcome), ['succeeded', 'rejected', 'rolled-back', 'aborted']);
    for (const from of STAGES.filter(isOutcome))
      for (const to of STAGES) assert.equal(mayMove(from, to), from === to);
  });

  it('can be aborted from everywhere else', () => {
    for (const from of STAGES.filter((stage) => !isOutcome(stage))) assert.ok(mayMove(from, 'aborted'));
  });
});
