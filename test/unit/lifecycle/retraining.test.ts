import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { RetrainingSettings } from '../../../src/contracts/manifest.js';
import type { RetrainingTrigger } from '../../../src/contracts/retraining.js';
import { initialModelState, type ModelState } from '../../../src/lifecycle/model-state.js';
import {
  endRetraining,
  judgeChallenger,
  requestRetraining,
  retrainingOf,
  retrainingReportProblem,
  rowsSince,
} from '../../../src/lifecycle/retraining.js';
import { nextClockTrigger, nextLabelCount } from '../../../src/lifecycle/retraining-clock.js';
import {
  HOURLY_LOOKS,
  letWait,
  lookedAt,
  waitingFindings,
  waitNoMore,
} from '../../../src/lifecycle/waiting-findings.js';
import { retrainingView } from '../../../src/lifecycle/retraining-view.js';
import { manifest, monitoring, retrainingSettings } from '../../support/manifests.js';
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

describe('a finding that was held back', () => {
  const wanted = { finding: 'f-1', cause: 'data-drift', by: 'model:m' };
  const at = (state: ModelState): number | undefined => nextClockTrigger(state, NOW)?.at;
  const of =
    (cause: string) =>
    (finding: { readonly cause: string }): boolean =>
      finding.cause === cause;

  it('is looked at again in an hour, or when the cooldown or the budget is over', () => {
    assert.equal(at(letWait(stateOf(), wanted, NOW)), NOW + HOUR);
    const cool = end(ask(stateOf({ cooldownSeconds: 7_200 }), 'f-0', NOW).state, 1, NOW);
    assert.equal(at(letWait(cool, wanted, NOW)), NOW + 2 * HOUR);
    const budget = { runs: 1, perSeconds: 3 * 3600 };
    const spent = end(ask(stateOf({ budget }), 'f-0', NOW).state, 1, NOW);
    assert.equal(at(letWait(spent, wanted, NOW)), NOW + 3 * HOUR);
  });

  it('is looked at after a window of its monitor, then after twice as long, up to an hour', () => {
    const { manifest } = stateOf();
    let state = stateOf({}, { manifest: { ...manifest, monitoring: monitoring({ windowSeconds: 600 }) } });
    const after: number[] = [];
    let now = NOW;
    for (let look = 0; look < 5; look += 1) {
      state = letWait(state, { ...wanted, looks: look }, now);
      assert.equal(waitingFindings(state)[0]?.looks, look + 1);
      const next = nextClockTrigger(state, now)?.at ?? now;
      after.push((next - now) / 60_000);
      now = next;
    }
    assert.deepEqual(after, [10, 20, 40, 60, 60]);
    const old = letWait(state, { ...wanted, looks: HOURLY_LOOKS }, now);
    assert.equal(nextClockTrigger(old, now)?.at, now + HOUR);
  });

  it('asks for nothing any more when its cause is gone, another version serves, or one was started', () => {
    const state = letWait(stateOf(), wanted, NOW);
    assert.equal(at(waitNoMore(state, of('another cause'))), NOW + HOUR);
    assert.equal(at(waitNoMore(state, of('data-drift'))), undefined);
    assert.equal(at({ ...state, champion: { version: 'v2', digest: '2'.repeat(64) } }), undefined);
    const started = ask(state, 'hand/1', NOW, 1_000, 'hand').state;
    assert.equal(at(end(started, 1, NOW)), undefined);
  });

  const began = (hours: number): string => new Date(NOW - hours * HOUR).toISOString();
  const ids = (state: ModelState): string[] => waitingFindings(state).map(({ finding }) => finding);

  it('waits beside those of other causes: the one whose change began first is looked at, when the first of them asks', () => {
    let state = letWait(stateOf(), { ...wanted, finding: 'f-0', cause: 'skew' }, NOW + 5);
    state = letWait(state, { ...wanted, onset: began(2) }, NOW);
    state = letWait(state, { ...wanted, finding: 'f-2', cause: 'slow', onset: began(1) }, NOW - 60_000);
    // What does not say when it began cannot be followed, and is the last.
    assert.deepEqual(ids(state), ['f-1', 'f-2', 'f-0']);
    const next = (of: ModelState) => retrainingView(of, NOW)?.next;
    const soon = new Date(NOW - 60_000 + HOUR).toISOString();
    assert.deepEqual(next(state), [{ by: 'finding', at: soon, finding: 'f-1', others: 2 }]);
    // None is looked at before the first, which has the most labels.
    const looked = lookedAt(state, 'f-1', NOW + HOUR);
    assert.deepEqual(next(looked), [{ by: 'finding', at: began(-2), finding: 'f-1', others: 2 }]);
    assert.deepEqual(
      waitingFindings(looked).map(({ looks }) => looks),
      [2, 1, 1],
    );
    const left = waitNoMore(looked, of('data-drift'));
    assert.deepEqual(next(left), [{ by: 'finding', at: began(-2), finding: 'f-2', others: 1 }]);
  });

  it('is looked at as soon as one that comes later would be, and not only when a budget of before is over', () => {
    const spent = { runs: 1, perSeconds: 3 * 3600 };
    const state = end(ask(stateOf({ budget: spent }), 'f-0', NOW).state, 1, NOW);
    const waits = letWait(state, { ...wanted, onset: began(2) }, NOW);
    assert.equal(at(waits), NOW + 3 * HOUR);
    const manifest = { ...waits.manifest, retraining: retrainingSettings() };
    const beside = letWait(
      { ...waits, manifest },
      { ...wanted, finding: 'f-2', cause: 'slow', onset: began(1) },
      NOW,
    );
    assert.deepEqual([at(beside), ids(beside)[0]], [NOW + HOUR, 'f-1']);
  });

  it('stands for later ones of its cause, and gives way to one whose change began before', () => {
    const state = letWait(stateOf(), { ...wanted, onset: began(2) }, NOW);
    const later = letWait(state, { ...wanted, finding: 'f-2', onset: began(1) }, NOW);
    assert.equal(later, state);
    assert.deepEqual(ids(letWait(state, { ...wanted, finding: 'f-3', onset: began(3) }, NOW)), ['f-3']);
  });

  it('that is not there any more after a look does not come back', () => {
    const state = letWait(stateOf(), wanted, NOW);
    const gone = waitNoMore(state, of('data-drift'));
    assert.equal(lookedAt(gone, 'f-1', NOW), gone);
    const other = { ...state, champion: { version: 'v2', digest: '2'.repeat(64) } };
    assert.equal(lookedAt(other, 'f-1', NOW), other);
  });

  it('whose cause is gone while another version serves does not wait for the one that it was about', () => {
    const state = letWait(stateOf(), wanted, NOW);
    const other = { ...state, champion: { version: 'v2', digest: '2'.repeat(64) } };
    const back = { ...waitNoMore(other, of('data-drift')), champion: v1 };
    assert.equal(at(back), undefined);
    assert.equal(at({ ...other, champion: v1 }), NOW + HOUR);
  });

  it('is one of fifty at most', () => {
    let state = stateOf();
    for (let i = 0; i < 90; i += 1) state = letWait(state, { ...wanted, cause: `c-${i}` }, NOW);
    assert.equal(waitingFindings(state).length, 50);
  });

  it('goes on waiting in a state of before, where there was one at most', () => {
    const held = { ...wanted, champion: v1.digest, looks: 2, at: new Date(NOW + HOUR).toISOString() };
    const { waiting: _, ...older } = retrainingOf(stateOf());
    const state = stateOf({}, { retraining: { ...older, wanted: held } });
    assert.equal(at(state), NOW + HOUR);
    assert.equal(at(waitNoMore(state, of('data-drift'))), undefined);
    const beside = letWait(state, { ...wanted, finding: 'f-2', cause: 'slow' }, NOW);
    assert.deepEqual(ids(beside), ['f-1', 'f-2']);
    assert.equal(at(end(ask(state, 'hand/1', NOW, 1_000, 'hand').state, 1, NOW)), undefined);
  });

  it('is not kept where the manifest wants none of findings, or nothing serves', () => {
    const triggers = { finding: false, schedule: null, newLabels: null, maxAgeSeconds: null };
    for (const state of [
      stateOf({ triggers }),
      stateOf({}, { champion: null }),
      stateOf({}, { retired: true }),
    ])
      assert.equal(letWait(state, wanted, NOW), state);
  });
});

describe('what a model says of its retrainings', () => {
  const none = { finding: true, schedule: null, newLabels: null, maxAgeSeconds: null };

  it('is what the clock asks for next, in its order', () => {
    const schedule = { cron: '0 3 * * *', timeZone: 'UTC' };
    const triggers = { finding: true, schedule, newLabels: 500, maxAgeSeconds: 2 * 24 * 3600 };
    const known = retrainingOf(stateOf());
    const state = stateOf(
      { triggers },
      {
        retraining: {
          ...known,
          schedule: { key: '0 3 * * * UTC', at: '2026-03-01T03:00:00.000Z' },
          labelsAt: '2026-03-01T06:00:00.000Z',
          labelsCounted: 40,
        },
      },
    );
    const wanting = letWait(state, { finding: 'f-1', cause: 'c', by: 'b' }, NOW);
    assert.deepEqual(retrainingView(wanting, NOW)?.next, [
      { by: 'finding', at: '2026-03-01T01:00:00.000Z', finding: 'f-1', others: 0 },
      { by: 'schedule', at: '2026-03-01T03:00:00.000Z' },
      { by: 'labels', at: '2026-03-01T06:00:00.000Z', wanted: 500, counted: 40 },
      { by: 'age', at: '2026-03-03T00:00:00.000Z' },
    ]);
  });

  it('is that a schedule never comes, and nothing of one that has not been read', () => {
    const schedule = { cron: '0 0 30 2 *', timeZone: 'UTC' };
    const state = stateOf({ triggers: { ...none, schedule } });
    assert.deepEqual(retrainingView(state, NOW)?.next, []);
    const read = { ...retrainingOf(state), schedule: { key: '0 0 30 2 * UTC', at: null } };
    assert.deepEqual(retrainingView({ ...state, retraining: read }, NOW)?.next, [
      { by: 'schedule', at: null },
    ]);
    assert.equal(
      nextClockTrigger({ ...state, retraining: read }, NOW),
      null,
      'and the clock waits for nothing',
    );
  });

  it('is nothing where there is no retraining, and that one runs where one runs', () => {
    const { retraining: _, ...without } = stateOf().manifest;
    assert.equal(retrainingView(initialModelState({ ...without, retraining: null }), NOW), null);
    const { state } = ask(stateOf({ triggers: { ...none, maxAgeSeconds: 3600 } }), 'f-1', NOW);
    const view = retrainingView(state, NOW);
    assert.deepEqual([view?.running?.retraining, view?.next], [1, []]);
  });
});

describe('rows that count', () => {
  const since = (onset: string | null | undefined) => rowsSince(3600, onset, NOW);

  it('are those since the change, as far as is looked back', () => {
    assert.equal(since(null), '2026-02-28T23:00:00.000Z');
    assert.equal(since('2026-02-28T23:30:00.000Z'), '2026-02-28T23:30:00.000Z');
    assert.equal(since('2026-02-28T22:30:00.000Z'), since(null));
    for (const none of [undefined, '', 'soon']) assert.equal(since(none), since(null));
  });

  it('are named when there are too few of them', () => {
    const onset = '2026-02-28T23:30:00.000Z';
    const request = {
      trigger: 'finding',
      evidence: 'f-1',
      by: 'm',
      finding: 'f-1',
      at: NOW,
      labels: 207,
    } as const;
    const { decision } = requestRetraining(stateOf({ minLabels: 208 }), { ...request, onset });
    const reason = `too few fresh labels: 207, and 208 are needed of rows since the change of ${onset}`;
    assert.deepEqual(decision, { kind: 'held-back', reason, isNews: true });
    const { state } = requestRetraining(stateOf({ minLabels: 207 }), { ...request, onset });
    assert.equal(retrainingOf(state).running?.onset, onset);
  });

  it('are enough to compare on, however few the manifest wants', () => {
    const request = { trigger: 'finding', evidence: 'f-1', by: 'm', finding: 'f-1', at: NOW } as const;
    const kindOf = (labels: number, onset: string | null) =>
      requestRetraining(stateOf({ minLabels: 0 }), { ...request, labels, onset }).decision.kind;
    const onset = '2026-02-28T23:30:00.000Z';
    assert.deepEqual([kindOf(199, onset), kindOf(200, onset)], ['held-back', 'start']);
    assert.equal(kindOf(0, null), 'start');
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
