import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { gatewayStatus } from '../../../../src/client/gateways.js';
import { MongoRoutingStore } from '../../../../src/platform/serving/index.js';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { FakeGateway } from '../../../support/fake-gateway.js';
import { Play } from '../../../support/faults/play.js';
import { getTestStack } from '../../../support/stack.js';

/** A gateway is alive and stays on an old generation: it holds up a promotion and a rollback, and is named. */
export async function staleGateway(built: Built): Promise<void> {
  const lane = await Lane.open({ name: 'stale-gateway', servers: await getTestStack(), built, gateways: 1 });
  let stale: FakeGateway | null = null;
  try {
    const play = await Play.open(lane, 'stale-gateway');
    const { db } = await lane.session.database();
    // It joins in mid-canary: the golden rows before it go through every gateway, and this one has no address.
    const second = await play.inCanary('v2', 5);
    stale = new FakeGateway(new MongoRoutingStore(db), 'stale');
    stale.stuckAt = (await play.table()).generation;
    await stale.start();
    await play.follow(second, ({ stage }) => stage === 'promoting');
    await sleep(10_000);
    const { stage, waitingFor } = await play.tenure.release(play.model, second);
    assert.deepEqual([stage, waitingFor], ['promoting', 'every gateway to serve the new champion']);
    const record = await play.record();
    assert.deepEqual(
      record.filter(
        ({ event }) => event.action === 'release.promoted' && event.subject['release'] === second,
      ),
      [],
    );
    const row = (await gatewayStatus(lane.session)).find(({ gateway }) => gateway === 'stale');
    const [seen] = row!.models;
    assert.ok(
      row!.status === 'serving' && Number(seen!.observed) < Number(seen!.wanted),
      JSON.stringify(row),
    );

    await play.abort(second);
    const alert = await play.alert(/^Rollback of v2 is not verified: .*waiting for gateway\(s\) stale/);
    assert.equal(alert.severity, 'critical');
    stale.stuckAt = null;
    await play.ends(second, 'aborted');
    const { evidence } = (await play.event(second, 'release.aborted')).event;
    assert.deepEqual(evidence['confirmed'], ['gateway-1', 'stale']);
    await play.holds();
  } finally {
    await stale?.vanish();
    await lane.close();
  }
}
