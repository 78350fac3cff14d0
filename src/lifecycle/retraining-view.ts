import type { RetrainingNext, RetrainingView } from '../contracts/views.js';
import type { ModelState } from './model-state.js';
import { type ClockTrigger, clockTriggers, scheduleKey } from './retraining-clock.js';
import { retrainingOf, settingsOf } from './retraining.js';
import { waitingFindings } from './waiting-findings.js';

/** What a model has to say of its retrainings. @param now epoch milliseconds */
export function retrainingView(state: ModelState, now: number): RetrainingView | null {
  const settings = settingsOf(state);
  if (settings === null && state.retraining === undefined) return null;
  const { running, last, heldBack, schedule } = retrainingOf(state);
  const wanted = settings?.triggers.schedule ?? null;
  const isRead = wanted !== null && schedule?.key === scheduleKey(wanted);
  const never: readonly RetrainingNext[] =
    isRead && schedule.at === null ? [{ by: 'schedule', at: null }] : [];
  return {
    running:
      running === null
        ? null
        : { retraining: running.retraining, trigger: running.trigger, startedAt: running.startedAt },
    last,
    heldBack,
    nextScheduled: isRead ? schedule.at : null,
    next: [...clockTriggers(state, now).flatMap((trigger) => shownTrigger(state, trigger) ?? []), ...never],
  };
}

function shownTrigger(state: ModelState, trigger: ClockTrigger): RetrainingNext | null {
  const at = new Date(trigger.at).toISOString();
  switch (trigger.kind) {
    case 'read-schedule':
      return null;
    case 'schedule':
      return { by: 'schedule', at };
    case 'count-labels':
      return {
        by: 'labels',
        at,
        wanted: settingsOf(state)?.triggers.newLabels ?? 0,
        counted: retrainingOf(state).labelsCounted ?? null,
      };
    case 'age':
      return { by: 'age', at };
    case 'finding':
      return { by: 'finding', at, finding: trigger.finding, others: waitingFindings(state).length - 1 };
  }
}
