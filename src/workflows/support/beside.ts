import { inWorkflowContext } from '@temporalio/workflow';

/**
 * Lets work go on beside the stages; its failure fails the workflow task. The worker tears a run that it has given up down outside
 * of any workflow, where nothing works any more: what a loop says of that is of no interest, and would end the whole worker.
 */
export function beside(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    if (inWorkflowContext()) throw error;
  });
}
