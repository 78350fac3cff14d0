import { type Client, ScheduleOverlapPolicy } from '@temporalio/client';
import type { DoctorRoundInput } from '../../contracts/doctor.js';
import { doctorScheduleId } from '../../contracts/ids.js';
import { ensureSchedule } from './ensure.js';

/** A round that was missed is not made up for: the next one sees what it would have seen. */
const CATCH_UP = '1m';

const planOf = (taskQueue: string, seconds: number) => ({
  spec: {
    intervals: [{ every: seconds * 1_000 }],
    // Installations that share a server do not start together.
    jitter: Math.round(seconds * 100),
  },
  action: {
    type: 'startWorkflow' as const,
    workflowType: 'doctorRound',
    workflowId: `${doctorScheduleId(taskQueue)}/round`,
    taskQueue,
    args: [{ whole: false, tells: true } satisfies DoctorRoundInput],
    workflowExecutionTimeout: '40m' as const,
    staticSummary: 'Compares workflows, routes, gateways, artifacts and ledger',
  },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP as '1m' },
});

/**
 * The doctor's rounds are a Schedule of Temporal, so that they can be seen, paused and started by hand there. Every worker calls
 * this at its start: what is there stays as it is but for its interval, and one that was paused stays paused.
 * @param seconds between two rounds; 0: none, and the Schedule is removed
 */
export async function ensureDoctorSchedule(
  client: Client,
  taskQueue: string,
  seconds: number,
): Promise<void> {
  await ensureSchedule(
    client,
    doctorScheduleId(taskQueue),
    seconds === 0 ? null : planOf(taskQueue, seconds),
    ({ intervals }) => intervals?.[0]?.every === seconds * 1_000,
  );
}
