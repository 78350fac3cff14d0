import {
  ActivityCancellationType,
  proxyActivities,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import type {
  TenureActivities,
  TrafficChange,
  TrafficChanged,
  WaitingActivities,
} from '../../contracts/activities.js';
import { waitingTaskQueue } from '../../contracts/ids.js';
import { REFUSALS } from '../../contracts/failures.js';
import type { RetrainingWork } from '../../contracts/retraining.js';

/** Every activity's limits. Attempts are bounded: when they are spent the workflow parks, visibly, instead of retrying unseen. */
const QUICK: ActivityOptions = {
  startToCloseTimeout: '30s',
  retry: {
    initialInterval: '200ms',
    maximumInterval: '5s',
    maximumAttempts: 5,
    nonRetryableErrorTypes: [...REFUSALS],
  },
  // A change of traffic that is given up is fenced by its generation, so nobody needs to wait for it to notice.
  cancellationType: ActivityCancellationType.TRY_CANCEL,
};

/** These beat by themselves (activities/alive.ts), so that a worker that died is noticed soon. */
const BEATING: ActivityOptions = { ...QUICK, heartbeatTimeout: '10s' };

const LIMITS: Readonly<Record<keyof TenureActivities, ActivityOptions>> = {
  recordEvents: BEATING,
  registerVersion: { ...QUICK, startToCloseTimeout: '5m', heartbeatTimeout: '30s' },
  findVersion: BEATING,
  changeTraffic: { ...QUICK, startToCloseTimeout: '3m', heartbeatTimeout: '10s' },
  rehearseRollback: { ...QUICK, startToCloseTimeout: '5m', heartbeatTimeout: '10s' },
  checkConformance: { ...QUICK, startToCloseTimeout: '5m', heartbeatTimeout: '30s' },
  validateVersion: { ...QUICK, startToCloseTimeout: '2h', heartbeatTimeout: '1m' },
  readBaseline: { ...BEATING, startToCloseTimeout: '2m' },
  readFreezeWindows: QUICK,
  verifyDecisions: BEATING,
  sendAlert: BEATING,
  readRetrainingSigns: BEATING,
};

type Result<F> = F extends (...args: never[]) => Promise<infer R> ? R : never;
type Input<F> = F extends (input: infer I) => Promise<unknown> ? I : never;

/** Runs one activity, with a line for the Temporal UI that says what it is for. */
export function run<K extends keyof TenureActivities>(
  name: K,
  summary: string,
  input: Input<TenureActivities[K]>,
): Promise<Result<TenureActivities[K]>> {
  const activities = proxyActivities<TenureActivities>({ ...LIMITS[name], summary });
  const activity = activities[name] as (value: typeof input) => Promise<Result<TenureActivities[K]>>;
  return activity(input);
}

/** A change towards safety: one attempt, since the workflow tries again by itself, without end, and tells people meanwhile. */
export function runTowardsSafety(summary: string, change: TrafficChange): Promise<TrafficChanged> {
  const limits = LIMITS.changeTraffic;
  const { changeTraffic } = proxyActivities<TenureActivities>({
    ...limits,
    retry: { ...limits.retry, maximumAttempts: 1 },
    summary,
  });
  return changeTraffic(change);
}

/** Waits for data, on a task queue of its own. */
export function wait(
  taskQueue: string,
  summary: string,
  input: Input<WaitingActivities['awaitLook']>,
): Promise<Result<WaitingActivities['awaitLook']>> {
  const activities = proxyActivities<WaitingActivities>({
    taskQueue: waitingTaskQueue(taskQueue),
    summary,
    startToCloseTimeout: '11m',
    heartbeatTimeout: '10s',
    retry: {
      initialInterval: '500ms',
      maximumInterval: '5s',
      maximumAttempts: 10,
      nonRetryableErrorTypes: [...REFUSALS],
    },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
  return activities.awaitLook(input);
}

/** A training may wait for its place so long, beside the time that it takes. */
const PLACE_SECONDS = 24 * 3600;

/** What a retraining does, on the waiting task queue: it takes long, and holds nothing up there. */
export function work<K extends keyof RetrainingWork>(
  name: K,
  summary: string,
  input: Input<RetrainingWork[K]>,
  seconds = 3600,
): Promise<Result<RetrainingWork[K]>> {
  const activities = proxyActivities<RetrainingWork>({
    taskQueue: waitingTaskQueue(workflowInfo().taskQueue),
    summary,
    startToCloseTimeout: `${seconds + PLACE_SECONDS}s`,
    heartbeatTimeout: '15s',
    retry: {
      initialInterval: '250ms',
      maximumInterval: '1m',
      maximumAttempts: 5,
      nonRetryableErrorTypes: [...REFUSALS],
    },
    // Nothing of a training may run on when it is said to have been cancelled.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  const activity = activities[name] as (value: typeof input) => Promise<Result<RetrainingWork[K]>>;
  return activity(input);
}
