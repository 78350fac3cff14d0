import { allHandlersFinished, workflowInfo } from '@temporalio/workflow';
import type { ParkingLot } from './parking.js';
import type { Recorder } from './recorder.js';

/** Below the server's own limit of 51,200 events and its suggestion at about 4,000: replays stay short. */
const HISTORY_LIMIT = 3_000;

/** Whether the run's history is long enough to continue as new. @param limit tests lower it */
export const isHistoryLong = (limit: number = HISTORY_LIMIT): boolean => {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength >= limit;
};

/**
 * Far longer than any run gets by its own work: messages flood it. The server takes 10,000 signals a run and refuses the rest, those
 * that matter among them, so that whatever can be taken up again gives way to a new run. @param limit tests lower it
 */
export const isFlooded = (limit: number = HISTORY_LIMIT): boolean =>
  workflowInfo().historyLength >= 2 * limit;

/** No message is being answered and no effect is in flight, so that a run can end here and nothing is lost or done twice. */
export const isSettled = ({
  recorder,
  parking,
}: {
  readonly recorder: Recorder;
  readonly parking: ParkingLot;
}): boolean => allHandlersFinished() && recorder.settled && parking.quiet;
