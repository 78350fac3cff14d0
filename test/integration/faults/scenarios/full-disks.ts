import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FailPlan } from '../../../../src/fail-points/plan.js';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { healthIs } from '../../../support/faults/health.js';
import { Play } from '../../../support/faults/play.js';
import { getTestStack } from '../../../support/stack.js';
import { TcpProxy } from '../../../support/tcp-proxy.js';

const FULL: Readonly<Record<string, readonly FailPlan[]>> = {
  // Golden rows of the second version.
  worker: [{ point: 'artifact.place.before', hit: 2, action: 'fail-ENOSPC' }],
  'gateway-1': [
    { point: 'snapshot.save.before', hit: 2, action: 'fail-ENOSPC' },
    { point: 'spool.add.before', hit: 1, action: 'fail-ENOSPC' },
  ],
};

/**
 * The disks of the artifact store and of the gateway are full: the error is raised where the files are written (`fail-ENOSPC`), as
 * file systems that one may fill cannot be mounted everywhere. Users are answered, what is lost is counted, and who has to make
 * room is told.
 */
export async function fullDisks(built: Built): Promise<void> {
  const servers = await getTestStack();
  const { hostname, port } = new URL(servers.mongodbUri);
  const proxy = new TcpProxy(hostname, Number(port));
  await proxy.open();
  const mongodb = { MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` };
  const lane = await Lane.open({
    name: 'full-disks',
    servers,
    built,
    gateways: 1,
    plans: (process) => FULL[process] ?? [],
    env: (process): Readonly<Record<string, string>> => (process === 'gateway-1' ? mongodb : {}),
  });
  const room = async (plans: readonly FailPlan[]): Promise<void> => {
    for (const { point, action } of plans)
      for (const file of await readdir(lane.marksFolder))
        if (file.startsWith(`${point}@`) && file.endsWith(action)) await rm(join(lane.marksFolder, file));
  };
  try {
    const play = await Play.open(lane, 'full-disks');
    await healthIs(
      lane,
      'that the disk is full',
      ({ status, tables }) =>
        status === 'degraded' && /no space left on device/.test(tables.snapshotError ?? ''),
    );
    const second = await play.submit('v2');
    await play.alert(/^Parked: .*no space left on device/);
    assert.equal((await play.tenure.release(play.model, second)).stage, 'validating');
    await room(FULL['worker']!);
    await play.tenure.retry(play.model, second);
    await play.ends(second, 'succeeded');

    await proxy.cut();
    const { windows } = await healthIs(
      lane,
      'that windows are lost',
      ({ windows: { lostRequests, spoolError } }) =>
        lostRequests > 0 && /no space left/.test(spoolError ?? ''),
    );
    assert.equal(windows.spooledBatches, 0);
    await room(FULL['gateway-1']!);
    await proxy.open();
    await healthIs(lane, 'that all is well', ({ status }) => status === 'serving');
    await play.ends(await play.submit('v3'), 'succeeded');
    await play.holds();
  } finally {
    await lane.close();
    await proxy.cut();
  }
}
