import type { LedgerEvent } from '../../contracts/ledger.js';
import type { ModelState } from '../model-state.js';
import { letWait } from '../waiting-findings.js';
import {
  endRetraining,
  isOutcomeOfRetraining,
  isTrigger,
  recordedStart,
  withRetraining,
} from '../retraining.js';
import { evidenceOf, numberIn, subjectOf, textIn } from './reading.js';

/** What the record says of a retraining, done to a state as its lifecycle did it. One without an end is looked for by the lifecycle. */
export function retrainingRecorded(state: ModelState, event: LedgerEvent): ModelState {
  if (event.action === 'retraining.held-back') return heldBackRecorded(state, event);
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

/** A finding waits on; without its cause nobody could say when to wait no more: in records of before, and where the policy held it back. */
function heldBackRecorded(state: ModelState, event: LedgerEvent): ModelState {
  const [trigger, reason, finding, cause, onset] = ['trigger', 'reason', 'finding', 'cause', 'onset'].map(
    (name) => textIn(evidenceOf(event, name)),
  );
  if (trigger == null || !isTrigger(trigger) || reason == null) return state;
  const held = withRetraining(state, { heldBack: { trigger, reason, at: event.at } });
  const at = Date.parse(event.at);
  if (trigger !== 'finding' || finding == null || cause == null || Number.isNaN(at)) return held;
  return letWait(held, { finding, cause, onset: onset ?? null, by: event.actor.id }, at);
}
