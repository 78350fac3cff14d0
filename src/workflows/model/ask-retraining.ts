import { workflowInfo } from '@temporalio/workflow';
import type { ModelContext } from './context.js';

/** A finding that asks for a retraining. */
export interface AskedRetraining {
  readonly trigger: 'finding';
  /** Identity of what asks: the same again starts nothing more. */
  readonly evidence: string;
  readonly by: string;
  readonly finding: string;
}

/** There is no retraining yet: that it was asked for, and why it is not done, is on record. */
export async function askForRetraining(
  context: ModelContext,
  { trigger, evidence, finding }: AskedRetraining,
): Promise<void> {
  const id = `${workflowInfo().workflowId}/retraining-held-back/${evidence}`;
  const reason = 'the manifest has no retraining section';
  context.recorder.add(context.entry(id, 'retraining.held-back', {}, { trigger, reason, finding }));
}
