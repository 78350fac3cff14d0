import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { answeredWithin, healthIs } from '../../../support/faults/health.js';
import { People } from '../../../support/faults/people.js';
import { Play } from '../../../support/faults/play.js';
import { getTestStack } from '../../../support/stack.js';
import { TcpProxy } from '../../../support/tcp-proxy.js';

const LEASE_IS_OVER_MS = 8_000;

/**
 * The connections of worker and gateway to MongoDB hang instead of closing, and new ones too; what was sent arrives when they are
 * mended, long after its senders have given up.
 */
export async function connectionHangs(built: Built): Promise<void> {
  const servers = await getTestStack();
  const { hostname, port } = new URL(servers.mongodbUri);
  const proxy = new TcpProxy(hostname, Number(port));
  await proxy.open();
  const people = await People.open();
  const mongodb = { MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` };
  const lane = await Lane.open({
    name: 'connection-hangs',
    servers,
    built,
    gateways: 1,
    env: (process) => ({ ...mongodb, ...(process === 'worker' ? people.env : {}) }),
  });
  try {
    const play = await Play.open(lane, 'connection-hangs');
    const second = await play.inCanary('v2', 600);
    proxy.hang();
    const hangsAt = Date.now();
    const { status } = await healthIs(lane, 'that MongoDB hangs', ({ tables }) =>
      /MongoDB has not answered for 5 s|timed out/i.test(tables.error ?? ''),
    );
    assert.equal(status, 'degraded');
    await sleep(LEASE_IS_OVER_MS);
    assert.deepEqual(await answeredWithin(() => play.users.facts.byVersion, 3), ['v1']);

    await play.abort(second);
    await people.hear(/^Rollback of v2 is not verified: MongoDB did not do what was asked/);
    // Nobody wrote past the one way there is: nothing is done, and nothing is recorded as done.
    assert.equal((await play.table()).candidate?.version, 'v2');
    assert.deepEqual(
      (await play.record()).filter(({ event }) => event.action === 'release.aborted'),
      [],
    );
    proxy.mend();
    await play.ends(second, 'aborted');
    const late = play.users.facts.byVersion['v2']!.lastSentAt - hangsAt;
    assert.ok(
      late <= LEASE_IS_OVER_MS,
      `the candidate answered ${late} ms after the connections began to hang`,
    );
    await play.apply();
    await play.ends(await play.submit('v3'), 'succeeded');
    await play.holds();
  } finally {
    proxy.mend();
    await lane.close();
    await proxy.cut();
    await people.close();
  }
}
