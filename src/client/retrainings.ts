import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { retrainingWorkflowId } from '../contracts/ids.js';
import { retrainingState } from '../contracts/messages.js';
import type { RetrainingStanding } from '../contracts/views.js';
import { Incidents } from './incidents.js';

/** What the step under way said last of itself, by its heartbeat: some of it, as the step has it. */
export interface RetrainingBeat {
  readonly stage?: string;
  /** Rows read so far. */
  readonly rows?: number;
  /** Of the trainer: share done, 0 to 1, and in its words; null until it says so. */
  readonly progress?: number | null;
  readonly message?: string | null;
  readonly attempt?: number;
  readonly seconds?: number;
  readonly memoryMb?: number;
  /** Of a comparison. */
  readonly done?: number;
  readonly total?: number;
}

/** Where a retraining stands, and how far its step is. */
export interface RetrainingSight extends RetrainingStanding {
  /** Null while no step is under way, or it has not said anything yet. */
  readonly beat: RetrainingBeat | null;
}

/** Retrainings, through Temporal. */
export class Retrainings extends Incidents {
  /** Also of one that is over, as long as the server keeps it. @throws TenureError `not-found` */
  retraining(model: string, retraining: number): Promise<RetrainingSight> {
    const name = `retraining ${retraining} of ${model}`;
    const see = `\`tenure history ${model}\``;
    return this.about(retrainingWorkflowId(model, retraining), { name, see }, async (handle) => {
      const [standing, { raw }] = await Promise.all([handle.query(retrainingState), handle.describe()]);
      return { ...standing, beat: beatIn(raw.pendingActivities ?? []) };
    });
  }
}

type Pending = WorkflowExecutionDescription['raw']['pendingActivities'];

/** A retraining does one thing at a time; what it records beside says nothing. */
function beatIn(pending: NonNullable<Pending>): RetrainingBeat | null {
  for (const { heartbeatDetails } of pending) {
    const [payload] = heartbeatDetails?.payloads ?? [];
    const beat: unknown = payload == null ? null : defaultPayloadConverter.fromPayload(payload);
    if (typeof beat === 'object' && beat !== null) return beat;
  }
  return null;
}
