import assert from 'node:assert/strict';
import { request } from 'node:http';
import { gatewayStatus } from '../../../../src/client/gateways.js';
import { MongoRoutingStore } from '../../../../src/platform/serving/index.js';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { Play } from '../../../support/faults/play.js';
import { ninetySeconds } from '../../../support/faults/ninety-seconds.js';
import { until } from '../../../support/gateway.js';
import { getTestStack } from '../../../support/stack.js';

const GATEWAY = 'gateway-2';
const LEASE_AND_MARGIN_MS = 6_000;

/**
 * One of two gateways is stopped in mid-canary, with requests in its hands that users have not given up. The release is taken back
 * meanwhile. When it wakes it still has the old table: it answers, and by the champion.
 */
export async function gatewayStopped(built: Built): Promise<void> {
  const lane = await Lane.open({
    name: 'gateway-stopped',
    servers: await getTestStack(),
    built,
    gateways: 2,
    checking: true,
  });
  try {
    const play = await Play.open(lane, 'gateway-stopped');
    const second = await play.inCanary('v2', 600);
    const { url } = lane.pool.targets.find(({ gateway }) => gateway === GATEWAY)!;
    const before = await Promise.all(keys('before').map((key) => ask(url, play.model, key)));
    assert.ok(before.includes('v2') && before.includes('v1'), before.join());
    const { pid } = lane.gateways[1]!;
    process.kill(pid, 'SIGSTOP');
    const over = ninetySeconds();
    const patient = keys('patient').map((key) => ask(url, play.model, key));

    await play.abort(second);
    await play.ends(second, 'aborted');
    const { evidence } = (await play.event(second, 'release.aborted')).event;
    assert.deepEqual([evidence['confirmed'], evidence['unreachable']], [['gateway-1'], [GATEWAY]]);
    const { db } = await lane.session.database();
    const { gateways } = await new MongoRoutingStore(db).gateways();
    const { seenAt } = gateways.find(({ gateway }) => gateway === GATEWAY)!;
    const doneAt = Date.parse((await play.table()).changedAt) + Number(evidence['seconds']) * 1_000;
    const silentMs = doneAt - Date.parse(seenAt);
    assert.ok(silentMs >= LEASE_AND_MARGIN_MS, `counted out ${silentMs} ms after it was heard of`);
    const alert = await play.alert(/^Counted out: gateway\(s\) gateway-2/);
    assert.equal(alert.severity, 'warning');
    await until('the silence to show', async () =>
      (await gatewayStatus(lane.session)).some(
        ({ gateway, status }) => gateway === GATEWAY && status === 'silent',
      ),
    );

    await over;
    process.kill(pid, 'SIGCONT');
    assert.deepEqual(new Set(await Promise.all(patient)), new Set(['v1']));
    await until('it to be asked again', () => lane.pool.targets.length === 2);
    await play.apply();
    const third = await play.submit('v3');
    await play.ends(third, 'succeeded');
    const promoted = await play.event(third, 'release.promoted');
    assert.deepEqual(promoted.event.evidence['confirmed'], ['gateway-1', GATEWAY]);
    await play.holds(before.length + patient.length);
  } finally {
    // A stopped process hears of nothing else.
    process.kill(lane.gateways[1]!.pid, 'SIGCONT');
    await lane.close();
  }
}

/** Some are the candidate's, at half of the traffic. */
const keys = (of: string): string[] => Array.from({ length: 20 }, (_, i) => `${of}-${i}`);

/** @returns the version that answered, however long it took */
function ask(url: string, model: string, key: string): Promise<string> {
  const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [3] }] });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'tenure-routing-key': key,
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v2/models/${model}/infer`,
      { method: 'POST', headers, agent: false },
      (answer) => {
        answer.resume();
        answer.on('error', reject);
        answer.on('end', () =>
          answer.statusCode === 200
            ? resolve(String(answer.headers['tenure-version']))
            : resolve(`status ${answer.statusCode}`),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
