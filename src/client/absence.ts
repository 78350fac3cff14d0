import type { ReleaseSummary } from '../contracts/views.js';
import { TenureError } from './errors.js';

/** Why a release does not answer, or takes no decision any more. */
export const isOver = (model: string, release: number, stage: string): TenureError =>
  new TenureError('refused', `release ${release} of ${model} is over: it ended ${stage}`);

export function absence(model: string, release: number, releases: readonly ReleaseSummary[]): TenureError {
  const summary = releases.find((known) => known.release === release);
  if (summary === undefined) {
    const newest = releases[0]?.release;
    const known = newest === undefined ? 'it has none' : `the newest is ${newest}`;
    return new TenureError('not-found', `release ${release} of ${model} is not known; ${known}`);
  }
  if (summary.stage === 'queued')
    return new TenureError(
      'not-found',
      `release ${release} of ${model} is queued: it starts when the one before it has ended`,
    );
  return summary.endedAt === null
    ? new TenureError('not-found', `release ${release} of ${model} is just starting or ending: try again`)
    : isOver(model, release, summary.stage);
}
