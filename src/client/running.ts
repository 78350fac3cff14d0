import { Connection } from '@temporalio/client';
import type { Db } from 'mongodb';
import { gatewayStatus } from './gateways.js';
import { TenureError } from './errors.js';
import type { Session } from './session.js';

/** Of Temporal's `TaskQueueType`. */
const WORKFLOW_QUEUE = 1;

/** A poll of a worker lasts about a minute; whoever has not begun one for so long is gone. */
const POLL_MS = 75_000;

/**
 * Refuses while somebody works with the database: gateways by their reports, workers by their polls. Without Temporal no worker gets
 * anything to do; where it cannot be reached, the gateways alone are asked.
 * @throws TenureError `refused`
 */
export async function refuseRunning(session: Session, db: Db): Promise<void> {
  const gateways = (await gatewayStatus(session)).filter(({ status }) => status === 'serving');
  const [first] = gateways;
  if (first !== undefined)
    throw new TenureError(
      'refused',
      `${gateways.length === 1 ? 'Gateway' : 'Gateways'} ${gateways.map(({ gateway }) => gateway).join(', ')} reported to database ${db.databaseName} ` +
        `${first.silentSeconds.toFixed(1)} s ago: stop them first; one that was killed counts as gone after its lease`,
    );
  const { temporal, namespace, taskQueue } = session.config;
  if (temporal === null) return;
  const seen = await lastPoll(temporal.connection, namespace, taskQueue).catch(() => null);
  if (seen !== null && Date.now() - seen < POLL_MS)
    throw new TenureError(
      'refused',
      `A worker asked task queue ${taskQueue} for work ${((Date.now() - seen) / 1000).toFixed(0)} s ago: stop it first; ` +
        `one that has stopped counts as gone after ${POLL_MS / 1000} s`,
    );
}

/** Epoch milliseconds; null when no worker is known. @throws Error when Temporal cannot be reached */
async function lastPoll(
  options: Parameters<typeof Connection.connect>[0],
  namespace: string,
  taskQueue: string,
): Promise<number | null> {
  const connection = await Connection.connect({ ...options, connectTimeout: 3_000 });
  try {
    const { pollers } = await connection.withDeadline(Date.now() + 5_000, () =>
      connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum is of a package for tests
        taskQueueType: WORKFLOW_QUEUE,
      }),
    );
    const times = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
    return times.length === 0 ? null : Math.max(...times);
  } finally {
    await connection.close();
  }
}
