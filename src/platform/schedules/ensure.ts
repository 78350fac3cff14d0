import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleHandle,
  type ScheduleOptions,
} from '@temporalio/client';

type Plan = Omit<ScheduleOptions, 'scheduleId'>;
type Described = Awaited<ReturnType<ScheduleHandle['describe']>>['spec'];

/**
 * Makes a Schedule what it is to be. What is there stays as it is but for its times, and one that was paused stays paused.
 * @param plan null: none, and it is removed
 * @param isSo whether the times are those of the plan
 */
export async function ensureSchedule(
  client: Client,
  scheduleId: string,
  plan: Plan | null,
  isSo: (spec: Described) => boolean,
): Promise<void> {
  const handle = client.schedule.getHandle(scheduleId);
  if (plan === null) {
    await handle.delete().catch((error: unknown) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    });
    return;
  }
  try {
    await client.schedule.create({ scheduleId, ...plan });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec } = await handle.describe();
    if (isSo(spec)) return;
    await handle.update((before) => ({ ...before, spec: plan.spec }));
  }
}
