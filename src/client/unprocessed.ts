import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

/** Type of the server's failure when a worker ended its task without a word on an update. */
export const UNPROCESSED = 'UnprocessedUpdate';

const TRIES = 4;

/**
 * Sends an update again that a worker ended its task without: one that was just started can do so when it has answered a query
 * before. Nothing was done, and the same update is the same act.
 * @throws what the last try threw
 */
export async function untilProcessed<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (tries === TRIES || !isUnprocessed(error)) throw error;
    }
  }
}

const isUnprocessed = (error: unknown): boolean =>
  error instanceof WorkflowUpdateFailedError &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === UNPROCESSED;
