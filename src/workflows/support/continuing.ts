import { allHandlersFinished, condition, workflowInfo } from '@temporalio/workflow';

/** Below the server's own limit of 51,200 events and its suggestion at about 4,000: replays stay short. */
const HISTORY_LIMIT = 3_000;

/** Whether the run's history is long enough to continue as new. @param limit tests lower it */
export const isHistoryLong = (limit: number = HISTORY_LIMIT): boolean => {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength >= limit;
};

/** Lets handlers finish, so that no message is answered by nobody. */
export const settleHandlers = (): Promise<void> => condition(allHandlersFinished);
