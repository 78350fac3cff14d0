import type { OpenIncident } from '../../contracts/incidents.js';
import type { LedgerEvent } from '../../contracts/ledger.js';
import { incidentsOf, withIncidents } from '../model-incidents.js';
import type { ModelState } from '../model-state.js';
import { waitNoMore } from '../waiting-findings.js';
import { REVALIDATION } from '../revalidation.js';
import { evidenceOf, numberIn, subjectOf, textIn } from './reading.js';

const ORIGINS: readonly OpenIncident['origin'][] = [
  'finding',
  'rolled-back',
  'unverified',
  'failed-action',
  'monitor-silent',
  'revalidation',
];
const SEVERITIES: readonly OpenIncident['severity'][] = ['info', 'warning', 'critical'];

/**
 * Incidents as the record has them: no number is given twice, and what is open by the record is known by its cause. Not on record:
 * whether it holds promotions back, which findings were decided on, and the end of one that was resolved: when it is told of its cause
 * again, it is found to be over.
 */
export function withRecordedIncident(state: ModelState, event: LedgerEvent): ModelState {
  const incident = numberIn(subjectOf(event, 'incident'));
  if (incident === null || incident < 1) return state;
  const known = incidentsOf(state);
  const next = Math.max(known.next, incident + 1);
  // Ended by hand before it recorded that it began, its number is taken all the same.
  if (event.action === 'incident.lost')
    return withIncidents(state, { next, open: known.open.filter((one) => one.incident !== incident) });
  if (event.action !== 'incident.opened') {
    const standing = event.action === 'incident.resolved' ? ('resolved' as const) : ('open' as const);
    const open = known.open.map((one) => (one.incident === incident ? { ...one, standing } : one));
    const of = known.open.find((one) => one.incident === incident);
    // A person who resolved the reminder of a revalidation has validated anew.
    const isRevalidated =
      standing === 'resolved' && of?.cause === REVALIDATION && event.actor.kind === 'person';
    // Resolved by itself is measured as gone; a person's word says nothing of the cause.
    const isGone = standing === 'resolved' && of !== undefined && event.actor.kind !== 'person';
    const waiting = isGone ? waitNoMore(state, ({ cause }) => cause === of.cause) : state;
    return withIncidents(waiting, { open, ...(isRevalidated ? { revalidatedAt: event.at } : {}) });
  }
  const cause = textIn(evidenceOf(event, 'cause'));
  const origin = ORIGINS.find((one) => one === evidenceOf(event, 'origin'));
  const severity = SEVERITIES.find((one) => one === evidenceOf(event, 'severity'));
  if (cause === null || origin === undefined || severity === undefined) return withIncidents(state, { next });
  const opened: OpenIncident = {
    incident,
    cause,
    origin,
    severity,
    title: textIn(evidenceOf(event, 'title')) ?? cause,
    release: numberIn(evidenceOf(event, 'release')),
    openedAt: event.at,
    standing: 'open',
    holds: false,
  };
  // Bounded: only the newest can still be open.
  const open = [...known.open.filter((one) => one.cause !== cause), opened].slice(-50);
  return withIncidents(state, { next, open });
}
