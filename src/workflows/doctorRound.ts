import {
  ActivityCancellationType,
  log,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import type {
  DoctorActivities,
  DoctorReport,
  DoctorRoundInput,
  DoctorRoundResult,
  RepairStep,
  ToldDifference,
} from '../contracts/doctor.js';
import { waitingTaskQueue } from '../contracts/ids.js';
import { doctorDetails, openOf, tellings, untold } from '../lifecycle/doctor/rounds.js';
import { describeFailure } from './support/failures.js';

/** A fleet of thousands takes minutes; a round that cannot be ended fails, and the next one begins anew. */
const LIMITS: ActivityOptions = {
  startToCloseTimeout: '30m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 10 },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
};

const activities = (summary: string): ReturnType<typeof proxyActivities<DoctorActivities>> =>
  proxyActivities<DoctorActivities>({
    ...LIMITS,
    taskQueue: waitingTaskQueue(workflowInfo().taskQueue),
    summary,
  });

/**
 * Compares the parts once. Started by the Schedule, it tells people what is new and what is over since the round before;
 * started by somebody who asks, it tells them alone, and mends what they want mended.
 */
export async function doctorRound(input: DoctorRoundInput): Promise<DoctorRoundResult> {
  const { repair, whole, model, tells = false } = input;
  const scope = { whole, ...(model === undefined ? {} : { model }) };
  const repairs: RepairStep[] = [];
  if (repair !== undefined) {
    for (const [name, keys] of byModel(repair.keys))
      repairs.push(...(await activities(`mend ${name}`).repairModel({ ...repair, model: name, keys })));
  }
  const report = await activities('compare the parts').compareParts(scope);
  setCurrentDetails(doctorDetails(report));
  return { report, repairs, open: tells ? await tell(report) : [] };
}

/** Keys begin with the model. */
function byModel(keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const models = new Map<string, readonly string[]>();
  for (const key of keys) {
    const [model = ''] = key.split('/');
    models.set(model, [...(models.get(model) ?? []), key]);
  }
  return models;
}

async function tell(report: DoctorReport): Promise<readonly ToldDifference[]> {
  const before = openOf(workflowInfo().lastResult);
  const told = tellings(before, report);
  const { fresh, resolved, open } = told;
  if (fresh.length + resolved.length === 0) return open;
  try {
    const summary = `tell of ${fresh.length} new, ${resolved.length} over`;
    await activities(summary).tellDifferences({ at: report.at, fresh, resolved });
    return open;
  } catch (error) {
    log.warn('Differences not told', { reason: describeFailure(error) });
    return untold(told);
  }
}
