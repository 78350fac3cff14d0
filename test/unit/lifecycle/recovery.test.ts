import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import { person, system } from '../../../src/lifecycle/entries.js';
import { lostIncident } from '../../../src/lifecycle/lost-incident.js';
import { abandonRelease } from '../../../src/lifecycle/model-reports.js';
import type { ModelState } from '../../../src/lifecycle/model-state.js';
import { rebuildModel, recoveredEntry, type RecoveredModel } from '../../../src/lifecycle/recovery.js';
import { revalidationDue } from '../../../src/lifecycle/revalidation.js';
import { manifest, retrainingSettings } from '../../support/manifests.js';
import { RecordedLife, refNumber, steps, type Step } from '../../support/recorded-life.js';
import { scale } from '../../support/scale.js';

const REASON = 'its workflow is gone';

const rebuild = (life: RecordedLife, running: readonly number[] = []): RecoveredModel =>
  rebuildModel('m', life.events, { head: life.state.head, now: life.now, reason: REASON, running });

const lived = (...all: readonly Step[]): RecordedLife => {
  const life = new RecordedLife();
  for (const step of all) life.do(step);
  return life;
};

const submit = (version: number): Step => ({ kind: 'submit', version, supersede: false });
const end = (outcome: 'succeeded' | 'rolled-back' | 'aborted'): Step => ({ kind: 'end', outcome });

/** What must be the same whatever was in flight. */
const lasting = (state: ModelState) => ({
  manifest: state.manifest,
  manifestRevision: state.manifestRevision,
  champion: state.champion,
  champions: state.champions,
  warm: state.warm,
  freeze: state.freeze,
  retired: state.retired,
  nextRelease: state.nextRelease,
  generation: state.generation,
  head: state.head,
  changed: state.incidents?.basisChanges,
  due: revalidationDue(state),
  ended: state.releases.filter(({ endedAt, release }) => endedAt !== null && release !== state.inFlight),
});

describe('a lifecycle rebuilt from the ledger', () => {
  it('is the one that was, but for answers, alarms and what was in flight', () => {
    fc.assert(
      fc.property(steps(true), (all) => {
        const life = lived(...all);
        const { state, problems, presumed } = rebuild(life);
        assert.ok(state);
        assert.deepEqual([problems, presumed], [[], []]);
        const open = new Set(
          life.state.releases.filter(({ endedAt }) => endedAt === null).map((one) => one.release),
        );
        const was = lasting(life.state);
        const is = lasting(state);
        assert.deepEqual({ ...is, ended: is.ended.filter(({ release }) => !open.has(release)) }, was);
      }),
      { numRuns: scale(300, 5_000), seed: 11 },
    );
  });

  it('gives no number of an incident twice, and knows what is open by its cause', () => {
    const life = lived(submit(1), end('succeeded'));
    const about = (
      n: number,
      action: string,
      evidence: Readonly<Record<string, string>> = {},
    ): LedgerEvent => ({
      stream: 'm',
      id: `incident:m:${n}/${action}`,
      action: `incident.${action}`,
      actor: { kind: 'system', id: `incident:m:${n}` },
      subject: { incident: n },
      evidence,
      at: new Date(life.now).toISOString(),
      sequence: 100 + n,
      previousHash: '0'.repeat(64),
    });
    const opened = (n: number, cause: string): LedgerEvent =>
      about(n, 'opened', { cause, origin: 'finding', severity: 'warning', title: cause });
    const incidentsAfter = (...of: readonly LedgerEvent[]) => {
      const events = [...life.events, ...of];
      const { state } = rebuildModel('m', events, { head: life.state.head, now: life.now, reason: REASON });
      return {
        open: state?.incidents?.open.map(({ incident, cause, standing }) => [incident, cause, standing]),
        next: state?.incidents?.next,
      };
    };
    const two = [opened(1, 'a'), opened(2, 'b')];
    assert.deepEqual(incidentsAfter(...two, about(1, 'resolved'), about(7, 'opened')), {
      open: [
        [1, 'a', 'resolved'],
        [2, 'b', 'open'],
      ],
      next: 8,
    });
    // Ended by hand, as the model records it; one of them before it had recorded anything itself.
    const lost = (n: number): LedgerEvent => {
      const settings = { escalation: [], reportSeconds: null, clearWindows: 1 };
      const known = {
        incident: n,
        cause: 'b',
        origin: 'finding',
        severity: 'warning',
        title: 'b',
        release: null,
        openedAt: new Date(life.now).toISOString(),
        standing: 'open',
        holds: true,
      } as const;
      const { entry } = lostIncident({ model: 'm', by: 'model:m', settings }, known, life.now);
      return { ...entry, sequence: 200 + n, previousHash: '0'.repeat(64) };
    };
    assert.deepEqual(incidentsAfter(...two, lost(2)), { open: [[1, 'a', 'open']], next: 3 });
    assert.deepEqual(incidentsAfter(...two, lost(3)).next, 4);
  });

  it('waits on for the retraining that a finding asked for, until one starts or its cause is gone', () => {
    const life = lived(submit(1), end('succeeded'));
    const settings = manifest({ name: 'm', retraining: retrainingSettings() });
    const before = life.events.map((event) =>
      event.action === 'manifest.applied'
        ? { ...event, evidence: { ...event.evidence, manifest: settings as never } }
        : event,
    );
    let sequence = 100;
    const event = (
      action: string,
      evidence: LedgerEvent['evidence'],
      subject: LedgerEvent['subject'] = {},
    ): LedgerEvent => ({
      stream: 'm',
      id: `${action}/${(sequence += 1)}`,
      action,
      actor: { kind: 'system', id: 'model:m' },
      subject,
      evidence,
      at: new Date(life.now).toISOString(),
      sequence,
      previousHash: '0'.repeat(64),
    });
    const held = event('retraining.held-back', {
      trigger: 'finding',
      reason: 'cooldown',
      finding: 'f1',
      cause: 'data-drift',
      onset: '2026-01-01T00:00:00.000Z',
    });
    const opened = event(
      'incident.opened',
      { cause: 'data-drift', origin: 'finding', severity: 'warning', title: 'drift' },
      { incident: 1 },
    );
    const rebuilt = (...events: readonly LedgerEvent[]) => {
      const all = [...before, opened, ...events];
      const { state, problems } = rebuildModel('m', all, {
        head: life.state.head,
        now: life.now,
        reason: REASON,
      });
      assert.ok(state);
      assert.deepEqual(problems, []);
      return state.retraining;
    };
    const first = (state: ReturnType<typeof rebuilt>) => state?.waiting?.[0];
    const waiting = rebuilt(held);
    assert.deepEqual(waiting?.waiting?.[0], {
      finding: 'f1',
      cause: 'data-drift',
      onset: '2026-01-01T00:00:00.000Z',
      by: 'model:m',
      looks: 1,
      champion: life.state.champion?.digest,
      at: new Date(life.now + 3_600_000).toISOString(),
    });
    assert.equal(waiting.heldBack?.reason, 'cooldown');
    // Of before the cause was recorded, and what the policy itself held back.
    const { cause: _, ...former } = held.evidence;
    assert.equal(first(rebuilt({ ...held, evidence: former })), undefined);
    const gone = event('incident.resolved', { reason: 'gone for 3 windows' }, { incident: 1 });
    assert.equal(first(rebuilt(held, gone)), undefined);
    const byHand = { ...gone, actor: { kind: 'person', id: 'ann' } } as const;
    assert.equal(first(rebuilt(held, byHand))?.finding, 'f1');
    const started = event(
      'retraining.requested',
      { trigger: 'hand', by: 'otto', finding: null, evidence: 'hand/1' },
      { retraining: 1 },
    );
    assert.deepEqual([first(rebuilt(held, started)), rebuilt(held, started)?.heldBack], [undefined, null]);
  });

  it('takes back what was in flight, and ends what was queued', () => {
    fc.assert(
      fc.property(steps(true), (all) => {
        const life = lived(...all);
        const { inFlight, queue } = life.state;
        const { state, champion, aborted, superseded } = rebuild(life);
        assert.ok(state);
        assert.deepEqual(aborted, inFlight === null ? [] : [inFlight]);
        assert.deepEqual(superseded, queue);
        assert.deepEqual([state.inFlight, state.queue], [null, []]);
        const restores = state.pending.flatMap((act) => (act.kind === 'restore' ? [act.release] : []));
        assert.deepEqual(restores, aborted);
        const after = inFlight === null ? life.state : abandonRelease(life.state, inFlight, REASON, life.now);
        assert.deepEqual(champion, after.champion);
        const done = aborted.reduce(
          (known, number) => abandonRelease(known, number, REASON, life.now),
          state,
        );
        assert.deepEqual(done.champion, after.champion);
        assert.ok(done.releases.every(({ endedAt }) => endedAt !== null));
      }),
      { numRuns: scale(300, 5_000), seed: 12 },
    );
  });

  it('leaves a release in flight whose own workflow runs', () => {
    fc.assert(
      fc.property(steps(false), (all) => {
        const life = lived(...all);
        const { inFlight } = life.state;
        fc.pre(inFlight !== null);
        const { state, kept, aborted } = rebuild(life, [inFlight]);
        assert.deepEqual([state?.inFlight, state?.pending, kept, aborted], [inFlight, [], [inFlight], []]);
        assert.deepEqual(state?.champion, life.state.champion);
      }),
      { numRuns: scale(100, 2_000), seed: 13 },
    );
  });

  it('is the same after it has been made again twice', () => {
    const life = lived(
      submit(1),
      end('succeeded'),
      submit(2),
      { kind: 'advance', to: 'promoted' },
      submit(3),
    );
    const first = rebuild(life);
    const { head } = life.state;
    const entry = recoveredEntry('m', first, {
      head,
      now: life.now,
      reason: REASON,
      actor: { kind: 'person', id: 'olga' },
    });
    const sequence = head.sequence + 1;
    const events: LedgerEvent[] = [...life.events, { ...entry, sequence, previousHash: head.hash }];
    const again = rebuildModel('m', events, {
      head: { sequence, hash: 'a'.repeat(64) },
      now: life.now,
      reason: 'once more',
    });
    assert.deepEqual([first.aborted, first.superseded, first.champion?.version], [[2], [3], 'v1']);
    assert.deepEqual([again.aborted, again.superseded, again.champion?.version], [[2], [], 'v1']);
    assert.equal(again.state?.releases.find(({ release }) => release === 3)?.reason, REASON);
  });

  it('keeps a rollback that was asked for and not done, and drops one that was', () => {
    const life = lived(submit(1), end('succeeded'), submit(2), end('succeeded'), { kind: 'roll-back' });
    assert.deepEqual(rebuild(life).state?.pending, []);
    const undone = life.events.filter(({ action }) => action !== 'model.rolled-back');
    const { state } = rebuildModel('m', undone, { head: life.state.head, now: life.now, reason: REASON });
    assert.deepEqual(state?.champion?.version, 'v2');
    assert.deepEqual(
      state?.pending.map(({ kind, requestId }) => [kind, requestId]),
      [['roll-back', 'r4']],
    );
  });

  it('knows a rollback that the policy asked for by its finding and incident, which no rollback of a person has', () => {
    const life = lived(submit(1), end('succeeded'), submit(2), end('succeeded'), { kind: 'roll-back' });
    const undone = life.events.filter(({ action }) => action !== 'model.rolled-back');
    const pending = (actor: LedgerEvent['actor'], evidence: LedgerEvent['evidence']) => {
      const events = undone.map((event) =>
        event.action === 'model.rollback-requested'
          ? { ...event, id: 'model:m/request/policy/f1', actor, evidence }
          : event,
      );
      const { state } = rebuildModel('m', events, { head: life.state.head, now: life.now, reason: REASON });
      return state?.pending;
    };
    const policy = system('model:m');
    const evidence = { reason: 'worse', action: 'roll-back', finding: 'f1', incident: 4 };
    const asked = {
      kind: 'roll-back',
      to: refNumber(1),
      by: 'model:m',
      reason: 'worse',
      requestId: 'policy/f1',
      at: null,
    };
    assert.deepEqual(pending(policy, evidence), [{ ...asked, finding: 'f1', incident: 4 }]);
    // Where the manifest turned incidents off there is none.
    assert.deepEqual(pending(policy, { ...evidence, incident: null }), [{ ...asked, finding: 'f1' }]);
    assert.deepEqual(pending(person('ann'), evidence), [{ ...asked, by: 'ann' }]);
  });

  it('takes events in whichever order the two writers of a stream wrote them', () => {
    const life = lived(
      submit(1),
      end('succeeded'),
      submit(2),
      { kind: 'advance', to: 'canary' },
      end('rolled-back'),
      submit(3),
      end('succeeded'),
    );
    const place = (action: string, nth: number): number =>
      life.events.flatMap(({ action: found }, index) => (found === action ? [index] : []))[nth] ?? -1;
    const moved = (from: number, to: number): LedgerEvent[] => {
      const events = [...life.events];
      events.splice(to, 0, ...events.splice(from, 1));
      return events;
    };
    const options = { head: life.state.head, now: life.now, reason: REASON };
    const expected = rebuild(life);
    const late: [string, LedgerEvent[]][] = [
      [
        'submitted after its first acts',
        moved(place('release.submitted', 1), place('release.rolled-back', 0)),
      ],
      [
        'its end after the start of the next',
        moved(place('release.rolled-back', 0), place('release.succeeded', 1)),
      ],
      ['the manifest last', moved(0, life.events.length - 1)],
    ];
    for (const [what, events] of late) {
      const { state, champion, problems } = rebuildModel('m', events, options);
      assert.deepEqual(problems, [], what);
      assert.deepEqual(champion, expected.champion, what);
      assert.deepEqual(
        state?.releases.map(({ release, stage }) => [release, stage]),
        expected.state?.releases.map(({ release, stage }) => [release, stage]),
        what,
      );
    }
  });

  it('counts a release without an end as taken back once a later one has started', () => {
    const life = lived(
      submit(1),
      end('succeeded'),
      submit(2),
      { kind: 'advance', to: 'promoted' },
      end('rolled-back'),
      submit(3),
      { kind: 'advance', to: 'validated' },
    );
    const events = life.events.filter(({ action }) => action !== 'release.rolled-back');
    const { champion, presumed, aborted } = rebuildModel('m', events, {
      head: life.state.head,
      now: life.now,
      reason: REASON,
    });
    assert.deepEqual([champion?.version, presumed, aborted], ['v1', [2], [3]]);
  });

  it('has no state without a manifest, and says so', () => {
    const life = lived(submit(1));
    const events = life.events.filter(({ action }) => action !== 'manifest.applied');
    const { state, champion, problems } = rebuildModel('m', events, {
      head: life.state.head,
      now: 0,
      reason: REASON,
    });
    assert.deepEqual([state, champion, problems], [null, null, ['no manifest is on record']]);
  });

  it('never throws on odd streams, and says what is odd', () => {
    const json = fc.jsonValue({ maxDepth: 2 });
    const actions = fc.constantFrom(
      'manifest.applied',
      'release.submitted',
      'release.validated',
      'release.promoted',
      'release.succeeded',
      'release.aborted',
      'model.rolled-back',
      'model.rollback-requested',
      'model.retired',
      'model.frozen',
      'model.recovered',
      'model.rollback-window-ended',
      'something.else',
    );
    const odd = fc.record({
      action: actions,
      at: fc.oneof(fc.constant('2026-01-01T00:00:00.000Z'), fc.string()),
      subject: fc.oneof(
        fc.record({ release: fc.oneof(fc.nat(5), json), version: json, digest: json }),
        fc.constant({ release: 1, version: 'v1', digest: 'd' }),
        json,
      ),
      evidence: json,
    });
    fc.assert(
      fc.property(steps(true), fc.array(odd, { maxLength: 20 }), fc.nat(), (all, strange, seed) => {
        const life = lived(...all);
        const events = [...life.events] as unknown[];
        for (const [index, event] of strange.entries())
          events.splice((seed * (index + 7)) % (events.length + 1), 0, {
            stream: 'm',
            sequence: 0,
            previousHash: '',
            id: `odd-${index}`,
            actor: { kind: 'person', id: 'eve' },
            ...event,
          });
        const rebuilt = rebuildModel('m', events as LedgerEvent[], {
          head: life.state.head,
          now: life.now,
          reason: REASON,
        });
        assert.ok(rebuilt.state);
        assert.ok(rebuilt.problems.length <= 50);
        assert.equal(
          new Set(rebuilt.state.releases.map(({ release }) => release)).size,
          rebuilt.state.releases.length,
        );
      }),
      { numRuns: scale(300, 5_000), seed: 14 },
    );
  });
});
