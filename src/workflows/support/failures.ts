import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { RecordedEnd } from '../../contracts/activities.js';
import { FailureType, REFUSALS } from '../../contracts/failures.js';

/** The typed failure behind an activity's failure, if there is one. */
export const applicationFailure = (error: unknown): ApplicationFailure | null => {
  if (error instanceof ApplicationFailure) return error;
  return error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause : null;
};

/** A failure that no retry can mend. */
export const isRefusal = (error: unknown): error is Error => {
  const type = applicationFailure(error)?.type;
  return typeof type === 'string' && REFUSALS.includes(type);
};

/** How the release has ended by its record, where an activity refused for that reason; null for any other failure. */
export function recordedEnd(error: unknown): RecordedEnd | null {
  const failure = applicationFailure(error);
  const [end] = failure?.type === FailureType.ReleaseOver ? (failure.details ?? []) : [];
  return (end as RecordedEnd | undefined) ?? null;
}

/** What passes by itself as soon as MongoDB, or a worker, is back. */
export const isAway = (error: unknown): boolean =>
  applicationFailure(error)?.type === FailureType.StoreAway ||
  (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure);

/** In words, the innermost cause first. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : undefined;
  return (cause ?? error).message;
}

/** A text out of a message that anybody may have sent in any shape. */
export const textOf = (value: unknown, fallback: string): string =>
  typeof value === 'string' && value.length > 0 ? value.slice(0, 500) : fallback;
