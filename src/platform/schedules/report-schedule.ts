import { type Client, ScheduleOverlapPolicy } from '@temporalio/client';
import { reportScheduleId } from '../../contracts/ids.js';
import type { FleetReportInput } from '../../contracts/report.js';
import { ensureSchedule } from './ensure.js';

/** A day that nobody worked on is made up for: each has a report of its own. */
const CATCH_UP = '7 days';

const planOf = (taskQueue: string, hour: number, minute: number) => ({
  spec: { calendars: [{ hour, minute, comment: 'UTC' }] },
  action: {
    type: 'startWorkflow' as const,
    workflowType: 'fleetReport',
    workflowId: `${reportScheduleId(taskQueue)}/day`,
    taskQueue,
    args: [{} satisfies FleetReportInput],
    workflowExecutionTimeout: '1 day' as const,
    staticSummary: 'Computes and stores the report of the day before',
  },
  policies: { overlap: ScheduleOverlapPolicy.BUFFER_ALL, catchupWindow: CATCH_UP as '7 days' },
});

/**
 * The daily report is a Schedule of Temporal: days that are missing can be made there by a backfill. Every worker calls this at its start.
 * @param at `HH:MM`, UTC; null: no reports, and the Schedule is removed
 */
export async function ensureReportSchedule(
  client: Client,
  taskQueue: string,
  at: string | null,
): Promise<void> {
  const [hour = 0, minute = 0] = (at ?? '').split(':').map(Number);
  await ensureSchedule(
    client,
    reportScheduleId(taskQueue),
    at === null ? null : planOf(taskQueue, hour, minute),
    ({ calendars }) =>
      calendars?.[0]?.hour?.[0]?.start === hour && calendars[0].minute?.[0]?.start === minute,
  );
}
