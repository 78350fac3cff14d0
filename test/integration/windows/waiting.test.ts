import assert from 'node:assert/strict';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createMetricsActivities } from '../../../src/activities/metrics.js';
import { createWaitingActivities } from '../../../src/activities/waiting.js';
import type { LookRequest, LookTaken } from '../../../src/contracts/activities.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { MongoWindowStore } from '../../../src/platform/windows/store.js';
import { openTestDatabase } from '../../support/database.js';
import { desired } from '../../support/gateway.js';
import { CANDIDATE, canaryTable, CHAMPION, FakeCounting } from '../../support/windows.js';

describe('Waiting for a look', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let routes: MongoRoutingStore;
  before(async () => {
    database = await openTestDatabase();
    routes = new MongoRoutingStore(database.db);
    const changeId = 'release:m:1/canary/1/1';
    await routes.compareAndSet({ model: 'm', expectedGeneration: 0, desired: desired({}), changeId });
  });
  after(() => database.drop());

  const request = (changes: Partial<LookRequest> = {}): LookRequest => ({
    model: 'm',
    release: 1,
    candidate: CANDIDATE,
    champion: CHAMPION,
    guardrails: ['errors', 'slow'],
    generation: 1,
    untilKeys: 1_000,
    untilTime: Date.now() + 60_000,
    whenNew: null,
    ...changes,
  });
  const look = (input: LookRequest, env = new MockActivityEnvironment()): Promise<LookTaken> => {
    const activities = createWaitingActivities({ db: database.db, routes, pollMs: 50 });
    return env.run((given: LookRequest) => activities.awaitLook(given), input);
  };
  const report = (
    generation: number,
    trips: { guardrail: string; bad: number; requests: number; at: string }[],
  ) =>
    routes.report({
      gateway: 'g',
      boot: 'b',
      url: 'http://127.0.0.1:1',
      startedAt: '2026-01-01T00:00:00.000Z',
      status: 'serving',
      observed: { m: { generation, ready: [], failed: [], trips } },
    });

  it('ends when enough keys were seen, with counts of all gateways, and heartbeats meanwhile', async () => {
    const store = new MongoWindowStore(database.db);
    const env = new MockActivityEnvironment();
    let beats = 0;
    env.on('heartbeat', () => {
      beats += 1;
    });
    const waiting = look(request({ untilKeys: 30 }), env);
    for (const name of ['a', 'b']) {
      const gateway = new FakeCounting(name);
      for (let k = 0; k < 20; k += 1) gateway.request(canaryTable(1, 0.5), `${name}-${k}`);
      await store.insert(gateway.flush(Date.now()));
    }
    const taken = await waiting;
    assert.equal(taken.why, 'keys');
    const [generation] = taken.counts.generations;
    assert.equal((generation?.candidate.keys ?? 0) + (generation?.champion.keys ?? 0), 40);
    assert.ok(beats > 1);
  });

  it('ends at once when somebody else changes the table', async () => {
    const waiting = look(request());
    await routes.compareAndSet({
      model: 'm',
      expectedGeneration: 1,
      desired: desired({}),
      changeId: 'by-hand',
    });
    await assert.rejects(
      waiting,
      /The routing table of m was changed to generation 2 by by-hand while release 1 had it at 1/,
    );
    const own = {
      model: 'm',
      expectedGeneration: 2,
      desired: desired({}),
      changeId: 'release:m:1/canary/2/1',
    };
    await routes.compareAndSet(own);
    assert.equal((await look(request({ untilTime: Date.now() + 100 }))).why, 'time');
  });

  it('ends at its time', async () => {
    const began = Date.now();
    const taken = await look(request({ untilTime: began + 300 }));
    assert.equal(taken.why, 'time');
    assert.ok(taken.takenAt >= began + 300);
    assert.equal(taken.counts.generations.length, 1);
  });

  it('ends at the end of a step once the candidate has had new requests, and not for nothing', async () => {
    const store = new MongoWindowStore(database.db);
    const began = Date.now();
    const [seen] = (await look(request({ untilTime: began + 100 }))).counts.generations;
    const known = seen?.candidate.requests ?? 0;
    assert.ok(known > 0);
    const more = { from: began, requests: known - 1 };
    assert.equal((await look(request({ whenNew: more }))).why, 'time');

    const waiting = look(request({ whenNew: { from: began, requests: known } }));
    const gateway = new FakeCounting('c');
    for (let k = 0; k < 20; k += 1) gateway.request(canaryTable(1, 0.5), `c-${k}`);
    const inserted = Date.now() + 300;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await store.insert(gateway.flush(Date.now()));
    const taken = await waiting;
    assert.equal(taken.why, 'time');
    assert.ok(taken.takenAt >= inserted, 'nothing was new before');
    assert.ok((taken.counts.generations[0]?.candidate.requests ?? 0) > known);
  });

  it('ends at a trip of the generation in force, and of no other', async () => {
    const trip = { guardrail: 'errors', bad: 9, requests: 20, at: '2026-01-01T00:00:00.000Z' };
    await report(2, [trip]);
    assert.equal((await look(request({ untilTime: Date.now() + 100 }))).why, 'time');
    const taken = await look(request({ generation: 2 }));
    assert.equal(taken.why, 'trip');
    assert.deepEqual(taken.trips, [{ gateway: 'g', guardrail: 'errors', bad: 9, requests: 20 }]);
  });

  it('obeys cancellation at once', async () => {
    const env = new MockActivityEnvironment();
    // By itself it would end after this test's time.
    const waiting = look(request({ untilTime: Date.now() + 600_000 }), env);
    setTimeout(() => env.cancel(), 100);
    await assert.rejects(waiting, CancelledFailure);
  });

  it('reads the base line of a champion', async () => {
    const metrics = createMetricsActivities({ db: database.db });
    const probes = [{ name: 'errors', kind: 'errors' }] as const;
    const input = {
      model: 'm',
      champion: CHAMPION,
      probes,
      quantiles: [0.95],
      lookBackSeconds: 3_600,
      at: Date.now() + 1_000,
    };
    const baseline = await metrics.readBaseline(input);
    assert.ok(baseline.requests > 0);
    assert.deepEqual(baseline.bad, { errors: 0 });
    assert.ok(Math.abs(Number(baseline.latencyMs['0.95']) - 5) < 0.06);
    assert.deepEqual(await metrics.readBaseline({ ...input, model: 'none' }), {
      requests: 0,
      bad: { errors: 0 },
      latencyMs: { '0.95': null },
    });
  });
});
