import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { RetrainingSettings } from '../../../src/contracts/manifest.js';
import type { RetrainingTrigger } from '../../../src/contracts/retraining.js';
import { initialModelState, type ModelState } from '../../../src/lifecycle/model-state.js';
import {
  endRetraining,
  judgeChallenger,
  nextClockTrigger,
  nextLabelCount,
  requestRetraining,
  retrainingOf,
  retrainingReportProblem,
} from '../../../src/lifecycle/retraining.js';
import { manifest, retrainingSettings } from '../../support/manifests.js';
import { scale } from '../../support/scale.js';

const HOUR = 3600_000;
const NOW = Date.parse('2026-03-01T00:00:00.000Z');
const v1 = { version: 'v1', digest: '1'.repeat(64) };

const stateOf = (
  settings: Partial<RetrainingSettings> = {},
  changes: Partial<ModelState> = {},
): ModelState => ({
  ...initialModelState(manifest({ retraining: retrainingSettings(settings) })),
  champion: v1,
  champions: [{ ...v1, release: 1, since: new Date(NOW).toISOString(), until: null }],
  ...changes,
});

const ask = (
  state: ModelState,
  evidence: string,
  at: number,
  labels = 1_000,
  trigger: RetrainingTrigger = 'finding',
) => requestRetraining(state, { trigger, evidence, by: 'monitor:0', finding: evidence, at, labels });

const end = (state: ModelState, retraining: number, at: number): ModelState =>
  endRetraining(state, {
    retraining,
    outcome: 'not-better',
    reason: null,
    release: null,
    endedAt: new Date(at).toISOString(),
  });

describe('requests for a retraining', () => {
  it('hold, in any order: one start for a piece of evidence, cooldown, budget, one at a time', () => {
    const step = fc.record({
      evidence: fc.nat(6),
      minutes: fc.nat(300),
      labels: fc.nat(200),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = { runs: 3, perSeconds: 24 * 3600 };
        let state = stateOf({ cooldownSeconds: 3600, minLabels: 100, budget });
        let now = NOW;
        const starts: { at: number; evidence: string }[] = [];
        const told = new Set<string>();
        for (const { evidence, minutes, labels, ends } of steps) {
          now += minutes * 60_000;
          const { running } = retrainingOf(state);
          if (ends && running !== null) state = end(state, running.retraining, now);
          const wasRunning = retrainingOf(state).running !== null;
          const answer = ask(state, `f-${evidence}`, now, labels);
          state = JSON.parse(JSON.stringify(answer.state)) as ModelState;
          const { decision } = answer;
          if (decision.kind === 'held-back' && decision.isNews) {
            const key = `${evidence} ${decision.reason.replaceAll(/\d.*$/gs, '')}`;
            assert.ok(!told.has(key), 'said once');
            told.add(key);
          }
          if (decision.kind !== 'start') continue;
          assert.ok(!wasRunning && labels >= 100);
          assert.equal(decision.retraining, starts.length + 1);
          starts.push({ at: now, evidence: `f-${evidence}` });
        }
        assert.equal(new Set(starts.map((start) => start.evidence)).size, starts.length);
        for (const [i, { at }] of starts.entries()) {
          const before = starts[i - 1];
          assert.ok(before === undefined || at - before.at >= HOUR);
          const fourth = starts[i - 3];
          assert.ok(fourth === undefined || at - fourth.at >= 24 * HOUR);
        }
      }),
      { seed: 5, numRuns: scale(200, 5_000) },
    );
  });

  it('are taken in a state of before there were retrainings', () => {
    const { retraining: _, ...old } = stateOf();
    assert.deepEqual(ask(old, 'f-1', NOW).decision, { kind: 'start', retraining: 1 });
  });

  it('start nothing where the manifest is of before there was the section', () => {
    const state = stateOf();
    const { retraining: _, ...old } = state.manifest;
    const answer = ask({ ...state, manifest: old as typeof state.manifest }, 'f-1', NOW);
    assert.equal(answer.decision.kind, 'held-back');
    assert.equal(nextClockTrigger({ ...state, manifest: old as typeof state.manifest }, NOW), null);
  });
});

describe('the clock of retrainings', () => {
  const triggers = { finding: false, schedule: null, newLabels: null, maxAgeSeconds: 24 * 3600 };

  it('asks at each full age of the champion, once', () => {
    let state = stateOf({ triggers });
    const due = nextClockTrigger(state, NOW);
    assert.deepEqual([due?.kind, due?.at], ['age', NOW + 24 * HOUR]);
    assert.ok(due?.kind === 'age');
    state = ask(state, due.evidence, due.at, 1_000, 'age').state;
    assert.equal(nextClockTrigger(state, due.at), null, 'not while one runs');
    state = end(state, 1, due.at + HOUR);
    assert.equal(nextClockTrigger(state, due.at + HOUR)?.at, NOW + 48 * HOUR);
  });

  it('reads a schedule anew when the manifest has another', () => {
    const schedule = { cron: '0 3 * * *', timeZone: 'UTC' };
    const state = stateOf({ triggers: { ...triggers, schedule, maxAgeSeconds: null } });
    assert.equal(nextClockTrigger(state, NOW)?.kind, 'read-schedule');
  });

  it('counts labels between once an hour and once a day', () => {
    const next = (labels: number) =>
      (Date.parse(nextLabelCount({ labels, wanted: 100, since: NOW - 10 * HOUR, now: NOW })) - NOW) / HOUR;
    assert.deepEqual([next(0), next(1), next(50), next(99)], [24, 24, 10, 1]);
  });
});

describe('the judgement of a challenger', () => {
  const compared = (lower: number, gain = 0.1) =>
    ({
      kind: 'compared',
      metric: 'auc',
      method: 'delong',
      challenger: 0.9,
      champion: 0.8,
      gain,
      lower,
      upper: 1,
      rows: 500,
    }) as const;

  it('is for it only when the lower bound of the gain is above the margin', () => {
    assert.equal(judgeChallenger(compared(0.021), 0.02).outcome, 'submitted');
    assert.equal(judgeChallenger(compared(0.02), 0.02).outcome, 'not-better');
    assert.equal(judgeChallenger(compared(-0.1, 0.5), 0.02).outcome, 'not-better');
    assert.equal(judgeChallenger(compared(Number.NaN), 0).outcome, 'insufficient');
    assert.equal(judgeChallenger(compared(null as unknown as number), 0).outcome, 'insufficient');
  });
});

describe('reports of retrainings', () => {
  it('are looked at only when they have the shape of one', () => {
    const head = { sequence: 1, hash: 'x' };
    const good = { retraining: 1, outcome: 'failed', reason: null, challenger: null, head };
    assert.equal(retrainingReportProblem(good), null);
    for (const bad of [
      null,
      'text',
      { ...good, retraining: -1 },
      { ...good, outcome: 'fine' },
      { ...good, reason: 7 },
      { ...good, head: null },
      { ...good, challenger: {} },
      { ...good, outcome: 'submitted' },
      { ...good, outcome: 'submitted', challenger: { digest: 'a', trainingDataDigest: 'b', metrics: {} } },
    ])
      assert.notEqual(retrainingReportProblem(bad), null, JSON.stringify(bad));
  });
});
