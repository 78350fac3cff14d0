/** Releases of a state that is read from its record. Pure. */
import type { LedgerEvent } from '../../contracts/ledger.js';
import type { ReleaseOutcome, VersionRef } from '../../contracts/model.js';
import { MAX_RELEASES, type ModelState, release } from '../model-state.js';
import { versionIn } from './reading.js';

/** Submitted, as far as the record says. */
export const isKnown = (state: ModelState, number: number): boolean =>
  release(state, number) !== undefined || isForgotten(state, number);

/** Only the newest releases are kept: one that is older than all of them is over, not unknown. */
const isForgotten = ({ releases }: ModelState, number: number): boolean =>
  releases.length >= MAX_RELEASES && releases.every((summary) => summary.release > number);

export const versionOf = (event: LedgerEvent): VersionRef | null => versionIn(event.subject);

const OUTCOMES: Readonly<Record<string, ReleaseOutcome>> = {
  'release.succeeded': 'succeeded',
  'release.rejected': 'rejected',
  'release.rolled-back': 'rolled-back',
  'release.aborted': 'aborted',
};

/** Null: the event is not the end of a release. */
export const outcomeOf = ({ action }: LedgerEvent): ReleaseOutcome | null =>
  Object.hasOwn(OUTCOMES, action) ? (OUTCOMES[action] ?? null) : null;

export const withRelease = (
  state: ModelState,
  number: number,
  change: Partial<ModelState['releases'][number]>,
): ModelState => ({
  ...state,
  releases: state.releases.map((old) => (old.release === number ? { ...old, ...change } : old)),
});

export const supersede = (
  state: ModelState,
  numbers: readonly number[],
  reason: string,
  at: string,
): ModelState => ({
  ...state,
  queue: state.queue.filter((queued) => !numbers.includes(queued)),
  releases: state.releases.map((old) =>
    numbers.includes(old.release) ? { ...old, stage: 'superseded' as const, reason, endedAt: at } : old,
  ),
});
