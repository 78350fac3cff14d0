/** Workflow ids are business identities: one open execution per id. */
export const modelWorkflowId = (model: string): string => `model:${model}`;
export const releaseWorkflowId = (model: string, number: number): string => `release:${model}:${number}`;

/**
 * Identity of an act of a release, the same in every retry, reset and continue-as-new.
 * @param step which act, e.g. `canary/2`
 * @param attempt counts deliberate repetitions of the act (an operator's retry), not activity retries
 */
export const actId = (model: string, number: number, step: string, attempt: number): string =>
  `${releaseWorkflowId(model, number)}/${step}/${attempt}`;

/** Workflows and quick activities. */
export const DEFAULT_TASK_QUEUE = 'tenure';

/** Activities that wait for data run on a queue of their own, so that they can never hold up a rollback. */
export const waitingTaskQueue = (taskQueue: string): string => `${taskQueue}-wait`;
