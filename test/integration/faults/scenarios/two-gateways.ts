import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoRoutingStore } from '../../../../src/platform/serving/index.js';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { healthOf } from '../../../support/faults/health.js';
import { Play } from '../../../support/faults/play.js';
import { post, until } from '../../../support/gateway.js';
import { getTestStack } from '../../../support/stack.js';
import { TcpProxy } from '../../../support/tcp-proxy.js';

const LEASE_AND_MARGIN_MS = 6_000;

/**
 * Two gateways behind a load balancer. One is killed in mid-canary; then, in the next release, one is cut off from MongoDB in
 * mid-canary, and the release is taken back: done is that only when the lease of the one that nobody reaches is over.
 */
export async function twoGateways(built: Built): Promise<void> {
  const servers = await getTestStack();
  const { hostname, port } = new URL(servers.mongodbUri);
  const proxy = new TcpProxy(hostname, Number(port));
  await proxy.open();
  const mongodb = { MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` };
  const lane = await Lane.open({
    name: 'two-gateways',
    servers,
    built,
    gateways: 2,
    checking: true,
    env: (process): Readonly<Record<string, string>> => (process === 'gateway-2' ? mongodb : {}),
  });
  try {
    const play = await Play.open(lane, 'two-gateways', 40);
    await oneIsKilled(play);
    await play.holds(await oneIsCutOff(play, proxy));
  } finally {
    await lane.close();
    await proxy.cut();
  }
}

async function oneIsKilled(play: Play): Promise<void> {
  const { lane } = play;
  const second = await play.inCanary('v2', 5);
  const { lives } = lane.gateways[0]!;
  lane.gateways[0]!.kill();
  await play.ends(second, 'succeeded');
  await until(
    'it to be asked again',
    () => lane.gateways[0]!.lives === lives + 1 && lane.pool.targets.length === 2,
  );
}

/** @returns requests that it sent */
async function oneIsCutOff(play: Play, proxy: TcpProxy): Promise<number> {
  const { lane, model } = play;
  const third = await play.inCanary('v3', 600);
  const { url } = lane.pool.targets.find(({ gateway }) => gateway === 'gateway-2')!;
  const { db } = await lane.session.database();
  let candidateAt = 0;
  const enough = new AbortController();
  /** Asks the one that is cut off, again and again, and notes when its candidate answered last. */
  const asked = (async () => {
    let n = 0;
    for (; !enough.signal.aborted; n += 1) {
      const input = { inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [n % 10] }] };
      const { status, headers } = await post(url, model, input, { 'tenure-routing-key': `cut-off-${n}` });
      assert.equal(status, 200);
      if (headers.get('tenure-version') === 'v3') candidateAt = Date.now();
      await sleep(50);
    }
    return n;
  })();
  await until('the candidate', () => candidateAt > 0);
  await proxy.cut();
  await play.abort(third);
  await play.ends(third, 'aborted');
  const { evidence } = (await play.event(third, 'release.aborted')).event;
  assert.deepEqual([evidence['confirmed'], evidence['unreachable']], [['gateway-1'], ['gateway-2']]);
  // One clock: the store and the test run on the same machine.
  const doneAt = Date.parse((await play.table()).changedAt) + Number(evidence['seconds']) * 1_000;
  const { gateways } = await new MongoRoutingStore(db).gateways();
  const heardAt = Date.parse(gateways.find(({ gateway }) => gateway === 'gateway-2')!.seenAt);
  assert.ok(doneAt - heardAt >= LEASE_AND_MARGIN_MS, `done ${doneAt - heardAt} ms after it was heard of`);
  assert.ok(
    candidateAt < doneAt,
    `the candidate answered ${candidateAt - doneAt} ms after the rollback was done`,
  );
  await play.alert(/^Counted out: gateway\(s\) gateway-2/);
  const { status, models } = await healthOf(lane, 2);
  assert.equal(status, 'degraded');
  const { leaseHeld } = models[model] as { readonly leaseHeld: boolean };
  assert.equal(leaseHeld, false);
  enough.abort();
  await proxy.open();
  return asked;
}
