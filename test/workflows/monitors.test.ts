import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { monitorWorkflowId, waitingTaskQueue } from '../../src/contracts/ids.js';
import type { MonitorShardInput, ShardReport } from '../../src/contracts/monitors.js';
import { nextTick, shardOf } from '../../src/lifecycle/monitor-ticks.js';
import { startTimeSkipping } from '../support/stack.js';
import { quieten, workflowBundle } from '../support/workflow-env.js';

const REPORT: ShardReport = {
  shards: 4,
  seconds: 60,
  models: 250,
  evaluated: 3,
  found: 0,
  told: 0,
  failed: [],
  silent: [],
};

describe('ticks of monitors', () => {
  it('come once an interval, whatever was missed', () => {
    const now = Date.parse('2026-11-28T12:00:00Z');
    for (const seconds of [1, 60, 3_600])
      for (let shard = 0; shard < 8; shard += 1) {
        const place = { installation: 'tenure', shard, shards: 8, seconds };
        const every = seconds * 1_000;
        const first = nextTick(place, now);
        assert.ok(first > now && first <= now + every);
        assert.equal(nextTick(place, first), first + every);
        assert.equal(nextTick(place, first + 3 * 3_600_000 + 1), first + 3 * 3_600_000 + every);
      }
  });

  it('are spread evenly over the interval, at other places for another installation, and never just before the windows are visible', () => {
    const firsts = new Set<number>();
    for (let i = 0; i < 200; i += 1) {
      const of = { installation: `tenure-${i}`, shards: 4, seconds: 60 };
      const places = [0, 1, 2, 3].map((shard) => nextTick({ ...of, shard }, 0) % 60_000);
      firsts.add(places[0]!);
      assert.deepEqual(
        places.map((place) => (place - places[0]! + 60_000) % 60_000),
        [0, 15_000, 30_000, 45_000],
      );
      // One that begins five seconds late is still on the same side of the ten seconds after the minute.
      assert.ok(
        places.every((place) => place >= 10_000 || place < 5_000),
        places.join(),
      );
    }
    assert.ok(firsts.size > 180);
  });

  it('are of all models, shared out evenly', () => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 10_000; i += 1) counts[shardOf(`model-${i}`, 4)]! += 1;
    assert.ok(
      counts.every((count) => Math.abs(count - 2_500) < 200),
      counts.join(),
    );
  });
});

describe('a monitor', function () {
  this.timeout(60_000);
  let env: TestWorkflowEnvironment;
  let evaluated: number[];
  let answer: (tick: number) => ShardReport | Error;

  before(async () => {
    quieten();
    env = await startTimeSkipping();
  });
  after(() => env?.teardown());

  /** Runs it until `during` is over. */
  async function watch<T>(
    input: Partial<MonitorShardInput>,
    during: (handle: WorkflowHandle) => Promise<T>,
  ): Promise<T> {
    const taskQueue = `test-${randomUUID()}`;
    evaluated = [];
    const activities = {
      evaluateShard: async ({ shard }: { shard: number }): Promise<ShardReport> => {
        assert.equal(shard, 2);
        evaluated.push(await env.currentTimeMs());
        const told = answer(evaluated.length);
        if (told instanceof Error) throw told;
        return told;
      },
    };
    const connection = env.nativeConnection;
    const worker = await Worker.create({ connection, taskQueue, workflowBundle: await workflowBundle() });
    const waiting = await Worker.create({ connection, taskQueue: waitingTaskQueue(taskQueue), activities });
    const running = [worker.run(), waiting.run()];
    try {
      const handle = await env.client.workflow.start('monitorShard', {
        workflowId: monitorWorkflowId(taskQueue, 2),
        taskQueue,
        args: [{ shard: 2, seconds: 60, ...input }],
      });
      return await during(handle);
    } finally {
      worker.shutdown();
      waiting.shutdown();
      await Promise.all(running);
    }
  }

  const isOn = (tick: number, last: number): ShardReport =>
    tick < last ? REPORT : { ...REPORT, seconds: 0 };

  it('ticks for ever, at its place, and ends when none are wanted any more', async () => {
    answer = (tick) => isOn(tick, 30);
    const last = await watch({}, (handle) => handle.result());
    assert.equal(last.seconds, 0);
    assert.equal(evaluated.length, 30);
    evaluated.slice(1).forEach((at, i) => {
      const gap = at - evaluated[i]!;
      // The server's clock goes on while the activity runs.
      assert.ok(gap > 30_000 && gap < 90_000, `${gap}`);
    });
  });

  it('costs eleven events a tick, and continues as new with nothing but the time of the next one', async () => {
    answer = (tick) => isOn(tick, 24);
    const lengths = await watch({ historyLimit: 100 }, async (handle) => {
      const { firstExecutionRunId } = handle as WorkflowHandle & { firstExecutionRunId: string };
      await handle.result();
      const all: number[] = [];
      for (let run: string | null = firstExecutionRunId; run !== null;) {
        const { events } = await env.client.workflow.getHandle(handle.workflowId, run).fetchHistory();
        all.push(events!.length);
        const next: string | undefined =
          events!.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
        run = next ?? null;
      }
      return all;
    });
    assert.equal(evaluated.length, 24);
    assert.ok(lengths.length >= 3, lengths.join());
    // Started, the first task's three, and continued as new; the last task of a tick begins the next one.
    const ticks = Math.round((lengths[0]! - 5) / 11);
    assert.equal(lengths[0], 5 + 11 * ticks, lengths.join());
  });

  it('goes on after a tick that failed with all its attempts', async () => {
    answer = (tick) =>
      tick === 2 ? ApplicationFailure.nonRetryable('MongoDB is not what it was') : isOn(tick, 5);
    await watch({}, (handle) => handle.result());
    assert.equal(evaluated.length, 5);
  });

  it('tries a tick again, and takes another interval from the worker', async () => {
    answer = (tick) => (tick === 1 ? new Error('away') : isOn(tick, 6));
    const hour = { ...REPORT, seconds: 3600 };
    const first = answer;
    answer = (tick) => (tick === 3 || tick === 4 ? hour : first(tick));
    await watch({}, (handle) => handle.result());
    assert.equal(evaluated.length, 6);
    assert.ok(evaluated[4]! - evaluated[3]! > 30 * 60_000, 'an hour');
  });

  it('ends when there are fewer shards', async () => {
    answer = () => ({ ...REPORT, shards: 2 });
    const last = await watch({}, (handle) => handle.result());
    assert.equal(last.shards, 2);
    assert.equal(evaluated.length, 1);
  });
});
