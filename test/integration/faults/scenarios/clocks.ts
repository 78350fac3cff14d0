import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { FakeClock } from '../../../support/faults/clock.js';
import { Play } from '../../../support/faults/play.js';
import { until } from '../../../support/gateway.js';
import { getTestStack } from '../../../support/stack.js';

const HOUR_MS = 3_600_000;
const STEP_SECONDS = 40;

/**
 * The clocks of worker and gateway jump by an hour in mid-canary, forwards and back behind where they were. The step lasts as long
 * as it should, and the canary's time is not over.
 */
export async function clocksThatJump(built: Built): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-clocks-'));
  const clocks: Readonly<Record<string, FakeClock>> = {
    worker: new FakeClock(join(folder, 'worker')),
    'gateway-1': new FakeClock(join(folder, 'gateway-1')),
  };
  const lane = await Lane.open({
    name: 'clocks',
    servers: await getTestStack(),
    built,
    gateways: 1,
    env: (process): Readonly<Record<string, string>> => clocks[process]?.env ?? {},
  });
  try {
    const play = await Play.open(lane, 'clocks');
    const second = await play.inCanary('v2', STEP_SECONDS);
    for (const offsetMs of [HOUR_MS, -HOUR_MS]) {
      await Promise.all(Object.values(clocks).map((clock) => clock.set({ offsetMs })));
      await sleep(4_000);
    }
    await play.ends(second, 'succeeded');
    const [applied, promoted] = await Promise.all([
      play.event(second, 'canary.step-applied'),
      play.event(second, 'release.promoted'),
    ]);
    const seconds = (Date.parse(promoted.at) - Date.parse(applied.at)) / 1_000;
    assert.ok(seconds >= STEP_SECONDS, `the step lasted ${seconds} s`);
    // Each says so itself; the worker does while it waits for a look, so that was in mid-canary.
    await until('the worker to say that its clock is wrong', () =>
      /worker: .*clock of this worker is wrong/.test(lane.said(400)),
    );
    await until('the gateway to say that its clock was set', () =>
      /gateway-1: .*clock of this machine was set/.test(lane.said(400)),
    );
    await play.holds();
  } finally {
    await lane.close();
    await rm(folder, { recursive: true });
  }
}
