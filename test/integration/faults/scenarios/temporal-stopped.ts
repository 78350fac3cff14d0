import assert from 'node:assert/strict';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { answeredWithin, healthOf } from '../../../support/faults/health.js';
import { ninetySeconds } from '../../../support/faults/ninety-seconds.js';
import { Play } from '../../../support/faults/play.js';
import { OwnServers } from '../../../support/faults/servers.js';

/** Temporal hangs in mid-canary. Users notice nothing, nothing is decided, and everything goes on afterwards. */
export async function temporalStopped(built: Built): Promise<void> {
  const servers = await OwnServers.start(['temporal']);
  const lane = await Lane.open({ name: 'temporal-stopped', servers: servers.addresses, built, gateways: 1 });
  try {
    const play = await Play.open(lane, 'temporal-stopped');
    const second = await play.inCanary('v2', 20);
    const table = await play.table();
    servers.send('temporal', 'SIGSTOP');
    const over = ninetySeconds();
    await assert.rejects(
      play.tenure.model(play.model),
      /Temporal does not answer at 127\.0\.0\.1:\d+: it hangs/,
    );
    // The step's twenty seconds are over by now.
    assert.deepEqual(await answeredWithin(() => play.users.facts.byVersion, 5), ['v1', 'v2']);
    assert.equal((await healthOf(lane)).status, 'serving');

    await over;
    assert.deepEqual(await play.table(), table);
    servers.send('temporal', 'SIGCONT');
    await play.ends(second, 'succeeded');
    await play.holds();
  } finally {
    servers.send('temporal', 'SIGCONT');
    await lane.close();
    await servers.close();
  }
}
