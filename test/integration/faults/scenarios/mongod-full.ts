import assert from 'node:assert/strict';
import { MongoClient } from 'mongodb';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { healthIs } from '../../../support/faults/health.js';
import { limitFiles } from '../../../support/faults/file-limit.js';
import { Play } from '../../../support/faults/play.js';
import { OwnServers } from '../../../support/faults/servers.js';
import { until } from '../../../support/gateway.js';

/** So that a checkpoint, which writes files, does not have to be waited for. */
const FSYNC_EVERY_MS = 500;

/**
 * MongoDB's files take no more (see `limitFiles`) while a gateway waits with what it has to store: MongoDB ends itself, as it does
 * on a full disk. With room it starts again on the same data.
 */
export async function mongodFull(built: Built): Promise<void> {
  const servers = await OwnServers.start(['mongod']);
  const lane = await Lane.open({ name: 'mongod-full', servers: servers.addresses, built, gateways: 1 });
  try {
    const play = await Play.open(lane, 'mongod-full');
    const second = await play.inCanary('v2', 30);
    const pid = servers.pid('mongod');
    limitFiles(pid, 1);
    const client = new MongoClient(servers.addresses.mongodbUri, { serverSelectionTimeoutMS: 500 });
    const checkpoints = setInterval(() => {
      void client
        .db('admin')
        .command({ fsync: 1 })
        .catch(() => undefined);
    }, FSYNC_EVERY_MS);
    await until('the end of MongoDB', () => !servers.isRunning('mongod'), 90_000).finally(() =>
      clearInterval(checkpoints),
    );
    await client.close();
    const { windows } = await healthIs(
      lane,
      'that MongoDB is away',
      ({ status, windows: { spooledBatches } }) => status === 'degraded' && spooledBatches > 0,
    );
    assert.equal(windows.lostBatches, 0);
    await servers.start();
    assert.notEqual(servers.pid('mongod'), pid);
    await play.ends(second, 'succeeded');
    await play.holds();
    await healthIs(lane, 'that all is well', ({ windows: { spooledBatches } }) => spooledBatches === 0);
  } finally {
    await lane.close();
    await servers.close();
  }
}
