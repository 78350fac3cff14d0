import type { RecordedEnd } from '../contracts/activities.js';
import { FailureType } from '../contracts/failures.js';
import { endIds } from '../contracts/ids.js';
import type { StoredEvent } from '../contracts/ledger.js';
import type { ReleaseOutcome } from '../contracts/model.js';
import type { LedgerReader } from '../ledger/index.js';
import { refusal } from './failures.js';

const OUTCOMES: Readonly<Record<string, ReleaseOutcome>> = {
  'release.succeeded': 'succeeded',
  'release.rejected': 'rejected',
  'release.rolled-back': 'rolled-back',
  'release.aborted': 'aborted',
};

/** Whether an event of this action is the end of a release. */
export const isEnd = (action: string): boolean => action in OUTCOMES;

/** How an event says that its release ended; null when it is about something else. */
export function endOf({ action, subject, evidence }: StoredEvent): RecordedEnd | null {
  const outcome = OUTCOMES[action];
  if (outcome === undefined) return null;
  const { digest } = subject;
  const { generation } = evidence;
  return {
    outcome,
    digest: typeof digest === 'string' ? digest : null,
    generation: typeof generation === 'number' ? generation : null,
  };
}

/**
 * A release that was reset after its end runs again from some point of its history. What it would do is done, or was taken back for a
 * reason: nothing of it may happen again.
 * @throws ApplicationFailure `ReleaseOver`
 */
export async function refuseOver(ledger: LedgerReader, model: string, release: number): Promise<void> {
  const [event] = await ledger.findAny(model, endIds(model, release));
  const end = event === undefined ? null : endOf(event);
  if (end !== null) throw overFailure(model, release, end);
}

export const overFailure = (model: string, release: number, end: RecordedEnd) =>
  refusal(
    FailureType.ReleaseOver,
    `Release ${release} of ${model} is over by its record: it ended ${end.outcome}`,
    undefined,
    [end],
  );
