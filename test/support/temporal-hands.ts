/** What operators do in Temporal's UI or with its own command, past Tenure. */
import { randomUUID } from 'node:crypto';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { until } from './until.js';

type Event = temporal.api.history.v1.IHistoryEvent;

/** Ids of the completed workflow tasks of a run: where it can be reset to. */
export async function tasksOf(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<readonly number[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const completed = ({ workflowTaskCompletedEventAttributes: done }: Event): boolean => done != null;
  return (events ?? []).filter(completed).map(({ eventId }) => Number(eventId));
}

export const newestRun = async (client: Client, workflowId: string): Promise<string> =>
  (await client.workflow.getHandle(workflowId).describe()).runId;

/** @param from the run to reset; the newest when absent. @returns the new run's id */
export async function reset(
  client: Client,
  workflowId: string,
  task: number,
  from?: string,
): Promise<string> {
  const runId = from ?? (await newestRun(client, workflowId));
  const answer = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: task as unknown as NonNullable<
      temporal.api.workflowservice.v1.IResetWorkflowExecutionRequest['workflowTaskFinishEventId']
    >,
    reason: 'by hand',
    requestId: randomUUID(),
  });
  return answer.runId;
}

/** And waits until it is gone: Temporal deletes in its own time, and who looks meanwhile sees something that changes. */
export async function deleteWorkflow(client: Client, workflowId: string): Promise<void> {
  await client.workflowService.deleteWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
  });
  const gone = (error: unknown): boolean => {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  };
  const handle = client.workflow.getHandle(workflowId);
  await until(`${workflowId} to be deleted`, () => handle.describe().then(() => false, gone), 60_000);
}
