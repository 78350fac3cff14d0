import { setTimeout as sleep } from 'node:timers/promises';
import { QueryNotRegisteredError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

/** Type of the server's failure when a worker ended its task without a word on an update. */
export const UNPROCESSED = 'UnprocessedUpdate';

const TRIES = 4;
const PAUSE_MS = 500;

/**
 * Makes a call again that a worker did not look at. An update can be answered without a word by a workflow that was just started and
 * has answered a query before: nothing was done, and the same update is the same act. A query is answered with "nondeterminism" by a
 * worker so busy that the server took its tasks away, until it has read the history anew.
 * @throws what the last try threw
 */
export async function untilProcessed<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (tries === TRIES || !(isUnprocessed(error) || isUnreplayed(error))) throw error;
      if (isUnreplayed(error)) await sleep(tries * PAUSE_MS);
    }
  }
}

const isUnprocessed = (error: unknown): boolean =>
  error instanceof WorkflowUpdateFailedError &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === UNPROCESSED;

/** Whether a worker could not replay the history of what was queried: Temporal's own number for that is in the text. */
export const isUnreplayed = (error: unknown): boolean =>
  error instanceof QueryNotRegisteredError && error.message.includes('TMPRL1100');
