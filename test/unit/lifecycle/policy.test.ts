import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { FindingNotice, MonitorAction, MonitoringSettings } from '../../../src/contracts/monitoring.js';
import { FINDING_KINDS, MONITOR_ACTIONS } from '../../../src/contracts/monitoring.js';
import type { VersionRef } from '../../../src/contracts/model.js';
import {
  holdBack,
  incidentsOf,
  promotionHold,
  raise,
  rememberDecided,
} from '../../../src/lifecycle/model-incidents.js';
import { initialModelState, type ModelState, queueRelease } from '../../../src/lifecycle/model-state.js';
import { decidePolicy, policyBasis, type PolicyBasis } from '../../../src/lifecycle/policy.js';
import { changeChampion, goBack } from '../../../src/lifecycle/champions.js';
import { findingNotice, manifest, monitoring } from '../../support/manifests.js';
import { refNumber } from '../../support/recorded-life.js';
import { scale } from '../../support/scale.js';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const HOUR = 3600_000;
const [V1, V2] = [refNumber(1), refNumber(2)];
const all = (actions: readonly MonitorAction[]): MonitoringSettings['policy'] => ({
  drift: actions,
  performance: actions,
  quality: actions,
  traffic: actions,
  availability: actions,
});

const basis = (overrides: Partial<PolicyBasis> = {}): PolicyBasis => ({
  settings: monitoring({ policy: all(MONITOR_ACTIONS) }),
  champion: V2,
  promotedAt: NOW - HOUR,
  rollBack: { to: V1 },
  fallback: { refusal: 'the manifest names no fallbackVersion' },
  busy: null,
  decided: new Set(),
  forgottenTo: null,
  ...overrides,
});

const began = (id: string, hours: number, fields: Partial<FindingNotice> = {}): FindingNotice =>
  findingNotice(id, NOW, { onset: new Date(NOW - hours * HOUR).toISOString(), version: V2, ...fields });

describe('policy of findings', () => {
  it('a change soon after the promotion asks for a rollback, any other for training', () => {
    const soon = decidePolicy(basis(), [began('f', 0.5)]);
    assert.deepEqual([soon.change?.action, soon.change?.to, soon.retrain], ['roll-back', V1, []]);
    assert.match(soon.change?.reason ?? '', /^the change began at .*, soon after the promotion of v2 at /);
    for (const hours of [5, -30]) {
      const other = decidePolicy(basis(), [began('f', hours)]);
      assert.deepEqual([other.change, other.retrain[0]?.finding.id], [null, 'f']);
      assert.match(other.retrain[0]?.reason ?? '', /not soon after the promotion/);
    }
    // An onset is as exact as a window: the one that holds the promotion began before it.
    assert.equal(decidePolicy(basis(), [began('f', 1.1)]).change?.action, 'roll-back');
    // Without an onset the detection stands for it.
    const unknown = decidePolicy(basis(), [began('f', 5, { onset: null })]);
    assert.match(unknown.change?.reason ?? '', /^the change was detected at/);
  });

  it('says why it does not go back: not warm, another version, under way, gone back to before', () => {
    const reasons = (over: Partial<PolicyBasis>, finding = began('f', 0.5)): readonly string[] =>
      decidePolicy(basis({ settings: monitoring({ policy: all(['roll-back']) }), ...over }), [
        finding,
      ]).heldBack.map(({ reason }) => reason);
    assert.deepEqual(reasons({ rollBack: { refusal: 'v1 is not kept loaded' } }), ['v1 is not kept loaded']);
    assert.deepEqual(reasons({ busy: 'going back is under way' }), ['going back is under way']);
    assert.deepEqual(reasons({}, began('f', 0.5, { version: V1 })), ['it is about v1; v2 serves now']);
    assert.deepEqual(reasons({ champion: null }), ['no version serves']);
    const forgotten = { forgottenTo: new Date(NOW).toISOString() };
    assert.match(reasons(forgotten)[0] ?? '', /older than the findings that are remembered/);
    // Not asked for at this time: no news.
    assert.deepEqual(reasons({}, began('f', 5)), []);
  });

  it('each kind goes by the policy of its group; a silent monitor is told of whatever the policy', () => {
    const only = (group: keyof MonitoringSettings['policy']): PolicyBasis =>
      basis({ settings: monitoring({ policy: { ...all([]), [group]: ['notify', 'hold'] } }) });
    const told = (group: keyof MonitoringSettings['policy']): readonly string[] =>
      FINDING_KINDS.filter(
        (kind) => decidePolicy(only(group), [began('f', 5, { kind })]).incidents[0]?.holds === true,
      );
    assert.deepEqual(told('drift'), ['data-drift', 'prediction-drift', 'skew']);
    assert.deepEqual(told('performance'), ['estimated-performance', 'measured-performance']);
    assert.deepEqual(told('quality'), ['data-quality']);
    assert.deepEqual(told('traffic'), ['traffic', 'latency']);
    assert.deepEqual(told('availability'), ['availability']);
    const silent = decidePolicy(basis({ settings: monitoring() }), [
      began('f', 5, { kind: 'monitor-silent' }),
    ]);
    assert.equal(silent.incidents.length, 1);
    assert.deepEqual(decidePolicy(basis({ settings: monitoring() }), [began('f', 5)]).incidents, []);
  });

  it('of several that ask for training the one asks whose change began first, and the others are known', () => {
    const settings = monitoring({ policy: { ...all([]), drift: ['retrain'], performance: ['retrain'] } });
    const { retrain, heldBack, change } = decidePolicy(basis({ settings }), [
      began('d', 50, { kind: 'data-drift' }),
      began('n', 0, { kind: 'skew', onset: null, detectedAt: new Date(NOW + 50 * HOUR).toISOString() }),
      began('m', 90, { kind: 'measured-performance' }),
    ]);
    assert.equal(change, null);
    assert.deepEqual(
      retrain.map(({ finding }) => finding.id),
      ['m', 'd', 'n'],
    );
    assert.deepEqual(
      heldBack.map(({ finding, reason }) => [finding.id, reason]),
      [
        ['d', 'finding m asks for the same'],
        ['n', 'finding m asks for the same'],
      ],
    );
  });

  it('going back wins over the fallback version and over training, and it is said why', () => {
    const settings = monitoring({
      policy: { ...all([]), drift: ['retrain'], quality: ['roll-back'], availability: ['fallback'] },
    });
    const decision = decidePolicy(basis({ settings, fallback: { to: refNumber(0) } }), [
      began('d', 90, { kind: 'data-drift' }),
      began('a', 90, { kind: 'availability' }),
      began('q', 0.5),
    ]);
    assert.equal(decision.change?.finding.id, 'q');
    assert.deepEqual(decision.retrain, []);
    assert.deepEqual(
      decision.heldBack.map(({ finding, action, reason }) => [finding.id, action, reason]),
      [
        ['d', 'retrain', 'rolling back wins, which finding q asks for'],
        ['a', 'fallback', 'rolling back wins, which finding q asks for'],
      ],
    );
  });

  it('a promotion is the first time as champion: a version that was gone back to was not promoted then', () => {
    const start: ModelState = {
      ...initialModelState(manifest({ monitoring: monitoring(), rollbackWindowSeconds: 7200 })),
      nextRelease: 3,
    };
    const first = changeChampion(start, V1, 1, NOW - 50 * HOUR);
    const second = changeChampion(first, V2, 2, NOW - HOUR);
    const at = (state: ModelState): PolicyBasis | null => policyBasis(state, NOW);
    assert.equal(at(second)?.promotedAt, NOW - HOUR);
    assert.deepEqual(at(second)?.rollBack, { to: V1 });
    assert.match(JSON.stringify(policyBasis(second, NOW + 2 * HOUR)?.rollBack), /not kept loaded any more/);
    assert.equal(at(goBack(second, V1, NOW))?.promotedAt, null);
    assert.equal(at({ ...second, manifest: manifest() }), null);
  });

  const finding = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    hours: fc.constantFrom(0.2, 0.9, 5, 100),
    kind: fc.constantFrom(...FINDING_KINDS),
    version: fc.constantFrom<VersionRef | null>(V1, V2, null),
    severity: fc.constantFrom('info' as const, 'warning' as const, 'critical' as const),
  });
  const actions = fc.uniqueArray(fc.constantFrom(...MONITOR_ACTIONS));

  it('whatever comes: one change of traffic or one training, never both, and one finding leads to one act at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(finding, { maxLength: 6 }), { maxLength: 6 }),
        fc.record({
          drift: actions,
          performance: actions,
          quality: actions,
          traffic: actions,
          availability: actions,
        }),
        fc.boolean(),
        (reports, policy, hasFallback) => {
          let state: ModelState = initialModelState(manifest({ monitoring: monitoring({ policy }) }));
          const acted: string[] = [];
          for (const report of reports) {
            const { decided, forgottenTo } = incidentsOf(state);
            const from = basis({
              settings: monitoring({ policy }),
              decided: new Set(decided.map(({ id }) => id)),
              forgottenTo,
              ...(hasFallback ? { fallback: { to: refNumber(0) } } : {}),
            });
            const notices = report.map(({ id, hours, ...fields }) => began(id, hours, fields));
            const decision = decidePolicy(from, notices);
            // The same decision from the same evidence, as a replay makes it.
            assert.deepEqual(decidePolicy(from, notices), decision);
            assert.ok(decision.change === null || decision.retrain.length === 0);
            const act = decision.change ?? decision.retrain[0];
            if (act !== undefined) acted.push(act.finding.id);
            // What is not done was asked for, and nothing that is done is held back as well.
            for (const held of decision.heldBack)
              assert.ok(
                held.finding.id !== act?.finding.id || held.action !== (decision.change?.action ?? 'retrain'),
              );
            // Whoever asks for an act is told of, but for a training alone.
            if (decision.change !== null)
              assert.ok(
                decision.incidents.some(({ finding: told }) => told.id === decision.change?.finding.id),
              );
            state = rememberDecided(state, decision.fresh);
          }
          assert.equal(new Set(acted).size, acted.length);
        },
      ),
      { seed: 5, numRuns: scale(300, 20_000) },
    );
  });

  it('remembers a bounded number of findings; older ones lead to no act, whether or not they were decided on', () => {
    let state: ModelState = initialModelState(manifest({ monitoring: monitoring() }));
    for (let n = 0; n < 1_000; n += 1)
      state = rememberDecided(state, [{ id: `f${n}`, detectedAt: new Date(NOW + n * HOUR).toISOString() }]);
    const { decided, forgottenTo } = incidentsOf(state);
    assert.equal(decided.length, 300);
    assert.equal(forgottenTo, new Date(NOW + 699 * HOUR).toISOString());
    const from = basis({ decided: new Set(decided.map(({ id }) => id)), forgottenTo });
    const old = findingNotice('f5', NOW + 5 * HOUR, { version: V2 });
    const decision = decidePolicy(from, [old]);
    assert.deepEqual([decision.change, decision.retrain], [null, []]);
    assert.deepEqual(decidePolicy(from, [{ ...old, id: 'f999' }]).fresh, []);
  });
});

describe('incidents of a model', () => {
  const monitored = initialModelState(manifest({ monitoring: monitoring() }));
  const happening = (cause: string, holds = false) => ({
    origin: 'finding' as const,
    cause,
    severity: 'warning' as const,
    title: cause,
    text: cause,
    findings: [],
    release: null,
    onset: null,
    detectedAt: new Date(NOW).toISOString(),
    holds,
  });
  const raised = (state: ModelState, cause: string, holds = false): ModelState => {
    const result = raise(state, happening(cause, holds), NOW);
    assert.ok(result !== null);
    return result.state;
  };

  it('hold no promotion of what a retraining brought, where the policy asks for that too', () => {
    const holding = (retrains: boolean) => {
      const result = raise(monitored, { ...happening('c', true), retrains }, NOW);
      assert.ok(result !== null);
      const version = { version: 'v2', digest: '2'.repeat(64) };
      const request = { version, submittedBy: 'a', supersede: false, now: NOW };
      const cured = queueRelease(result.state, { ...request, retraining: 1 });
      const byHand = queueRelease(cured.state, request);
      return [null, cured.release, byHand.release].map((of) => promotionHold(byHand.state, NOW, of) !== null);
    };
    assert.deepEqual(holding(true), [true, false, true]);
    assert.deepEqual(holding(false), [true, true, true]);
  });

  it('are one a cause, numbered on, and bounded: what comes beyond fifty causes is one more', () => {
    let state = monitored;
    for (let n = 0; n < 120; n += 1) state = raised(raised(state, `c${n}`), `c${n}`);
    const { open, next, tasks } = incidentsOf(state);
    assert.equal(open.length, 51);
    assert.equal(next, 52);
    assert.equal(open.at(-1)?.cause, 'further');
    // Repeats are left out when the list of what is to be said is full, never a beginning.
    assert.equal(tasks.filter(({ kind }) => kind === 'start').length, 51);
    assert.ok(tasks.length <= 200);
    assert.equal(raise(initialModelState(manifest()), happening('c'), NOW), null);
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
  });

  it('hold promotions while open; a freeze comes first', () => {
    const held = raised(raised(monitored, 'a'), 'b', true);
    assert.equal(promotionHold(monitored, NOW), null);
    assert.deepEqual(promotionHold(held, NOW), { reason: 'incident 2 is open: b', until: null });
    const frozen = { ...held, freeze: { reason: 'holidays', by: 'ada', until: null } };
    assert.equal(promotionHold(frozen, NOW)?.reason, 'holidays');
  });

  it('what was held back is news once a cause and reason, whatever the figures in it', () => {
    const held = (at: string) => ({
      action: 'retrain' as const,
      finding: 'f',
      reason: `cooldown, until ${at}`,
      at,
    });
    const first = holdBack(monitored, held('2026-03-01'), 'drift');
    const second = holdBack(first.state, held('2026-03-02'), 'drift');
    const other = holdBack(second.state, held('2026-03-02'), 'quality');
    assert.deepEqual([first.isNews, second.isNews, other.isNews], [true, false, true]);
    assert.equal(incidentsOf(other.state).heldBack.length, 3);
  });
});
