import assert from 'node:assert/strict';
import { CancelledFailure, ApplicationFailure } from '@temporalio/common';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { createLedgerActivities } from '../../../src/activities/ledger.js';
import { createTrafficActivities } from '../../../src/activities/traffic.js';
import type { TrafficChange } from '../../../src/contracts/activities.js';
import type { LedgerEntry } from '../../../src/contracts/ledger.js';
import type { DesiredRoute } from '../../../src/contracts/routes.js';
import {
  type LedgerReader,
  type LedgerWriter,
  MongoLedger,
  verifyLedger,
} from '../../../src/ledger/index.js';
import { setHook } from '../../../src/fail-points/reach.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { openTestDatabase } from '../../support/database.js';
import { FakeGateway } from '../../support/fake-gateway.js';
import { desired as plainRoute, until } from '../../support/gateway.js';

const MODEL = 'employment';
const V1 = { version: 'v1', digest: '1'.repeat(64) };
const V2 = { version: 'v2', digest: '2'.repeat(64) };
/** Loaded by gateways, and no longer in the store. */
const LOST = { version: 'v3', digest: '3'.repeat(64) };

const route = (changes: Partial<DesiredRoute> = {}): DesiredRoute =>
  plainRoute({ champion: V1, leaseSeconds: 0.4, ...changes });

const entry = (id: string, action = 'release.promoted'): LedgerEntry => ({
  stream: MODEL,
  id,
  action,
  actor: { kind: 'system', id: 'release:employment:1' },
  subject: { release: 1, version: 'v1' },
  evidence: { why: 'a test' },
  at: '2026-01-31T12:00:00.000Z',
});

const change = (id: string, changes: Partial<TrafficChange> = {}): TrafficChange => ({
  model: MODEL,
  changeId: id,
  desired: route(),
  expectedGeneration: 0,
  before: [entry(`${id}/intent`, 'release.promoted-requested')],
  after: entry(id),
  safety: false,
  ...changes,
});

const failsWith = (type: string, nonRetryable: boolean, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApplicationFailure, String(error));
  assert.deepEqual([error.type, error.nonRetryable], [type, nonRetryable]);
  assert.match(error.message, words);
  return true;
};

/** A ledger that nobody can reach: writes hang, as they do behind a dead network. */
class FakeSilentLedger implements LedgerWriter, LedgerReader {
  append(): Promise<never> {
    return new Promise(() => {});
  }
  appendUnless(): Promise<never> {
    return new Promise(() => {});
  }
  find(): Promise<never> {
    return Promise.reject(new Error('connection refused'));
  }
  findAny(): Promise<never> {
    return Promise.reject(new Error('connection refused'));
  }
  head(): Promise<never> {
    return Promise.reject(new Error('connection refused'));
  }
}

describe('traffic activities', () => {
  const artifacts = { has: async (digest: string) => digest !== LOST.digest };
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let routes: MongoRoutingStore;
  let ledger: MongoLedger;
  let env: MockActivityEnvironment;
  let gateways: FakeGateway[];

  before(async () => {
    database = await openTestDatabase();
    routes = new MongoRoutingStore(database.db);
  });
  after(() => database.drop());
  beforeEach(() => {
    env = activityEnvironment();
    gateways = [];
    // It knows the heads that it has written, and each test begins with an empty ledger.
    ledger = new MongoLedger(database.collections.ledger);
  });
  afterEach(async () => {
    setHook(null);
    await Promise.all(gateways.map((gateway) => gateway.vanish()));
    const { ledger: events, routes: tables, gateways: records } = database.collections;
    await Promise.all([events.deleteMany({}), tables.deleteMany({}), records.deleteMany({})]);
  });

  const gateway = async (name: string): Promise<FakeGateway> => {
    const started = await new FakeGateway(routes, name).start();
    gateways.push(started);
    return started;
  };
  /** On a slow disk, too, the ledger is waited for, unless a test is about one that does not answer. */
  const activities = (
    through: LedgerWriter & LedgerReader = ledger,
    { confirmSeconds = 10, safetyLedgerMs = 9_000 } = {},
  ) =>
    createTrafficActivities({
      ledger: through,
      routes,
      artifacts,
      settings: { pollMs: 20, clockMarginSeconds: 0.2, confirmSeconds, safetyLedgerMs },
    });
  const run = (given: TrafficChange, made = activities()) => inActivity(env, () => made.changeTraffic(given));
  const written = (generation: number): Promise<unknown> =>
    until(`generation ${generation}`, async () => (await routes.read(MODEL))?.generation === generation);
  const recorded = async (): Promise<string[]> => {
    const found = await database.collections.ledger.find({}, { sort: { sequence: 1 } }).toArray();
    assert.equal((await verifyLedger(database.collections.ledger)).ok, true);
    return found.map(({ id }) => id);
  };

  it('records the intent, changes the table, sees it on every gateway, and records the outcome', async () => {
    await gateway('a');
    await gateway('b');
    const heartbeats: unknown[] = [];
    env.on('heartbeat', (details) => heartbeats.push(details));
    const done = await run(change('promote'));
    assert.deepEqual([done.generation, done.confirmed, done.unreachable], [1, ['a', 'b'], []]);
    assert.ok(done.seconds >= 0 && done.seconds < 10);
    assert.deepEqual(done.unrecorded, []);
    assert.deepEqual(done.head, await ledger.head(MODEL));
    assert.deepEqual(await recorded(), ['promote/intent', 'promote']);
    const { generation, confirmed, unreachable, seconds } = done;
    const outcome = await ledger.find(MODEL, 'promote');
    const { table, ...evidence } = outcome?.evidence ?? {};
    assert.deepEqual(evidence, { why: 'a test', generation, confirmed, unreachable, seconds });
    assert.match(String(table), /^[0-9a-f]{64}$/);
    assert.ok(heartbeats.length > 0);
    assert.equal((await routes.read(MODEL))?.changeId, 'promote');
  });

  it('refuses a stale generation and leaves the table as it is', async () => {
    await gateway('a');
    await run(change('first'));
    const stale = run(change('late', { desired: route({ champion: V2 }), expectedGeneration: 0 }));
    await assert.rejects(stale, failsWith('StaleGeneration', true, /generation 1, not 0/));
    assert.deepEqual((await routes.read(MODEL))?.champion, V1);
    assert.deepEqual(await recorded(), ['first/intent', 'first', 'late/intent']);
  });

  it('counts a gateway out that is silent for longer than its lease, and names it', async () => {
    await gateway('a');
    await new FakeGateway(routes, 'dead').report();
    const done = await run(change('promote'));
    assert.deepEqual([done.confirmed, done.unreachable], [['a'], ['dead']]);
    assert.ok(done.seconds >= 0.5, `counted out after ${done.seconds} s, before lease and margin were over`);
    assert.deepEqual((await ledger.find(MODEL, 'promote'))?.evidence['unreachable'], ['dead']);
  });

  it('does not wait for gateways that said goodbye or were retired', async () => {
    await gateway('a');
    await new FakeGateway(routes, 'gone').report('stopped');
    await new FakeGateway(routes, 'old').report();
    assert.equal(await routes.retireGateway('old'), true);
    assert.equal(await routes.retireGateway('unknown'), false);
    const done = await run(change('promote'));
    assert.deepEqual([done.confirmed, done.unreachable], [['a'], []]);
  });

  it('keeps waiting for a live gateway that is behind, then says which one; a repeat goes on waiting', async () => {
    await gateway('a');
    const slow = await gateway('slow');
    slow.stuckAt = 0;
    const late = run(change('promote'), activities(ledger, { confirmSeconds: 0.3 }));
    await assert.rejects(late, failsWith('NotConfirmed', false, /waiting for gateway\(s\) slow/));
    slow.stuckAt = null;
    const done = await run(change('promote'));
    assert.deepEqual([done.generation, done.confirmed], [1, ['a', 'slow']]);
    assert.deepEqual(await recorded(), ['promote/intent', 'promote']);
  });

  it('fails for good when a gateway cannot load a routed version', async () => {
    await gateway('a');
    (await gateway('b')).broken = [V2.digest];
    const desired = route({ candidate: { ...V2, weight: 0.1 }, phase: 'canary' });
    await assert.rejects(
      run(change('step', { desired })),
      failsWith('ArtifactInvalid', true, /Gateway b cannot load artifact 2222.*not a model/),
    );
    const warm = change('deploy', { desired: route({ warm: [V2] }), expectedGeneration: 1 });
    await assert.rejects(run(warm), failsWith('ArtifactInvalid', true, /cannot load/));
    const back = change('back', { desired: route({ warm: [V2] }), expectedGeneration: 'any', safety: true });
    assert.equal((await run(back)).generation, 3);
  });

  it('gives a version whose artifact is lost no more traffic, unless that is the way back', async () => {
    await gateway('a');
    const step = change('step', { desired: route({ candidate: { ...LOST, weight: 0.1 } }) });
    await assert.rejects(
      run(step),
      failsWith('ArtifactInvalid', true, /artifact of v3 .* is not in the store/),
    );
    assert.equal(await routes.read(MODEL), null);
    const back = change('back', {
      desired: route({ champion: LOST }),
      expectedGeneration: 'any',
      safety: true,
    });
    assert.equal((await run(back)).generation, 1);
  });

  it('does nothing of a release that has ended by its record, and gives what is recorded for an answer', async () => {
    await gateway('a');
    const act = (step: string, action: string, changes: Partial<TrafficChange> = {}) =>
      change(`release:${MODEL}:1/${step}/1`, {
        before: [],
        after: entry(`release:${MODEL}:1/${step}/1`, action),
        ...changes,
      });
    const promoted = await run(act('promote', 'release.promoted'));
    const settled = await run(act('settle', 'release.succeeded', { expectedGeneration: 1 }));
    const table = await routes.read(MODEL);
    // As a workflow that was reset asks.
    assert.deepEqual(await run(act('promote', 'release.promoted')), promoted);
    assert.equal(
      (await run(act('settle', 'release.succeeded', { expectedGeneration: 1 }))).generation,
      settled.generation,
    );
    const back = act('end', 'release.aborted', { expectedGeneration: 'any', safety: true });
    await assert.rejects(
      run(back),
      failsWith('ReleaseOver', true, /Release 1 of employment is over by its record: it ended succeeded/),
    );
    await assert.rejects(
      run(act('canary/2', 'canary.step-applied', { expectedGeneration: 2 })),
      failsWith('ReleaseOver', true, /ended succeeded/),
    );
    assert.deepEqual(await routes.read(MODEL), table);
    assert.deepEqual(await recorded(), [`release:${MODEL}:1/promote/1`, `release:${MODEL}:1/settle/1`]);
  });

  describe('give a release one end, when it is aborted', () => {
    const act = (step: string, action: string, changes: Partial<TrafficChange> = {}) => {
      const id = `release:${MODEL}:1/${step}/1`;
      const before = [entry(`${id}/intent`, `${action}-requested`)];
      return change(id, { before, after: entry(id, action), ...changes });
    };
    const settle = act('settle', 'release.succeeded', { desired: route({ champion: V2 }) });
    const back = act('end', 'release.aborted', { expectedGeneration: 'any', safety: true });
    const ids = (...steps: readonly string[]) => steps.map((step) => `release:${MODEL}:1/${step}`);

    /** Stops the next that comes to the nth point of this name, and lets others pass. */
    const stopAt = (name: string, nth: number) => {
      let wake = (): void => undefined;
      let seen = 0;
      const stopped = new Promise<void>((resolve) => {
        setHook((point) => {
          if (point !== name || (seen += 1) !== nth) return Promise.resolve();
          resolve();
          setHook(null);
          return new Promise<void>((go) => (wake = go));
        });
      });
      return { stopped, wake: () => wake() };
    };

    it('while its success is being recorded: that is not written any more', async () => {
      await gateway('a');
      const { stopped, wake } = stopAt('ledger.insert.before', 2);
      const settling = run(settle);
      await stopped;
      assert.equal((await run(back, activities())).generation, 2);
      wake();
      await assert.rejects(
        settling,
        failsWith('ReleaseOver', true, /is over by its record: it ended aborted/),
      );
      assert.deepEqual((await routes.read(MODEL))?.champion, V1);
      assert.deepEqual(await recorded(), ids('settle/1/intent', 'end/1/intent', 'end/1'));
    });

    it('and its success is recorded between the first step of taking it back and the second: then it stands', async () => {
      await gateway('a');
      const { stopped, wake } = stopAt('ledger.insert.before', 1);
      const aborting = run(back, activities());
      await stopped;
      await run(settle);
      const table = await routes.read(MODEL);
      wake();
      await assert.rejects(aborting, failsWith('ReleaseOver', true, /it ended succeeded/));
      assert.deepEqual(await routes.read(MODEL), table);
      assert.deepEqual(await recorded(), ids('settle/1/intent', 'settle/1', 'end/1/intent'));
    });

    it('and is to be taken back, by its record, though nobody has done it yet: success is not written', async () => {
      await gateway('a');
      const { stopped, wake } = stopAt('ledger.insert.before', 2);
      const settling = run(settle);
      await stopped;
      await ledger.append(back.before);
      wake();
      await assert.rejects(
        settling,
        failsWith('StaleGeneration', true, /release.succeeded was overtaken by what was decided later/),
      );
      await run(back, activities());
      assert.deepEqual(await recorded(), ids('settle/1/intent', 'end/1/intent', 'end/1'));
    });
  });

  it('does not take silence for agreement when no gateway is live, unless nothing is sent anywhere', async () => {
    await assert.rejects(
      run(change('promote'), activities(ledger, { confirmSeconds: 0.1 })),
      failsWith('NotConfirmed', false, /no gateway is live: start one/),
    );
    const desired = route({ champion: null, unavailableReason: 'retired' });
    const done = await run(change('retire', { desired, expectedGeneration: 1 }));
    assert.deepEqual([done.generation, done.confirmed], [2, []]);
  });

  it('finds its own work done after a crash between the act and its record', async () => {
    await gateway('a');
    const given = change('promote');
    await ledger.append(given.before);
    await routes.compareAndSet(given);
    const done = await run(given);
    assert.equal(done.generation, 1);
    assert.deepEqual(await recorded(), ['promote/intent', 'promote']);
  });

  it('gives the same answer after a crash between the record and its own end', async () => {
    const a = await gateway('a');
    const first = await run(change('promote'));
    await a.vanish();
    await gateway('b');
    assert.deepEqual(await run(change('promote')), first);
    assert.deepEqual(await recorded(), ['promote/intent', 'promote']);
  });

  it('does nothing when an attempt that was thought dead wakes after others have decided anew', async () => {
    await gateway('a');
    const back = change('back', { expectedGeneration: 'any', safety: true });
    // Stopped right before it writes: its replacement does the same act, and then somebody promotes v2.
    let wake = (): void => undefined;
    const stopped = new Promise<void>((resolve) => {
      setHook((point) => {
        if (point !== 'routes.set.before') return Promise.resolve();
        resolve();
        setHook(null);
        return new Promise<void>((go) => (wake = go));
      });
    });
    const sleeper = run(back);
    await stopped;
    const done = await run(back);
    await run(change('promote', { desired: route({ champion: V2 }), expectedGeneration: 1 }));
    wake();
    assert.deepEqual(await sleeper, { ...done, head: done.head });
    const table = await routes.read(MODEL);
    assert.deepEqual([table?.generation, table?.champion], [2, V2]);
    assert.deepEqual(await recorded(), ['back/intent', 'back', 'promote/intent', 'promote']);
  });

  it('refuses an act towards safety that was never done and was decided before what is in force', async () => {
    await gateway('a');
    const old = change('old', { expectedGeneration: 'any', safety: true });
    await ledger.append(old.before);
    await run(change('newer', { desired: route({ champion: V2 }), expectedGeneration: 'any', safety: true }));
    await assert.rejects(run(old), failsWith('StaleGeneration', true, /overtaken by what was decided later/));
    assert.deepEqual((await routes.read(MODEL))?.champion, V2);
    // After a restore of an older ledger its places mean nothing, and safety goes first.
    await database.collections.ledger.deleteMany({ sequence: { $gt: 1 } });
    const restored = new MongoLedger(database.collections.ledger);
    assert.equal((await run(old, activities(restored))).generation, 2);
    assert.deepEqual((await routes.read(MODEL))?.champion, V1);
  });

  it('records one outcome when two attempts of one act come to its end together', async () => {
    await gateway('a');
    for (const safety of [false, true]) {
      const given = change(`both-${safety}`, { expectedGeneration: safety ? 'any' : 0, safety });
      let wake = (): void => undefined;
      let inserts = 0;
      const stopped = new Promise<void>((resolve) => {
        setHook((point) => {
          if (point !== 'ledger.insert.before') return Promise.resolve();
          inserts += 1;
          // The intent is the first, the outcome the second.
          if (inserts !== 2) return Promise.resolve();
          resolve();
          setHook(null);
          return new Promise<void>((go) => (wake = go));
        });
      });
      const patient = createTrafficActivities({
        ledger,
        routes,
        artifacts,
        settings: { pollMs: 20, safetyLedgerMs: 9_000 },
      });
      const sleeper = run(given, patient);
      await stopped;
      await run(given);
      wake();
      const { unrecorded, head } = await sleeper;
      assert.deepEqual([unrecorded, head], [[], await ledger.head(MODEL)]);
      assert.deepEqual((await recorded()).slice(-2), [`both-${safety}/intent`, `both-${safety}`]);
    }
  });

  it('does not count out who lives when the clock of the store is set forward', async () => {
    const a = await gateway('a');
    const b = await gateway('b');
    b.stuckAt = 0;
    /** The real store, with a clock that is an hour ahead of its records. */
    class FakeClockStore extends MongoRoutingStore {
      override async gateways() {
        const seen = await super.gateways();
        return { ...seen, now: seen.now + 3_600_000 };
      }
    }
    const set = createTrafficActivities({
      ledger,
      artifacts,
      routes: new FakeClockStore(database.db),
      settings: { pollMs: 20, clockMarginSeconds: 0.2, confirmSeconds: 1.2 },
    });
    await assert.rejects(
      run(change('promote'), set),
      failsWith('NotConfirmed', false, /waiting for gateway\(s\) b/),
    );
    b.stuckAt = null;
    assert.deepEqual((await run(change('promote'), set)).confirmed, ['a', 'b']);
    assert.deepEqual(a.phases, ['steady']);
  });

  it('gives up when somebody else changes the table meanwhile; an act towards safety tries again', async () => {
    (await gateway('a')).stuckAt = 0;
    const refused = assert.rejects(
      run(change('promote')),
      failsWith('StaleGeneration', true, /overtaken by generation 2/),
    );
    await written(1);
    await routes.compareAndSet(change('other', { expectedGeneration: 'any' }));
    await refused;
    const back = assert.rejects(
      run(change('back', { expectedGeneration: 'any', safety: true })),
      failsWith('NotConfirmed', false, /overtaken by generation 4/),
    );
    await written(3);
    await routes.compareAndSet(change('another', { expectedGeneration: 3 }));
    await back;
  });

  it('acts towards safety without the ledger, and hands back what has to be recorded', async () => {
    await gateway('a');
    await run(change('promote'));
    const back = change('back', { expectedGeneration: 'any', safety: true });
    const done = await run(back, activities(new FakeSilentLedger(), { safetyLedgerMs: 100 }));
    assert.deepEqual([done.generation, done.head], [2, null]);
    assert.deepEqual(
      done.unrecorded.map(({ id }) => id),
      ['back/intent', 'back'],
    );
    assert.equal(done.unrecorded[1]?.evidence['generation'], 2);
    // The workflow was told nothing, because the worker died: the act is repeated, and what both attempts want recorded can be.
    const again = await run(back, activities(new FakeSilentLedger(), { safetyLedgerMs: 100 }));
    assert.equal(again.generation, 2);
    const record = createLedgerActivities({ ledger });
    await inActivity(env, () => record.recordEvents({ entries: done.unrecorded }));
    const head = await inActivity(env, () => record.recordEvents({ entries: again.unrecorded }));
    assert.equal(head.sequence, (await recorded()).length);
  });

  it('does not act at all without the ledger when there is no hurry', async () => {
    await gateway('a');
    const broken = new FakeSilentLedger();
    broken.append = () => Promise.reject(new Error('connection refused'));
    await assert.rejects(run(change('promote'), activities(broken)), /connection refused/);
    assert.equal(await routes.read(MODEL), null);
  });

  it('obeys cancellation while it waits', async () => {
    (await gateway('a')).stuckAt = 0;
    const cancelled = assert.rejects(run(change('promote')), CancelledFailure);
    await written(1);
    env.cancel();
    await cancelled;
  });

  it('refuses a change that makes no sense before anything is written', async () => {
    const bad = change('bad', { desired: route({ candidate: { ...V2, weight: 1.5 } }) });
    await assert.rejects(
      run(bad),
      failsWith('InvalidInput', true, /candidate.weight is 1.5, but must be from 0 to 1/),
    );
    const digest = change('bad', { desired: route({ champion: { version: 'v1', digest: 'latest' } }) });
    await assert.rejects(run(digest), failsWith('InvalidInput', true, /digest is "latest"/));
    assert.deepEqual(await recorded(), []);
  });

  it('rehearses the rollback: to weight 0 and back, timed, in two generations', async () => {
    const a = await gateway('a');
    const desired = route({ phase: 'canary', candidate: { ...V2, weight: 0.05 } });
    const { generation } = await run(change('step', { desired }));
    const drill = change('drill', { desired, expectedGeneration: generation });
    const done = await inActivity(env, () => activities().rehearseRollback(drill));
    assert.deepEqual([done.generation, done.confirmed, done.unreachable], [3, ['a'], []]);
    assert.ok(done.rollbackSeconds >= 0 && done.rollbackSeconds < 10);
    assert.deepEqual(a.phases, ['canary', 'drill', 'canary']);
    assert.deepEqual((await routes.read(MODEL))?.candidate, desired.candidate);
    const { head, unrecorded, ...figures } = done;
    assert.deepEqual((await ledger.find(MODEL, 'drill'))?.evidence, { why: 'a test', ...figures });
    assert.deepEqual(await inActivity(env, () => activities().rehearseRollback(drill)), {
      ...figures,
      head,
      unrecorded,
    });
    assert.deepEqual(await recorded(), ['step/intent', 'step', 'drill/intent', 'drill']);
  });

  it('does an interrupted rehearsal anew, from where the table is', async () => {
    const a = await gateway('a');
    const desired = route({ phase: 'canary', candidate: { ...V2, weight: 0.05 } });
    await run(change('step', { desired }));
    const drill = change('drill', { desired, expectedGeneration: 1 });
    a.stuckAt = 1;
    const cut = inActivity(env, () => activities(ledger, { confirmSeconds: 0.1 }).rehearseRollback(drill));
    await assert.rejects(cut, failsWith('NotConfirmed', false, /Generation 2/));
    a.stuckAt = null;
    const done = await inActivity(env, () => activities().rehearseRollback(drill));
    assert.equal(done.generation, 4);
    assert.deepEqual((await routes.read(MODEL))?.candidate, desired.candidate);
    assert.deepEqual(await recorded(), ['step/intent', 'step', 'drill/intent', 'drill']);
  });
});
