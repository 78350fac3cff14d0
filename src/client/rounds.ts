import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  ScheduleNotFoundError,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import type { DoctorRoundInput, DoctorRoundResult } from '../contracts/doctor.js';
import { doctorScheduleId, doctorWorkflowId } from '../contracts/ids.js';
import { explain, TenureError } from './errors.js';

/**
 * Runs one round of the doctor and waits for its result.
 * @param id identity of the round: a repeat waits for the same one
 * @param patienceMs how long a worker may take to begin
 */
export async function runRound(
  client: Client,
  options: {
    readonly id: string;
    readonly taskQueue: string;
    readonly input: DoctorRoundInput;
    readonly patienceMs: number;
  },
): Promise<DoctorRoundResult> {
  const { id, taskQueue, input, patienceMs } = options;
  const workflowId = doctorWorkflowId(id);
  try {
    await client.workflow.start('doctorRound', {
      workflowId,
      taskQueue,
      args: [input],
      workflowExecutionTimeout: '1h',
      staticSummary:
        input.repair === undefined ? 'Asked for: compares the parts' : 'Asked for: mends differences',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw explain(error, 'not there');
  }
  const handle = client.workflow.getHandle(workflowId);
  const waiting = new AbortController();
  try {
    return await Promise.race([resultOf(handle), untakenUp(handle, patienceMs, waiting.signal).then(nobody)]);
  } catch (error) {
    // It must not begin when nobody waits for it any more.
    if (error instanceof NobodyError) await handle.terminate(error.message).catch(() => undefined);
    throw error;
  } finally {
    waiting.abort();
  }
}

class NobodyError extends TenureError {
  constructor() {
    super('unreachable', 'no worker answered: is `tenure up` (or the worker) running? Nothing was compared');
  }
}

const nobody = (): never => {
  throw new NobodyError();
};

async function resultOf(handle: WorkflowHandle): Promise<DoctorRoundResult> {
  try {
    return (await handle.result()) as DoctorRoundResult;
  } catch (error) {
    if (error instanceof WorkflowFailedError)
      throw new TenureError('unreachable', `The round could not be ended: ${innermost(error)}. Repeat it`, {
        cause: error,
      });
    throw explain(error, 'the round is not there any more');
  }
}

/** In words, the last cause of a failure. */
const innermost = (error: Error): string =>
  error.cause instanceof Error ? innermost(error.cause) : error.message;

/** Started, task scheduled, started, completed, first activity scheduled: with more, an activity has been done. */
const EVENTS_BEFORE_WORK = 5;

/** Ends when nobody has taken it up within the patience; a round that was taken up is waited for, whoever died meanwhile. */
async function untakenUp(handle: WorkflowHandle, patienceMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(patienceMs, undefined, { signal, ref: false });
    const { raw, historyLength } = await handle.describe();
    const begun = (raw.pendingActivities ?? []).some(
      ({ attempt, lastStartedTime }) => (attempt ?? 1) > 1 || lastStartedTime != null,
    );
    if (historyLength <= EVENTS_BEFORE_WORK && !begun) return;
  }
}

/** The result of the newest round of the Schedule that has ended well; null when there is none. */
export async function lastScheduledRound(
  client: Client,
  taskQueue: string,
): Promise<DoctorRoundResult | null> {
  try {
    const { info } = await client.schedule.getHandle(doctorScheduleId(taskQueue)).describe();
    for (const { action } of info.recentActions.toReversed()) {
      const { workflowId, firstExecutionRunId } = action.workflow;
      const handle = client.workflow.getHandle(workflowId, firstExecutionRunId);
      const { status } = await handle.describe();
      if (status.name === 'COMPLETED') return (await handle.result()) as DoctorRoundResult;
    }
    return null;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError)
      throw new TenureError(
        'not-found',
        'There is no Schedule of the doctor: a worker sets it up at its start unless TENURE_DOCTOR_SECONDS is 0',
        { cause: error },
      );
    // Temporal forgets ended workflows after the namespace's retention time.
    if (error instanceof WorkflowNotFoundError) return null;
    throw explain(error, 'the last round is not there any more');
  }
}
