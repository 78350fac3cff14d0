import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FailPoint } from '../../../src/fail-points/effects.js';
import { markName } from '../../../src/fail-points/plan.js';
import type { Lane } from './lane.js';
import type { Server, Servers } from './servers.js';

/** The server that an effect of the worker or the gateway talks to; null for effects on files, threads and other people's servers. */
export function serverOf(point: FailPoint): Server | null {
  const effect = point.replace(/\.(before|after)$/, '');
  if (effect.startsWith('activity.')) return 'temporal';
  return AT_MONGOD.includes(effect) ? 'mongod' : null;
}

const AT_MONGOD: readonly string[] = [
  'ledger.insert',
  'routes.set',
  'registry.insert',
  'profiles.insert',
  'alert.keep',
  'alert.note',
  'gateway.report',
  'windows.insert',
];

/** After the process went on: long enough that it finds nobody there. */
const AWAY_MS = 1_500;
const POLL_MS = 50;

/**
 * Kills a server while a process stands right before or after an effect on it, lets the process go on into the outage, and
 * starts the server again; point by point, until none is left.
 * @param left points at which that has not been done yet; those that are done are taken out
 */
export async function outagesAt(lane: Lane, servers: Servers, left: Set<FailPoint>): Promise<void> {
  while (left.size > 0) {
    lane.signal.throwIfAborted();
    const stopped = (await lane.marks()).find(({ action }) => action === 'pause');
    if (stopped === undefined) {
      await sleep(POLL_MS);
      continue;
    }
    const server = serverOf(stopped.point);
    const mark = join(lane.marksFolder, markName(stopped));
    // One that died while it stood there did not go on into an outage: its next life is to stop there again.
    if (server !== null && lives(stopped.pid)) {
      await servers.kill(server);
      await rm(mark);
      await sleep(AWAY_MS);
      await servers.revive();
      left.delete(stopped.point);
    } else await rm(mark);
  }
}

/** Lets everybody who stands at a point go on, until it is over: a life that began while a point was being done stops there too. */
export async function letGo(lane: Lane, over: () => boolean): Promise<void> {
  while (!over()) {
    for (const mark of await lane.marks())
      if (mark.action === 'pause') await rm(join(lane.marksFolder, markName(mark)), { force: true });
    await sleep(POLL_MS);
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
