import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WindowBatch } from '../../../../src/contracts/windows.js';
import { windowsOf } from '../../../../src/platform/windows/collections.js';
import { DEFAULT_SPOOL_BYTES } from '../../../../src/platform/windows/spool.js';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { FakeClock } from '../../../support/faults/clock.js';
import { healthIs, healthOf } from '../../../support/faults/health.js';
import { Play } from '../../../support/faults/play.js';
import { OwnServers } from '../../../support/faults/servers.js';
import { until } from '../../../support/gateway.js';

/** All time of the gateway's process passes so many times as fast: an hour in 45 s. Users and servers are in real time. */
const RATE = 80;
const HOUR_SECONDS = 3_600;
const MIB = 1024 * 1024;

/**
 * Worker, Temporal and MongoDB are killed in mid-canary, and the gateway serves on for an hour of its own time. Afterwards all that
 * was counted is stored, once.
 */
export async function hourAlone(built: Built): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-hour-'));
  const clock = new FakeClock(join(folder, 'clock'));
  const servers = await OwnServers.start(['mongod', 'temporal']);
  const lane = await Lane.open({
    name: 'hour-alone',
    servers: servers.addresses,
    built,
    gateways: 1,
    env: (process): Readonly<Record<string, string>> => (process === 'gateway-1' ? clock.env : {}),
  });
  try {
    const play = await Play.open(lane, 'hour-alone', 100);
    const base = (await play.tenure.model(play.model)).manifest;
    // A deadline of ten seconds would be an eighth of one.
    const serving = { ...base.serving, deadlineMs: 400_000 };
    const second = await play.inCanary('v2', 600, { serving });

    await lane.worker.stop();
    await Promise.all([servers.kill('temporal'), servers.kill('mongod')]);
    const before = play.users.facts;
    const { pid } = lane.gateways[0]!;
    const residentBefore = await resident(pid);
    await clock.set({ rate: RATE });
    const alone = await healthIs(
      lane,
      'that MongoDB has been away for an hour',
      ({ tables }) => Number(tables.lastReadAgeSeconds) > HOUR_SECONDS,
    );
    await clock.set({ rate: 1 });
    const { status, tables, windows, models } = alone;
    assert.deepEqual([status, models[play.model]], ['degraded', { ...models[play.model], leaseHeld: false }]);
    assert.match(tables.error ?? '', /ECONNREFUSED|connect|timed out/i);
    const during = play.users.facts;
    assert.deepEqual(during.lost, []);
    assert.ok(during.answered - before.answered > 50, `${during.answered - before.answered} answers`);
    // At most one a second of its time, as in a canary; how many of them the machine has the time to write is its own affair.
    assert.ok(windows.spooledBatches > HOUR_SECONDS / RATE, `${windows.spooledBatches} windows`);
    assert.ok(
      windows.spooledBytes < DEFAULT_SPOOL_BYTES && windows.lostBatches === 0,
      JSON.stringify(windows),
    );
    const grown = ((await resident(pid)) - residentBefore) / MIB;
    assert.ok(grown < 200, `the gateway has grown by ${grown} MiB`);

    await servers.start();
    const worker = lane.addWorker('worker-again');
    await until(
      'the windows to be stored',
      async () => (await healthOf(lane)).windows.spooledBatches === 0,
      60_000,
    );
    await play.abort(second);
    await play.ends(second, 'aborted');
    await play.holds();
    // Every answer is counted, and none twice: the gateway never died.
    const { answers, counted } = await countsOf(play);
    assert.equal(counted, answers);
    await worker.stop();
  } finally {
    await lane.close();
    await servers.close();
    await rm(folder, { recursive: true });
  }
}

async function countsOf(play: Play): Promise<{ readonly answers: number; readonly counted: number }> {
  const { db } = await play.lane.session.database();
  const count = async (): Promise<number> => {
    let sum = 0;
    for await (const { cells } of windowsOf(db).find({ model: play.model })) sum += requestsIn(cells);
    return sum;
  };
  const { answered } = play.users.facts;
  // The last window of a steady table is stored within 15 s.
  const counted = await until(
    'all answers to be counted',
    async () => {
      const sum = await count();
      return sum >= answered && sum;
    },
    30_000,
  );
  return { answers: answered, counted };
}

const requestsIn = (cells: WindowBatch['cells']): number =>
  cells.reduce((sum, { requests: { split, unsplit } }) => sum + split + unsplit, 0);

/** Resident memory of a process, bytes; Linux. */
async function resident(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
