import assert from 'node:assert/strict';
import { MongoClient } from 'mongodb';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { healthIs } from '../../../support/faults/health.js';
import { People } from '../../../support/faults/people.js';
import { Play } from '../../../support/faults/play.js';
import { OwnServers } from '../../../support/faults/servers.js';

const SECONDS = 12;

/** MongoDB's primary steps down in mid-canary, and nobody else is there: reads go on, writes fail, until it is elected again. */
export async function stepDown(built: Built): Promise<void> {
  const [servers, people] = await Promise.all([OwnServers.start(['mongod']), People.open()]);
  const lane = await Lane.open({
    name: 'step-down',
    servers: servers.addresses,
    built,
    gateways: 1,
    env: (process) => (process === 'worker' ? people.env : {}),
  });
  const client = new MongoClient(servers.addresses.mongodbUri);
  try {
    const play = await Play.open(lane, 'step-down');
    const second = await play.inCanary('v2', 600);
    await client.db('admin').command({ replSetStepDown: SECONDS, force: true });
    const [{ status }] = await Promise.all([
      healthIs(lane, 'that MongoDB takes nothing', ({ tables }) => /not primary/i.test(tables.error ?? '')),
      play.abort(second),
      people.hear(/^Rollback of v2 is not verified: MongoDB did not do what was asked: not primary/i),
    ]);
    assert.equal(status, 'degraded');
    await play.ends(second, 'aborted');
    await healthIs(lane, 'that all is well', ({ status }) => status === 'serving');
    await play.apply();
    await play.ends(await play.submit('v3'), 'succeeded');
    await play.holds();
  } finally {
    await client.close();
    await lane.close();
    await servers.close();
    await people.close();
  }
}
