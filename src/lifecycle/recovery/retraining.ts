import type { LedgerEvent } from '../../contracts/ledger.js';
import type { ModelState } from '../model-state.js';
import { endRetraining, isOutcomeOfRetraining, isTrigger, recordedStart } from '../retraining.js';
import { evidenceOf, numberIn, subjectOf, textIn } from './reading.js';

/** What the record says of a retraining, done to a state as its lifecycle did it. One without an end is looked for by the lifecycle. */
export function retrainingRecorded(state: ModelState, event: LedgerEvent): ModelState {
  const retraining = numberIn(subjectOf(event, 'retraining'));
  if (retraining === null) return state;
  if (event.action === 'retraining.requested') {
    const trigger = textIn(evidenceOf(event, 'trigger'));
    if (trigger === null || !isTrigger(trigger)) return state;
    return recordedStart(state, {
      retraining,
      trigger,
      by: textIn(evidenceOf(event, 'by')) ?? event.actor.id,
      finding: textIn(evidenceOf(event, 'finding')),
      evidence: textIn(evidenceOf(event, 'evidence')),
      at: event.at,
    });
  }
  const outcome = textIn(evidenceOf(event, 'outcome'));
  if (outcome === null || !isOutcomeOfRetraining(outcome)) return state;
  return endRetraining(state, {
    retraining,
    outcome,
    reason: textIn(evidenceOf(event, 'reason')),
    release: numberIn(evidenceOf(event, 'release')),
    endedAt: event.at,
  });
}
