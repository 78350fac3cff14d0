import type { IncidentView } from '../../contracts/incidents.js';
import type { LedgerEntry } from '../../contracts/ledger.js';
import { unrecordedView } from '../entries.js';
import { nextDue, owesReport, reportDeadline } from './clock.js';
import { phaseOf, type IncidentState } from './state.js';

/** @param overdue events that should have been recorded by now */
export function incidentView(state: IncidentState, overdue: readonly LedgerEntry[] = []): IncidentView {
  const { input, severity, acknowledged, mitigated, resolved, reported, untold } = state;
  const { model, incident, origin, cause, title, text, release, onset, detectedAt } = input.opening;
  const next = nextDue(state);
  const due = reportDeadline(state);
  return {
    model,
    incident,
    phase: phaseOf(state),
    severity,
    origin,
    cause,
    title,
    text,
    release,
    owner: input.owner,
    times: {
      onset,
      detected: detectedAt,
      opened: state.openedAt,
      acknowledged: acknowledged?.at ?? null,
      mitigated: mitigated?.at ?? null,
      resolved: resolved?.at ?? null,
      reported: reported?.at ?? null,
    },
    acknowledged,
    mitigated,
    resolved,
    reported,
    reportDue: due === null ? null : new Date(due).toISOString(),
    findings: state.findings,
    repeats: state.repeats,
    reopened: state.reopened,
    escalated: state.escalated,
    next: next === null ? null : { what: next.what, at: new Date(next.at).toISOString() },
    waitingFor: waitingFor(state),
    untold: untold.map(({ key, why, retryAt }) => ({ key, why, retryAt })),
    junk: state.junk,
    head: state.head,
    unrecorded: unrecordedView(overdue),
  };
}

function waitingFor(state: IncidentState): string {
  switch (phaseOf(state)) {
    case 'open':
      return state.severity === 'info' ? 'its cause to be gone' : 'somebody to acknowledge it';
    case 'acknowledged':
    case 'mitigated':
      return 'its cause to be gone';
    case 'resolved':
      return 'its cause to stay away';
    case 'over':
      return owesReport(state) ? 'somebody to say that it was reported' : 'nothing';
  }
}
