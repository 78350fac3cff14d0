import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { answeredWithin, healthIs } from '../../../support/faults/health.js';
import { ninetySeconds } from '../../../support/faults/ninety-seconds.js';
import { People } from '../../../support/faults/people.js';
import { Play } from '../../../support/faults/play.js';
import { OwnServers } from '../../../support/faults/servers.js';

/** Twice the lease of the tests' manifest. */
const LEASE_IS_OVER_MS = 8_000;

/**
 * MongoDB hangs in mid-canary: it takes connections and answers nothing. Then somebody wants the release back, and later MongoDB
 * does everything that it was asked, late.
 */
export async function mongodStopped(built: Built): Promise<void> {
  const [servers, people] = await Promise.all([OwnServers.start(['mongod']), People.open()]);
  const lane = await Lane.open({
    name: 'mongod-stopped',
    servers: servers.addresses,
    built,
    gateways: 1,
    env: (process) => (process === 'worker' ? people.env : {}),
  });
  try {
    const play = await Play.open(lane, 'mongod-stopped');
    const second = await play.inCanary('v2', 600);
    servers.send('mongod', 'SIGSTOP');
    const stoppedAt = Date.now();
    const over = ninetySeconds();
    const { status } = await healthIs(lane, 'that MongoDB hangs', ({ tables }) =>
      /MongoDB has not answered for 5 s|timed out/i.test(tables.error ?? ''),
    );
    assert.equal(status, 'degraded');
    await sleep(LEASE_IS_OVER_MS);
    assert.deepEqual(await answeredWithin(() => play.users.facts.byVersion, 3), ['v1']);

    await play.abort(second);
    const told = await people.hear(/^Rollback of v2 is not verified: MongoDB did not do what was asked/);
    assert.equal(told.severity, 'critical');
    const { waitingFor } = await play.tenure.release(play.model, second);
    assert.match(waitingFor, /rollback-unverified.*MongoDB did not do/);

    await over;
    servers.send('mongod', 'SIGCONT');
    await play.ends(second, 'aborted');
    // Between the return of MongoDB and the rollback that was decided meanwhile the candidate gets nothing either.
    const late = play.users.facts.byVersion['v2']!.lastSentAt - stoppedAt;
    assert.ok(late <= LEASE_IS_OVER_MS, `the candidate answered ${late} ms after MongoDB had stopped`);
    assert.equal(people.told.filter(({ key }) => key === told.key).length, 1);
    await healthIs(lane, 'that all is well', ({ status }) => status === 'serving');
    await play.apply();
    await play.ends(await play.submit('v3'), 'succeeded');
    await play.holds();
  } finally {
    await lane.close();
    await servers.close();
    await people.close();
  }
}
