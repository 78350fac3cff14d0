import type { Client } from '@temporalio/client';
import { monitorWorkflowId } from '../../contracts/ids.js';
import type { MonitorShardInput } from '../../contracts/monitors.js';

export interface MonitorSettings {
  /** Workflows among which models are shared out. */
  readonly shards: number;
  /** Between two ticks of each; 0: none are started, and those that run end with their next tick. */
  readonly seconds: number;
}

/**
 * Starts the monitors that do not run. Every worker calls this at its start; what runs goes on, and takes another number of shards or
 * seconds from the worker that does its next tick.
 */
export async function ensureMonitors(
  client: Client,
  taskQueue: string,
  settings: MonitorSettings,
): Promise<void> {
  if (settings.seconds === 0) return;
  for (let shard = 0; shard < settings.shards; shard += 1)
    await startMonitor(client, taskQueue, shard, settings);
}

/** Whatever was there and has ended or was terminated: everything that a monitor knows is in MongoDB. */
export async function startMonitor(
  client: Client,
  taskQueue: string,
  shard: number,
  { shards, seconds }: MonitorSettings,
): Promise<void> {
  await client.workflow.start('monitorShard', {
    workflowId: monitorWorkflowId(taskQueue, shard),
    taskQueue,
    args: [{ shard, shards, seconds } satisfies MonitorShardInput],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `Monitor ${shard}: evaluates the windows of its models`,
  });
}
