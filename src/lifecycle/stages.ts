import type { ReleaseOutcome, ReleaseStage } from '../contracts/model.js';

const NEXT: Readonly<Record<ReleaseStage, readonly ReleaseStage[]>> = {
  validating: ['awaiting-approval', 'deploying', 'rejected', 'aborted'],
  'awaiting-approval': ['deploying', 'canary', 'promoting', 'rejected', 'rolled-back', 'aborted'],
  deploying: ['canary', 'awaiting-approval', 'promoting', 'rolled-back', 'aborted'],
  canary: ['awaiting-approval', 'promoting', 'rejected', 'rolled-back', 'aborted'],
  promoting: ['soaking', 'canary', 'awaiting-approval', 'rolled-back', 'aborted'],
  soaking: ['succeeded', 'rolled-back', 'aborted'],
  succeeded: [],
  rejected: [],
  'rolled-back': [],
  aborted: [],
};

export const isStage = (value: unknown): value is ReleaseStage =>
  typeof value === 'string' && Object.hasOwn(NEXT, value);

/** Whether a release may go from one stage to another; staying is allowed. */
export const mayMove = (from: ReleaseStage, to: ReleaseStage): boolean =>
  from === to || NEXT[from].includes(to);

export const isOutcome = (stage: ReleaseStage): stage is ReleaseOutcome => NEXT[stage].length === 0;

/** Stages before any user request can reach the candidate: what may still be superseded. */
export const isBeforeCanary = (stage: ReleaseStage): boolean =>
  stage === 'validating' || stage === 'awaiting-approval' || stage === 'deploying';
