import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FailPlan } from '../../../../src/fail-points/plan.js';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { answeredWithin, healthIs } from '../../../support/faults/health.js';
import { Play } from '../../../support/faults/play.js';
import { OwnServers } from '../../../support/faults/servers.js';

const SLOW: Readonly<Record<string, readonly FailPlan[]>> = {
  worker: [{ point: 'artifact.place.before', hit: 1, action: 'slow-3000' }],
  'gateway-1': [{ point: 'snapshot.save.before', hit: 1, action: 'slow-6000' }],
};
const STOPPED_MS = 300;
const RUNNING_MS = 150;

/**
 * Every disk is slow: the artifact store's and the gateway's by delays where they write, MongoDB's by stopping it two thirds of the
 * time. A release takes longer, users do not, and the gateway says that its file is behind.
 */
export async function slowDisks(built: Built): Promise<void> {
  const servers = await OwnServers.start(['mongod']);
  const lane = await Lane.open({
    name: 'slow-disks',
    servers: servers.addresses,
    built,
    gateways: 1,
    plans: (process) => SLOW[process] ?? [],
  });
  const quick = new AbortController();
  let slowing: Promise<void> = Promise.resolve();
  try {
    const play = await Play.open(lane, 'slow-disks');
    slowing = (async () => {
      while (!quick.signal.aborted) {
        servers.send('mongod', 'SIGSTOP');
        await sleep(STOPPED_MS);
        servers.send('mongod', 'SIGCONT');
        await sleep(RUNNING_MS);
      }
    })();
    // Long enough that the file's delay is seen before the step ends.
    const second = await play.inCanary('v2', 30);
    const { tables } = await healthIs(
      lane,
      'that the disk is slow',
      ({ tables: { snapshotError } }) => snapshotError !== null,
    );
    assert.match(tables.snapshotError ?? '', /the disk has not taken it for 2 s/);
    // Neither the lease nor anybody's answer waits for a disk.
    assert.deepEqual(await answeredWithin(() => play.users.facts.byVersion, 5), ['v1', 'v2']);
    await play.ends(second, 'succeeded');
    quick.abort();
    await slowing;
    await play.holds();
    await healthIs(lane, 'that all is well', ({ status }) => status === 'serving');
  } finally {
    quick.abort();
    await slowing.catch(() => undefined);
    await lane.close();
    await servers.close();
  }
}
