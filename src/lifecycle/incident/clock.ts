import type { IncidentState } from './state.js';

/** What happens to an incident by itself. */
export interface Due {
  readonly kind: 'escalate' | 'remind' | 'overdue' | 'end';
  /** In words. */
  readonly what: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The first reminder of a report comes when this share of its time is over. */
const REMINDER_SHARE = 0.75;

/** The next thing that happens by the clock; null when only a message can change something. */
export function nextDue(state: IncidentState): Due | null {
  const due = [escalation(state), report(state), end(state)].filter((one) => one !== null);
  return due.length === 0 ? null : due.reduce((a, b) => (b.at < a.at ? b : a));
}

function escalation(state: IncidentState): Due | null {
  const { severity, acknowledged, resolved, escalated, since, input } = state;
  const step = input.settings.escalation[escalated];
  // Of what is only to be known nobody is woken.
  if (severity === 'info' || acknowledged !== null || resolved !== null || step === undefined) return null;
  const whom = step.roles.length === 0 ? 'all contacts' : step.roles.join(', ');
  return {
    kind: 'escalate',
    what: `escalation to ${whom}`,
    at: Date.parse(since) + step.afterSeconds * 1000,
  };
}

/** When a serious incident must be reported at the latest, epoch milliseconds; null: no such duty. */
export function reportDeadline({ criticalSince, input }: IncidentState): number | null {
  const { reportSeconds } = input.settings;
  return criticalSince === null || reportSeconds === null
    ? null
    : Date.parse(criticalSince) + reportSeconds * 1000;
}

function report(state: IncidentState): Due | null {
  const deadline = reportDeadline(state);
  if (deadline === null || state.reported !== null || state.reminded >= 2) return null;
  const { reportSeconds } = state.input.settings;
  return state.reminded === 0
    ? {
        kind: 'remind',
        what: 'reminder of the report',
        at: deadline - (1 - REMINDER_SHARE) * (reportSeconds ?? 0) * 1000,
      }
    : { kind: 'overdue', what: 'the report is due', at: deadline };
}

/** A resolved incident stays for as long again as its cause had to be gone: what returns in that time reopens it. */
function end({ resolved, over, input }: IncidentState): Due | null {
  if (resolved === null || over) return null;
  const stay = input.settings.clearWindows * input.windowSeconds * 1000;
  return { kind: 'end', what: 'end, unless the cause returns', at: Date.parse(resolved.at) + stay };
}

/** It must be reported, and nobody has said that it was: it stays until somebody does, however long ago it was resolved. */
export const owesReport = (state: IncidentState): boolean =>
  reportDeadline(state) !== null && state.reported === null;
