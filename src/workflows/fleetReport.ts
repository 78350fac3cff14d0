import {
  ActivityCancellationType,
  ApplicationFailure,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { FailureType } from '../contracts/failures.js';
import { waitingTaskQueue } from '../contracts/ids.js';
import type { FleetReportInput, ReportActivities, StoredReportHead } from '../contracts/report.js';
import { dayBefore, isDay } from '../lifecycle/report-day.js';

/** Set by the server when a Schedule starts a workflow: the time that was meant, also when it is made up for later. */
const SCHEDULED_AT = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/**
 * Computes and stores the report of a day. Eleven events a day: one activity does it all, as every step of it only reads but the last.
 * @throws ApplicationFailure `InvalidInput` for a day that is none, or is not over
 */
export async function fleetReport({ day: asked }: FleetReportInput): Promise<StoredReportHead> {
  const { taskQueue, typedSearchAttributes, startTime } = workflowInfo();
  const day = asked ?? dayBefore((typedSearchAttributes.get(SCHEDULED_AT) ?? startTime).getTime());
  if (!isDay(day))
    throw ApplicationFailure.nonRetryable(
      `day is ${JSON.stringify(day)}: a day like 2026-11-27 is needed`,
      FailureType.InvalidInput,
    );
  const { writeFleetReport } = proxyActivities<ReportActivities>({
    // The database may be away for hours; the day does not change any more.
    startToCloseTimeout: '15m',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '5s', maximumInterval: '15m', maximumAttempts: 50 },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    taskQueue: waitingTaskQueue(taskQueue),
    summary: `report of the days up to ${day}`,
  });
  const head = await writeFleetReport({ day });
  setCurrentDetails(`## Report of ${day}, revision ${head.revision}\n\n\`tenure report --day ${day}\``);
  return head;
}
