/** Workflow ids are business identities: one open execution per id. */
export const modelWorkflowId = (model: string): string => `model:${model}`;
export const releaseWorkflowId = (model: string, number: number): string => `release:${model}:${number}`;

export const incidentWorkflowId = (model: string, number: number): string => `incident:${model}:${number}`;

/** The incident whose workflow has this id; null for any other workflow. */
export function incidentOfWorkflow(
  workflowId: string,
): { readonly model: string; readonly incident: number } | null {
  const [, model, number] = /^incident:(.+):(\d+)$/.exec(workflowId) ?? [];
  return model === undefined ? null : { model, incident: Number(number) };
}
export const retrainingWorkflowId = (model: string, number: number): string =>
  `retraining:${model}:${number}`;

/** Whether this is the id of a retraining, which also acts as one: it registers versions. */
export const isRetraining = (id: string): boolean => /^retraining:.+:\d+$/.test(id);

/** The Schedule of the doctor's rounds: one an installation, whose name is its task queue. */
export const doctorScheduleId = (taskQueue: string): string => `doctor:${taskQueue}`;
/** The Schedule of the daily report: one an installation, as above. */
export const reportScheduleId = (taskQueue: string): string => `report:${taskQueue}`;
/** A round that somebody asked for. */
export const doctorWorkflowId = (requestId: string): string => `doctor:round:${requestId}`;

/** One of the installation's monitors, from 0: it evaluates the models whose names hash to it. */
export const monitorWorkflowId = (taskQueue: string, shard: number): string =>
  `monitor:${taskQueue}:${shard}`;

/** As monitors were named that did not say of which installation they are: they end with their next tick. */
export const isFormerMonitor = (id: string): boolean => /^monitor:\d+$/.test(id);

/**
 * Identity of an act of a release, the same in every retry, reset and continue-as-new.
 * @param step which act, e.g. `canary/2`
 * @param attempt counts deliberate repetitions of the act (an operator's retry), not activity retries
 */
export const actId = (model: string, number: number, step: string, attempt: number): string =>
  `${releaseWorkflowId(model, number)}/${step}/${attempt}`;

/** The release whose workflow has this id; null for any other workflow. */
export function releaseOfWorkflow(
  workflowId: string,
): { readonly model: string; readonly release: number } | null {
  const [, model, number] = /^release:(.+):(\d+)$/.exec(workflowId) ?? [];
  return model === undefined ? null : { model, release: Number(number) };
}

/** Under one of these ids the ledger holds how a release ended: by itself, or taken back by its model after it was lost. */
export const endIds = (model: string, number: number): readonly string[] => [
  actId(model, number, 'end', 1),
  actId(model, number, 'settle', 1),
  `${modelWorkflowId(model)}/restore-${number}/release.aborted`,
];

/** Workflows and quick activities. */
export const DEFAULT_TASK_QUEUE = 'tenure';

/** Activities that wait for data run on a queue of their own, so that they can never hold up a rollback. */
export const waitingTaskQueue = (taskQueue: string): string => `${taskQueue}-wait`;
