import assert from 'node:assert/strict';
import { judgeConfirmation } from '../../../src/activities/traffic/confirmation.js';
import type { VersionRef } from '../../../src/contracts/model.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { hashKey } from '../../../src/gateway/split.js';
import { readBaseline } from '../../../src/platform/windows/baseline.js';
import { readCanaryCounts } from '../../../src/platform/windows/reader.js';
import { GatewayBench, post, row, until } from '../../support/gateway.js';
import { logisticModel, lookupModel, slowModel } from '../../support/onnx.js';

/** `count` keys on one side of `weight`. */
function keys(count: number, isCandidate: boolean, weight: number, salt = 'salt'): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i += 1) {
    const key = `key-${i}`;
    if (hashKey(salt, key).h < weight === isCandidate) found.push(key);
  }
  return found;
}

const keyed = (key: string): Record<string, string> => ({ 'tenure-routing-key': key });

describe('The gateway splits, falls back, copies and counts', () => {
  const bench = new GatewayBench();
  let one: Gateway;
  let v1: VersionRef;
  let v2: VersionRef;
  let broken: VersionRef;
  let medium: VersionRef;
  let stuck: VersionRef;

  before(async () => {
    await bench.open();
    one = await bench.start();
    v1 = await bench.version('v1', logisticModel([1, -1, 0.5]));
    v2 = await bench.version('v2', logisticModel([1, -1, 0.51]));
    broken = await bench.version('broken', lookupModel(3, [0.1, 0.2]));
    // About a second a call.
    medium = await bench.version('medium', slowModel([1, -1, 0.5], 1_200_000));
    // About 5 s a call on an idle machine; its end is waited for before the process can end.
    stuck = await bench.version('stuck', slowModel([1, -1, 0.5], 6_000_000));
  });
  after(() => bench.close());

  it('keeps keys where they are, moves them only to the candidate as its weight grows, and counts them by generation', async () => {
    const two = await bench.start();
    const salt = 'rising';
    const all = Array.from({ length: 60 }, (_, i) => `user-${i}`);
    const served = new Map<string, string>();
    const generations: number[] = [];
    for (const weight of [0.2, 0.6]) {
      const table = {
        phase: 'canary',
        champion: v1,
        candidate: { ...v2, weight },
        salt,
        release: 4,
      } as const;
      generations.push(await bench.route('rising', table, [one, two]));
      for (const [i, key] of all.entries()) {
        const { headers } = await post((i % 2 === 0 ? one : two).url, 'rising', row(1, 2, 3), keyed(key));
        const version = headers.get('tenure-version') ?? '';
        assert.equal(version, hashKey(salt, key).h < weight ? 'v2' : 'v1');
        if (served.get(key) === 'v2') assert.equal(version, 'v2');
        served.set(key, version);
        // The same key at the other gateway: the same version, and no new key.
        const other = await post((i % 2 === 0 ? two : one).url, 'rising', row(1, 2, 3), keyed(key));
        assert.equal(other.headers.get('tenure-version'), version);
      }
    }
    const query = {
      model: 'rising',
      release: 4,
      candidate: v2.digest,
      champion: v1.digest,
      guardrails: ['errors'],
    };
    const { counts, keysSeen } = await until('all requests in the windows', async () => {
      const read = await readCanaryCounts(bench.db, query, 0);
      const total = read.counts.generations.reduce(
        (sum, { candidate, champion }) => sum + candidate.requests + champion.requests,
        0,
      );
      return total === 240 && read;
    });
    assert.equal(keysSeen, 60);
    const low = all.filter((key) => hashKey(salt, key).h < 0.2).length;
    const [first, second] = counts.generations;
    assert.deepEqual(
      counts.generations.map(({ generation, candidateShare }) => [generation, candidateShare]),
      [
        [generations[0], 0.2],
        [generations[1], 0.6],
      ],
    );
    assert.deepEqual([first?.candidate.keys, first?.champion.keys], [low, 60 - low]);
    // All keys were seen in the first generation already.
    assert.deepEqual([second?.candidate.keys, second?.champion.keys], [0, 0]);
    assert.deepEqual(first?.candidate.firstBad, { errors: 0 });
    await two.stop();
  });

  it('answers by the champion when a candidate fails, and counts a key once', async () => {
    const weight = 0.5;
    const table = { phase: 'canary', champion: v1, candidate: { ...broken, weight }, release: 1 } as const;
    await bench.route('failing', table, [one]);
    const [key = ''] = keys(1, true, weight);
    const first = await post(one.url, 'failing', row(9, 0, 0), keyed(key));
    const second = await post(one.url, 'failing', row(8, 0, 0), keyed(key));
    const good = await post(one.url, 'failing', row(1, 0, 0), keyed(key));
    assert.deepEqual(
      [first, second, good].map(({ status, headers }) => [
        status,
        headers.get('tenure-version'),
        headers.get('tenure-fallback'),
      ]),
      [
        [200, 'v1', 'true'],
        [200, 'v1', 'true'],
        [200, 'broken', 'false'],
      ],
    );
    const query = {
      model: 'failing',
      release: 1,
      candidate: broken.digest,
      champion: v1.digest,
      guardrails: ['errors'],
    };
    const { counts } = await until('the requests in the windows', async () => {
      const read = await readCanaryCounts(bench.db, query, 0);
      return read.counts.generations[0]?.candidate.requests === 3 && read;
    });
    assert.deepEqual(counts.generations[0]?.candidate, {
      requests: 3,
      keys: 1,
      firstBad: { errors: 1 },
      newBad: { errors: 1 },
      bad: { errors: 2 },
    });
    assert.equal(counts.generations[0]?.champion.requests, 0);
    assert.equal(await bench.sum('failing', (cell) => cell.requests.fallback), 2);
  });

  it('counts a failure and the answer to it in one window, however long the champion takes', async () => {
    const weight = 0.5;
    const table = {
      phase: 'canary',
      // Slower than a window is long: the failure would stand in an earlier one, as a request that nobody answered.
      champion: medium,
      candidate: { ...broken, weight },
      release: 1,
      deadlineMs: 30_000,
    } as const;
    await bench.route('straddled', table, [one]);
    const [key = ''] = keys(1, true, weight);
    const { headers } = await post(one.url, 'straddled', row(9, 0, 0), keyed(key));
    assert.equal(headers.get('tenure-fallback'), 'true');
    const windows = await until('the request in the windows', async () => {
      const read = await bench.windows('straddled');
      return read.length > 0 && read;
    });
    const count = (pick: (cell: (typeof windows)[number]['cells'][number]) => number): number[] =>
      windows.map(({ cells }) => cells.reduce((total, cell) => total + pick(cell), 0));
    assert.deepEqual(
      [count(({ errors }) => errors['run-failed'] ?? 0), count(({ requests }) => requests.fallback)],
      [[1], [1]],
    );
    await bench.route('straddled', { champion: v1 }, [one]);
  });

  it('fails no champion request, and no other, when a candidate takes 5 s a call', async () => {
    const weight = 0.5;
    const table = {
      phase: 'canary',
      champion: v1,
      candidate: { ...stuck, weight },
      release: 1,
      // Of it the champion has its share after the candidate: enough on a busy machine too.
      deadlineMs: 4_000,
      guardrails: [
        { name: 'errors', kind: 'errors' },
        { name: 'slow', kind: 'slow', thresholdMs: 1_500 },
      ],
    } as const;
    await bench.route('slow', table, [one]);
    const some = [...keys(4, true, weight), ...keys(20, false, weight)];
    const answers = await Promise.all(some.map((key) => post(one.url, 'slow', row(1, 2, 3), keyed(key))));
    // One that had waited for the candidate's call would have come past its deadline: 504.
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.deepEqual(new Set(answers.map(({ headers }) => headers.get('tenure-version'))), new Set(['v1']));
    assert.equal(answers.filter(({ headers }) => headers.get('tenure-fallback') === 'true').length, 4);
    const query = {
      model: 'slow',
      release: 1,
      candidate: stuck.digest,
      champion: v1.digest,
      guardrails: ['errors', 'slow'],
    };
    const { counts } = await until('the requests in the windows', async () => {
      const read = await readCanaryCounts(bench.db, query, 0);
      return (
        read.counts.generations[0]?.champion.requests === 20 &&
        read.counts.generations[0].candidate.requests === 4 &&
        read
      );
    });
    assert.deepEqual(counts.generations[0]?.candidate.firstBad, { errors: 4, slow: 4 });
    assert.deepEqual(counts.generations[0]?.champion.bad, { errors: 0, slow: 0 });
    await until(
      'the stuck thread to be ended',
      async () => (await bench.sum('slow', (cell) => cell.errors['thread-stuck'] ?? 0)) > 0,
    );
    await bench.route('slow', { champion: v1 }, [one]);
  });

  it('trips at a hard limit until a newer generation, and says so', async () => {
    const weight = 1;
    const table = {
      phase: 'canary',
      champion: v1,
      candidate: { ...broken, weight },
      release: 2,
      trips: [{ guardrail: 'errors', maxShare: 0.3, minRequests: 4 }],
    } as const;
    const generation = await bench.route('trip', table, [one]);
    for (let i = 0; i < 4; i += 1) {
      const { headers } = await post(one.url, 'trip', row(9, 0, 0), keyed(`k${i}`));
      assert.equal(headers.get('tenure-fallback'), 'true');
    }
    const after = await post(one.url, 'trip', row(1, 0, 0), keyed('k9'));
    assert.deepEqual(
      [after.headers.get('tenure-version'), after.headers.get('tenure-fallback')],
      ['v1', 'false'],
    );
    const trip = await until('the report of the trip', async () => {
      const { gateways } = await bench.routes.gateways();
      return gateways.find(({ gateway }) => gateway === one.gateway)?.observed['trip']?.trips[0];
    });
    assert.deepEqual([trip.guardrail, trip.bad, trip.requests], ['errors', 4, 4]);
    await until(
      'the unsplit request in the windows',
      async () => (await bench.sum('trip', (cell) => cell.requests.unsplit)) === 1,
    );
    const next = await bench.route('trip', { ...table, trips: [] }, [one]);
    assert.ok(next > generation);
    assert.equal(
      (await post(one.url, 'trip', row(1, 0, 0), keyed('k9'))).headers.get('tenure-version'),
      'broken',
    );
  });

  it('copies to a shadow whose answers nobody sees: agreement, failures, drops', async () => {
    const shadow = { ...v2, share: 1, tolerance: 0.01 };
    // More than there are requests before the last ones: a copy may take its time.
    const bounded = await bench.start({ maxShadow: 4 });
    await bench.route('shadow', { phase: 'shadow', champion: v1, shadow, release: 3 }, [bounded]);
    for (const x of [0, 0.5, 5]) {
      const { headers } = await post(bounded.url, 'shadow', row(0, 0, x));
      assert.equal(headers.get('tenure-version'), 'v1');
    }
    const read = async (candidate: VersionRef, release: number) =>
      (
        await readCanaryCounts(
          bench.db,
          { model: 'shadow', release, candidate: candidate.digest, champion: v1.digest, guardrails: [] },
          0,
        )
      ).shadow;
    await until('three comparisons', async () => (await read(v2, 3)).compared === 3);
    // 1 / (1 + e^-2.5) and 1 / (1 + e^-2.55) differ by .0036; all three are within .01.
    assert.deepEqual(await read(v2, 3), { compared: 3, agreed: 3, failed: 0, dropped: 0 });
    await bench.route(
      'shadow',
      { phase: 'shadow', champion: v1, shadow: { ...shadow, tolerance: 0.001 }, release: 4 },
      [bounded],
    );
    await post(bounded.url, 'shadow', row(0, 0, 5));
    await until('a difference', async () => (await read(v2, 4)).compared === 1);
    assert.equal((await read(v2, 4)).agreed, 0);
    await bench.route(
      'shadow',
      { phase: 'shadow', champion: v1, shadow: { ...shadow, ...stuck }, release: 5, deadlineMs: 400 },
      [bounded],
    );
    const answers = await Promise.all(
      Array.from({ length: 7 }, () => post(bounded.url, 'shadow', row(1, 2, 3))),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    await until('failures and drops', async () => (await read(stuck, 5)).failed === 4);
    assert.equal((await read(stuck, 5)).dropped, 3);
    await bounded.stop();
  });

  it('keeps the hold-back on the former champion and answers for it', async () => {
    const table = {
      phase: 'soak',
      champion: v2,
      holdback: { ...broken, share: 0.5 },
      release: 6,
      salt: 'soak',
    } as const;
    await bench.route('soak', table, [one]);
    const [held = ''] = keys(1, false, 0.5, 'soak');
    const [moved = ''] = keys(1, true, 0.5, 'soak');
    const good = await post(one.url, 'soak', row(1, 0, 0), keyed(held));
    assert.equal(good.headers.get('tenure-version'), 'broken');
    const failed = await post(one.url, 'soak', row(9, 0, 0), keyed(held));
    assert.deepEqual(
      [failed.headers.get('tenure-version'), failed.headers.get('tenure-fallback')],
      ['v2', 'true'],
    );
    assert.equal(
      (await post(one.url, 'soak', row(1, 0, 0), keyed(moved))).headers.get('tenure-version'),
      'v2',
    );
    const query = {
      model: 'soak',
      release: 6,
      candidate: v2.digest,
      champion: broken.digest,
      guardrails: ['errors'],
    };
    const { counts } = await until('the requests in the windows', async () => {
      const read = await readCanaryCounts(bench.db, query, 0);
      return (
        read.counts.generations[0]?.champion.requests === 2 &&
        read.counts.generations[0].candidate.requests === 1 &&
        read
      );
    });
    assert.equal(counts.generations[0]?.candidateShare, 0.5);
    assert.deepEqual(counts.generations[0]?.champion.newBad, { errors: 1 });
  });

  it('counts conformance, drills and named versions apart from the split', async () => {
    const table = { phase: 'canary', champion: v1, candidate: { ...v2, weight: 0.5 }, release: 7 } as const;
    await bench.route('apart', table, [one]);
    const named = await post(one.url, 'apart/versions/v2', row(1, 2, 3), { 'tenure-purpose': 'conformance' });
    assert.equal(named.headers.get('tenure-version'), 'v2');
    await post(one.url, 'apart', row(1, 2, 3), { 'tenure-purpose': 'drill' });
    assert.equal((await post(one.url, 'apart', row(1, 2, 3), { 'tenure-purpose': 'fun' })).status, 400);
    await post(one.url, 'apart', row(1, 2, 3));
    await until(
      'one split request',
      async () => (await bench.sum('apart', (cell) => cell.requests.split)) === 1,
    );
    assert.equal(await bench.sum('apart', (cell) => cell.requests.forced), 1);
    assert.equal(await bench.sum('apart', (cell) => cell.requests.drill), 1);
  });

  it('keeps the old generation while a version cannot be loaded, takes its candidate away, and reports why', async () => {
    const junk = await bench.version('junk', Buffer.from('not a model'));
    const first = await bench.route(
      'unloadable',
      { phase: 'canary', champion: v1, candidate: { ...v2, weight: 1 }, release: 1 },
      [one],
    );
    assert.equal((await post(one.url, 'unloadable', row(1, 2, 3))).headers.get('tenure-version'), 'v2');
    await bench.write('unloadable', {
      phase: 'canary',
      champion: v1,
      candidate: { ...junk, weight: 1 },
      release: 2,
    });
    const observed = await until('the report of the failure', async () => {
      const { gateways } = await bench.routes.gateways();
      const seen = gateways.find(({ gateway }) => gateway === one.gateway)?.observed['unloadable'];
      return seen !== undefined && seen.failed.length > 0 && seen;
    });
    assert.deepEqual([observed.generation, observed.wanted], [first, first + 1]);
    const judged = judgeConfirmation({
      model: 'unloadable',
      generation: first + 1,
      digests: [v1.digest, junk.digest],
      ...(await bench.routes.gateways()),
      silentSeconds: 15,
      watchedSeconds: () => 0,
    });
    assert.deepEqual(
      judged.failed.map(({ digest }) => digest),
      [junk.digest],
    );
    assert.deepEqual(judged.confirmed, []);
    assert.match(observed.failed[0]?.reason ?? '', /cannot load the artifact/);
    const { headers } = await post(one.url, 'unloadable', row(1, 2, 3));
    assert.deepEqual(
      [headers.get('tenure-version'), headers.get('tenure-generation')],
      ['v1', String(first)],
    );
    // A roll-back needs nothing but the champion.
    const third = await bench.route('unloadable', { champion: v1, warm: [junk] }, [one]);
    assert.equal(third, first + 2);
  });

  it('takes a promoted candidate over with its thread, and unloads what no table names', async () => {
    await bench.route(
      'swap',
      { phase: 'canary', champion: v1, candidate: { ...v2, weight: 0.5 }, release: 1 },
      [one],
    );
    let failed = 0;
    const done = new AbortController();
    const load = (async () => {
      while (!done.signal.aborted)
        if ((await post(one.url, 'swap', row(1, 2, 3))).status !== 200) failed += 1;
    })();
    await bench.route('swap', { phase: 'soak', champion: v2, warm: [v1], release: 1 }, [one]);
    await bench.route('swap', { champion: v2 }, [one]);
    const { gateways } = await bench.routes.gateways();
    assert.deepEqual(gateways.find(({ gateway }) => gateway === one.gateway)?.observed['swap']?.ready, [
      v2.digest,
    ]);
    await bench.route('swap', { champion: v1 }, [one]);
    done.abort();
    await load;
    assert.equal(failed, 0);
    assert.equal((await post(one.url, 'swap/versions/v2', row(1, 2, 3))).status, 404);
  });

  it('gives a champion base line: requests, bad ones by definition, latency', async () => {
    const share = { name: 'high', kind: 'share', output: 'score', index: 0, op: '>', value: 0.9 } as const;
    await bench.route('base', { champion: v1, guardrails: [{ name: 'errors', kind: 'errors' }, share] }, [
      one,
    ]);
    for (const x of [0, 0, 9]) await post(one.url, 'base', row(x, 0, 0));
    await until('the requests', async () => (await bench.sum('base', (cell) => cell.requests.split)) === 3);
    const now = Date.now();
    const probes = [
      { name: 'errors', kind: 'errors' },
      { name: 'slow', kind: 'slow', thresholdMs: 1e6 },
      share,
    ] as const;
    const query = {
      model: 'base',
      champion: v1.digest,
      probes,
      quantiles: [0.5, 0.99],
      from: now - 60_000,
      to: now + 1_000,
    };
    const baseline = await readBaseline(bench.db, query);
    assert.equal(baseline.requests, 3);
    assert.deepEqual(baseline.bad, { errors: 0, slow: 0, high: 1 });
    assert.ok(
      Number(baseline.latencyMs['0.5']) > 0 &&
        Number(baseline.latencyMs['0.5']) <= Number(baseline.latencyMs['0.99']),
    );
    const other = await readBaseline(bench.db, { ...query, probes: [{ ...share, value: 0.5 }] });
    assert.equal(other.requests, 0);
    const slow = await readBaseline(bench.db, {
      ...query,
      probes: [{ name: 'slow', kind: 'slow', thresholdMs: 1e-6 }],
    });
    assert.deepEqual(slow.bad, { slow: 3 });
  });
});
