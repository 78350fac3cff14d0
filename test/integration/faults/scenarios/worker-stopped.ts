import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FailPlan } from '../../../../src/fail-points/plan.js';
import { markName } from '../../../../src/fail-points/plan.js';
import type { Built } from '../../../support/built.js';
import { Lane } from '../../../support/chaos/lane.js';
import { Play } from '../../../support/faults/play.js';
import { ninetySeconds } from '../../../support/faults/ninety-seconds.js';
import { until } from '../../../support/gateway.js';
import { getTestStack } from '../../../support/stack.js';

/** Right before it writes the table that takes v2 back. */
const LAST_LINE: FailPlan = { point: 'routes.set.before', hit: 1, action: 'pause' };
/** Only for its mark, which tells that the attempt has ended. */
const ENDED: FailPlan = { point: 'activity.changeTraffic.after', hit: 1, action: 'slow-1' };

/**
 * The worker is stopped in the middle of a rollback. Another does it, and promotes v3; then the first one wakes and goes on where
 * it was, one line before it puts v1 back.
 */
export async function workerStopped(built: Built): Promise<void> {
  let armed: readonly FailPlan[] = [];
  const lane = await Lane.open({
    name: 'worker-stopped',
    servers: await getTestStack(),
    built,
    gateways: 1,
    plans: (process) => (process === 'worker' ? armed : []),
  });
  try {
    const play = await Play.open(lane, 'worker-stopped');
    const second = await play.inCanary('v2', 600);
    armed = [LAST_LINE, ENDED];
    lane.worker.kill();
    await play.abort(second);
    const mark = await until('the worker at its last line', async () => (await lane.marks())[0], 60_000);
    process.kill(mark.pid, 'SIGSTOP');
    const over = ninetySeconds();

    // Seen at once by whoever asks for anything.
    await assert.rejects(play.tenure.model(play.model), /no worker answered: is `tenure up`/);
    lane.addWorker('worker-2');
    await play.alert(/^Rollback of v2 is not verified: .*heartbeat/i);
    await play.ends(second, 'aborted');
    const goneAt = Date.now();
    await play.apply();
    await play.ends(await play.submit('v3'), 'succeeded');
    const table = await play.table();
    assert.equal(table.champion?.version, 'v3');

    await over;
    process.kill(mark.pid, 'SIGCONT');
    await rm(join(lane.marksFolder, markName(mark)));
    await until('the end of the late attempt', async () =>
      (await lane.marks()).some(({ pid, point }) => pid === mark.pid && point === ENDED.point),
    );
    assert.deepEqual(await play.table(), table);
    // Decided, but nobody was there to do it: until then v2 served on. Never after it was seen done.
    assert.ok(play.users.facts.byVersion['v2']!.lastSentAt < goneAt);
    await play.holds();
  } finally {
    await lane.close();
  }
}
