import { strict as assert } from 'node:assert';
import type { Difference, DoctorReport, ModelParts, ToldDifference } from '../../../src/contracts/doctor.js';
import { differenceKey } from '../../../src/contracts/doctor.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { RoutingTable } from '../../../src/contracts/routes.js';
import type { ModelView } from '../../../src/contracts/views.js';
import { differences, lasting } from '../../../src/lifecycle/doctor/differences.js';
import type { DoctorFacts } from '../../../src/lifecycle/doctor/facts.js';
import { doctorDetails, openOf, tellings, untold } from '../../../src/lifecycle/doctor/rounds.js';
import { modelView } from '../../../src/lifecycle/model-view.js';
import { actOfChange, ActRecord } from '../../../src/lifecycle/recovery/acts.js';
import { ModelRecord } from '../../../src/lifecycle/recovery/record.js';
import { steadyRoute } from '../../../src/lifecycle/routing.js';
import { RecordedLife, refNumber, type Step } from '../../support/recorded-life.js';
import { releaseView } from '../../support/release-views.js';

const PROMOTED: readonly Step[] = [
  { kind: 'submit', version: 1, supersede: false },
  { kind: 'advance', to: 'validated' },
  { kind: 'end', outcome: 'succeeded' },
];

interface Scene {
  readonly facts: DoctorFacts;
  readonly life: RecordedLife;
  readonly table: RoutingTable;
}

/** A life, and what every part says of it when nothing is wrong. */
function scene(...steps: readonly Step[]): Scene {
  const life = new RecordedLife();
  for (const step of steps) life.do(step);
  const { state, events, now } = life;
  const record = new ModelRecord('m');
  const acts = new ActRecord();
  for (const event of events) {
    record.next(event);
    acts.next(event);
  }
  const last = acts.result.acts.at(-1);
  const basis = { manifest: state.manifest, champion: state.champion, warm: state.warm };
  const table: RoutingTable = {
    ...steadyRoute({ ...basis, release: null, slowThresholdMs: null }),
    model: 'm',
    generation: state.generation ?? 0,
    changeId: last?.id ?? 'none',
    changedAt: new Date(now - 60_000).toISOString(),
  };
  const flying = state.inFlight;
  const parts: ModelParts = {
    model: 'm',
    now,
    lifecycle: { state: 'open', view: modelView(state, now) },
    releases:
      flying === null
        ? []
        : [{ release: flying, state: 'open', view: releaseView({ release: flying, model: 'm' }) }],
    table,
    tableHash: 'hash',
    gateways: [
      {
        gateway: 'g1',
        startedAt: '2025-01-01T00:00:00.000Z',
        observed: { generation: table.generation, ready: [], failed: [], trips: [] },
      },
    ],
    bad: null,
    head: state.head,
    registered: [],
    artifacts: [],
  };
  return { facts: { parts, recorded: record.end(state.head), acts: acts.result, versions: [] }, life, table };
}

const withParts = ({ facts }: Scene, changes: Partial<ModelParts>): DoctorFacts => ({
  ...facts,
  parts: { ...facts.parts, ...changes },
});
const withView = (at: Scene, changes: Partial<ModelView>): DoctorFacts => {
  const { lifecycle } = at.facts.parts;
  assert.ok(lifecycle.state === 'open' && lifecycle.view !== null);
  return withParts(at, { lifecycle: { state: 'open', view: { ...lifecycle.view, ...changes } } });
};
const codes = (facts: DoctorFacts): readonly string[] => differences(facts).map(({ code }) => code);
const only = (facts: DoctorFacts): Difference => {
  const [first, ...others] = differences(facts);
  assert.ok(first !== undefined && others.length === 0, JSON.stringify([first, ...others]));
  return first;
};

describe('differences between the parts', () => {
  const steady = scene(...PROMOTED);

  it('are none where all say the same: steady, in flight, retired, and before the first release', () => {
    for (const at of [
      steady,
      scene(
        ...PROMOTED,
        { kind: 'submit', version: 2, supersede: false },
        { kind: 'advance', to: 'deployed' },
      ),
      scene(...PROMOTED, { kind: 'roll-back' }, { kind: 'wait', seconds: 4000 }),
      scene(...PROMOTED, { kind: 'retire' }),
    ])
      assert.deepEqual(codes(at.facts), []);
    const fresh = scene();
    assert.deepEqual(codes(withParts(fresh, { table: null, tableHash: null })), []);
  });

  it('of the lifecycle: missing, closed, silent, behind, with another champion', () => {
    assert.deepEqual(only(withParts(steady, { lifecycle: { state: 'missing' } })).remedy, 'recover');
    assert.match(
      only(withParts(steady, { lifecycle: { state: 'closed', how: 'TERMINATED' } })).found,
      /TERMINATED/,
    );
    assert.deepEqual(codes(withParts(steady, { lifecycle: { state: 'open', view: null } })), [
      'model-silent',
    ]);
    assert.deepEqual(codes(withView(steady, { manifestRevision: 0 })), ['model-behind']);
    assert.deepEqual(codes(withView(steady, { releases: [] })), ['model-behind']);
    const retired = scene(...PROMOTED, { kind: 'retire' });
    assert.deepEqual(codes(withView(retired, { health: 'healthy' })), ['model-behind']);
    const other = only(withView(steady, { champion: refNumber(7) }));
    assert.deepEqual([other.code, other.severity], ['champion-differs', 'critical']);
    assert.match(`${other.expected} ${other.found}`, /v1 .* v7/);
  });

  it('are not what is just being done or told', () => {
    const other = { champion: refNumber(7) };
    for (const work of [
      { acts: ['rolling back to v7'] },
      { unrecorded: { events: 1, oldest: '2026-01-01T00:00:00.000Z' } },
      { inFlight: 2 },
    ])
      assert.ok(!codes(withView(steady, { ...other, ...work })).includes('champion-differs'));
  });

  it('of releases: lost, ended without a word, running without anybody who knows', () => {
    const flying = scene(
      ...PROMOTED,
      { kind: 'submit', version: 2, supersede: false },
      { kind: 'advance', to: 'canary' },
    );
    const lost = only(withParts(flying, { releases: [{ release: 2, state: 'closed', how: 'TERMINATED' }] }));
    assert.deepEqual([lost.code, lost.subject, lost.remedy], ['release-lost', 'release 2', 'take-back']);
    const ended = scene(
      ...PROMOTED,
      { kind: 'submit', version: 2, supersede: false },
      { kind: 'end', outcome: 'rolled-back' },
    );
    const closed = { release: 2, state: 'closed' as const, how: 'COMPLETED' };
    const told = only({
      ...withView(ended, { inFlight: 2 }),
      parts: { ...withView(ended, { inFlight: 2 }).parts, releases: [closed] },
    });
    assert.deepEqual([told.code, told.remedy], ['release-unreported', 'tell-end']);
    const running = { release: 99, state: 'open' as const, view: releaseView() };
    const unknown = only(withParts(steady, { releases: [running] }));
    assert.deepEqual([unknown.code, unknown.remedy], ['release-unknown', 'stop-release']);
    // An ended one that still records what is left.
    const closing = { release: 1, state: 'open' as const, view: releaseView({ outcome: 'succeeded' }) };
    assert.deepEqual(codes(withParts(steady, { releases: [closing] })), []);
    const again = { release: 1, state: 'open' as const, view: releaseView({ outcome: null }) };
    assert.deepEqual(codes(withParts(steady, { releases: [again] })), ['release-unknown']);
  });

  it('of incidents: one that the model has and that is gone; worse when it holds promotions back', () => {
    const incidents = [false, true].map((holds, i) => ({
      incident: i + 1,
      cause: `c${i}`,
      origin: 'finding' as const,
      severity: 'warning' as const,
      title: 't',
      release: null,
      openedAt: '2026-01-01T00:00:00.000Z',
      standing: 'open' as const,
      holds,
    }));
    const at = withView(steady, { incidents });
    const found = (state: { state: 'open'; view: null } | { state: 'closed'; how: string }) => ({
      ...at,
      parts: { ...at.parts, incidents: incidents.map(({ incident }) => ({ incident, ...state })) },
    });
    assert.deepEqual(codes(found({ state: 'open', view: null })), []);
    assert.deepEqual(
      differences(found({ state: 'closed', how: 'TERMINATED' })).map((one) => [
        one.code,
        one.subject,
        one.severity,
        one.remedy,
      ]),
      [
        ['incident-lost', 'incident 1', 'warning', 'let-go'],
        ['incident-lost', 'incident 2', 'critical', 'let-go'],
      ],
    );
  });

  it('of the route: missing, set back, by no act on record, without an outcome, with another content', () => {
    const { table } = steady;
    const moved = (change: Partial<RoutingTable>) =>
      withParts(steady, { table: { ...table, ...change }, gateways: [] });
    assert.deepEqual(codes(withParts(steady, { table: null })), ['route-missing']);
    assert.match(only(moved({ generation: table.generation - 1 })).expected, /which is on record/);
    assert.match(only(moved({ changeId: 'by hand', generation: 40 })).found, /generation 40 by by hand/);
    assert.match(only(moved({ generation: table.generation + 1 })).found, /has no outcome on record/);
    const other = { ...refNumber(9), weight: 1 };
    assert.match(only(moved({ candidate: other })).found, /100 % to v9/);
    assert.match(only(moved({ champion: null })).found, /nothing serves/);
    const hashed: DoctorFacts = {
      ...steady.facts,
      acts: {
        ...steady.facts.acts,
        acts: steady.facts.acts.acts.map((act) => ({
          ...act,
          made: act.made.map(({ generation }) => ({ generation, table: 'hash' })),
        })),
      },
    };
    assert.deepEqual(codes(hashed), []);
    assert.deepEqual(codes({ ...hashed, parts: { ...hashed.parts, tableHash: 'another' } }), [
      'route-differs',
    ]);
  });

  it('are not acts that are under way: an intent alone, or a record that is still carried', () => {
    const flying = scene(
      ...PROMOTED,
      { kind: 'submit', version: 2, supersede: false },
      { kind: 'advance', to: 'canary' },
    );
    const next = { ...flying.table, generation: flying.table.generation + 1 };
    const intent = {
      ...flying.facts,
      acts: {
        ...flying.facts.acts,
        acts: [
          ...flying.facts.acts.acts,
          { id: 'release:m:2/promote/1', action: 'release.promoted', made: [] },
        ],
      },
    };
    const promoting = { ...next, changeId: 'release:m:2/promote/1' };
    assert.deepEqual(codes({ ...intent, parts: { ...intent.parts, table: promoting, gateways: [] } }), []);
    const takenBack = { ...next, changeId: 'release:m:2/take-back/1' };
    assert.deepEqual(codes(withParts(flying, { table: takenBack, gateways: [] })), []);
    assert.deepEqual(codes(withParts(flying, { table: { ...next, changeId: 'by hand' }, gateways: [] })), [
      'route-differs',
    ]);
  });

  it('of gateways: only of those that have had their time', () => {
    const [gateway] = steady.facts.parts.gateways;
    assert.ok(gateway);
    const stale = {
      ...gateway,
      observed: {
        generation: 1,
        ready: [],
        failed: [{ digest: 'd'.repeat(64), reason: 'no model' }],
        trips: [],
      },
    };
    const found = only(withParts(steady, { gateways: [stale] }));
    assert.deepEqual([found.code, found.subject, found.remedy], ['gateway-stale', 'g1', null]);
    assert.match(found.found, /generation 1; cannot load dddddddddddd: no model/);
    const now = new Date(steady.facts.parts.now).toISOString();
    assert.deepEqual(codes(withParts(steady, { gateways: [{ ...stale, startedAt: now }] })), []);
    const fresh = { ...steady.table, changedAt: now };
    assert.deepEqual(codes(withParts(steady, { gateways: [stale], table: fresh })), []);
  });

  it('of versions: the registry against the record, and damaged artifacts', () => {
    const versions = [refNumber(1), refNumber(2)];
    const registered = [{ ...refNumber(1), digest: 'f'.repeat(64) }];
    const facts = { ...withParts(steady, { registered }), versions };
    assert.deepEqual(codes(facts), ['registry-differs', 'registry-missing']);
    const artifacts = [{ ...refNumber(1), state: 'corrupt' as const, detail: 'other bytes' }];
    const { code, advice, remedy } = only(withParts(steady, { artifacts }));
    assert.deepEqual([code, remedy], ['artifact-corrupt', null]);
    assert.match(advice, /tenure version register m v1 FILE --digest 0+1/);
  });

  it('are not judged by a record that is broken', () => {
    const bad = { sequence: 3, kind: 'changed', detail: 'its text hashes to another' };
    const facts = { ...withView(steady, { champion: refNumber(7) }) };
    const found = only({ ...facts, parts: { ...facts.parts, bad, table: null } });
    assert.deepEqual([found.code, found.remedy], ['ledger-broken', null]);
    assert.match(found.found, /event 3: changed/);
  });

  it('count when they are found twice', () => {
    const one = only(withParts(steady, { table: null }));
    assert.deepEqual(lasting([one], [{ ...one, advice: 'new words' }]), [{ ...one, advice: 'new words' }]);
    assert.deepEqual(lasting([one], [{ ...one, found: 'something else' }]), []);
    assert.deepEqual(lasting([], [one]), []);
  });
});

describe('acts on record', () => {
  it('are known by their intents and outcomes, under the change ids that tables carry', () => {
    const acts = new ActRecord();
    const event = (id: string, action: string, evidence: LedgerEvent['evidence']): LedgerEvent => ({
      stream: 'm',
      sequence: 1,
      previousHash: '',
      id,
      action,
      actor: { kind: 'system', id: 'x' },
      subject: {},
      evidence,
      at: '2026-01-01T00:00:00.000Z',
    });
    acts.next(event('release:m:1/deploy/1/intent', 'release.deployed-requested', {}));
    acts.next(event('release:m:1/deploy/1', 'release.deployed', { generation: 4, table: 'h' }));
    acts.next(event('release:m:1/deploy/1/again/00ff', 'release.deployed', { generation: 6 }));
    acts.next(event('release:m:1/look/1', 'canary.look', { counts: { generation: 9 } }));
    assert.deepEqual(acts.result, {
      generation: 6,
      acts: [
        {
          id: 'release:m:1/deploy/1',
          action: 'release.deployed',
          made: [
            { generation: 4, table: 'h' },
            { generation: 6, table: null },
          ],
        },
      ],
    });
    const ids: [string, string][] = [
      ['release:m:1/drill/1/down/7', 'release:m:1/drill/1'],
      ['release:m:1/drill/1/up/7', 'release:m:1/drill/1'],
      ['release:m:1/take-back/1', 'release:m:1/end/1'],
      ['model:m/r/model.retired', 'model:m/r/model.retired'],
    ];
    for (const [changeId, act] of ids) assert.equal(actOfChange(changeId), act);
  });
});

describe('rounds of the doctor', () => {
  const difference = (subject: string): Difference => ({
    code: 'release-lost',
    model: 'm',
    subject,
    severity: 'critical',
    expected: 'e',
    found: 'f',
    advice: 'a',
    remedy: null,
  });
  const report = (at: string, subjects: readonly string[], more = 0): DoctorReport => ({
    at,
    models: 1,
    differences: subjects.map(difference),
    more,
    byCode: { 'release-lost': subjects.length + more },
    ledgerLagSeconds: 0,
    parked: 0,
    gateways: { serving: 1, silent: [] },
  });
  const keys = (all: readonly ToldDifference[]): readonly string[] => all.map(differenceKey);

  it('tell of each difference once, and once that it is over', () => {
    const first = tellings([], report('t1', ['a', 'b']));
    assert.deepEqual(
      [keys(first.fresh), keys(first.resolved)],
      [['m/release-lost/a', 'm/release-lost/b'], []],
    );
    const second = tellings(first.open, report('t2', ['b']));
    assert.deepEqual([keys(second.fresh), keys(second.resolved)], [[], ['m/release-lost/a']]);
    assert.deepEqual(
      second.open.map(({ since }) => since),
      ['t1'],
    );
    const third = tellings(second.open, report('t3', ['a', 'b']));
    assert.deepEqual(
      third.fresh.map(({ subject, since }) => [subject, since]),
      [['a', 't3']],
    );
  });

  it('tell again, under the same key, of what could not be told', () => {
    const first = tellings([], report('t1', ['a', 'b']));
    const left = openOf({ open: untold(first) });
    const second = tellings(left, report('t2', ['a']));
    assert.deepEqual(
      second.fresh.map(({ subject, since, untold: flag }) => [subject, since, flag]),
      [['a', 't1', undefined]],
    );
    assert.deepEqual(keys(second.resolved), ['m/release-lost/b']);
    assert.deepEqual(keys(untold(second)), ['m/release-lost/a', 'm/release-lost/b']);
  });

  it('call nothing over by a list that was cut short, and tell no flood at once', () => {
    const many = Array.from({ length: 30 }, (_, i) => `s${i}`);
    const first = tellings([], report('t1', many));
    assert.equal(first.fresh.length, 20);
    assert.equal(tellings(first.open, report('t2', many)).fresh.length, 10);
    const cut = tellings(first.open, report('t2', ['s0'], 5));
    assert.deepEqual([cut.resolved, cut.open.length], [[], 20]);
  });

  it('take anything that an earlier round may have left', () => {
    for (const odd of [undefined, null, 'x', {}, { open: 'x' }, { open: [null, 1, {}] }])
      assert.deepEqual(openOf(odd), []);
  });

  it('are shown in the Temporal UI', () => {
    assert.match(doctorDetails(report('t', [])), /The parts agree/);
    const text = doctorDetails(report('t', ['a|b', 'c'], 3));
    assert.match(text, /5 difference\(s\)/);
    assert.match(text, /and 3 more/);
    assert.match(text, /tenure doctor --repair/);
  });
});
