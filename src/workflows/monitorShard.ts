import {
  ActivityCancellationType,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';

import { waitingTaskQueue } from '../contracts/ids.js';
import type { MonitorActivities, MonitorShardInput, ShardReport } from '../contracts/monitors.js';
import { nextTick } from '../lifecycle/monitor-ticks.js';
import { isHistoryLong } from './support/continuing.js';
import { describeFailure } from './support/failures.js';

/** A repeat finds its own work done; what a tick does not get done, the next one does. */
const LIMITS: ActivityOptions = {
  startToCloseTimeout: '15m',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 20 },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
};

/**
 * A monitor: for ever, one activity a tick that evaluates all models of the shard. A tick costs eleven events of history whatever the
 * number of models: timer 2, activity 3, workflow tasks 6. What is carried from tick to tick is in MongoDB, so nothing is lost
 * with a run, and a run may be terminated and started anew at any time. It ends when there are fewer shards, or none are wanted.
 */
export async function monitorShard(input: MonitorShardInput): Promise<ShardReport> {
  const { shard, historyLimit } = input;
  const installation = workflowInfo().taskQueue;
  let { seconds, shards = shard + 1 } = input;
  let next = input.next ?? nextTick({ installation, shard, shards, seconds }, Date.now());
  setCurrentDetails(`No tick yet in this run. The first one is at ${new Date(next).toISOString()}.`);
  for (;;) {
    const pause = next - Date.now();
    if (pause > 0) await sleep(pause, { summary: 'the next tick' });
    try {
      const report = await evaluate(shard);
      if (report.seconds === 0 || shard >= report.shards) return report;
      ({ seconds, shards } = report);
      setCurrentDetails(details(report));
    } catch (error) {
      if (isCancellation(error)) throw error;
      setCurrentDetails(
        `**The last tick failed:** ${describeFailure(error)}\n\nThe next one makes up for it.`,
      );
    }
    next = nextTick({ installation, shard, shards, seconds }, Date.now());
    if (isHistoryLong(historyLimit))
      await continueAsNew<typeof monitorShard>({ ...input, seconds, shards, next });
  }
}

const evaluate = (shard: number): Promise<ShardReport> =>
  proxyActivities<MonitorActivities>({
    ...LIMITS,
    taskQueue: waitingTaskQueue(workflowInfo().taskQueue),
    summary: 'evaluate the windows that have closed',
  }).evaluateShard({ shard });

function details({ models, evaluated, found, told, failed, silent, seconds }: ShardReport): string {
  const lines = [
    `${models} models, every ${seconds} s. Last tick: ${evaluated} evaluated, ${found} findings, ${told} models told.`,
    ...failed.map(({ model, reason }) => `- \`${model}\` could not be evaluated: ${reason}`),
    ...silent.map((shard) => `- monitor ${shard} is silent`),
  ];
  return lines.join('\n');
}
