import type { AlertMessage, AlertTold } from '../contracts/activities.js';
import { incidentWorkflowId } from '../contracts/ids.js';
import type { OpenIncident } from '../contracts/incidents.js';
import type { LedgerEntry } from '../contracts/ledger.js';
import type { IncidentSettings, Severity } from '../contracts/monitoring.js';
import { ledgerEntry, system } from './entries.js';

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

/**
 * Every alert that an incident can have told by these settings: what it did tell is known to its workflow alone, and the end of an
 * alert that never was changes nothing at a receiver.
 */
export function endsOf(
  { escalation, reportSeconds }: IncidentSettings,
  severity: Severity,
): readonly AlertTold[] {
  const notices = [
    'opened',
    ...escalation.map((_, i) => `escalation-${i + 1}`),
    ...(reportSeconds === null ? [] : ['report-due', 'report-overdue']),
  ];
  return SEVERITIES.slice(0, SEVERITIES.indexOf(severity) + 1).flatMap((told) =>
    notices.map((notice) => ({ severity: told, notice })),
  );
}

/**
 * Of an incident whose workflow was ended by hand: what is recorded, and told the receivers, for whom it would hold for ever.
 * @param model name of the model, or the stream of the fleet
 * @param by who found out: the model's workflow, or a monitor
 * @param now epoch milliseconds
 */
export function lostIncident(
  {
    model,
    by,
    settings,
  }: { readonly model: string; readonly by: string; readonly settings: IncidentSettings },
  known: OpenIncident,
  now: number,
): { readonly entry: LedgerEntry; readonly alert: AlertMessage } {
  const { incident, cause, severity, title, holds } = known;
  const id = incidentWorkflowId(model, incident);
  const reason = `workflow ${id} is not there any more: it was ended by hand`;
  const isOwed = settings.reportSeconds !== null && severity === 'critical';
  const duty = isOwed ? ' Whether it has been reported to whom it must be, nobody watches any more.' : '';
  const held = holds ? ' It holds promotions back no longer.' : '';
  return {
    entry: ledgerEntry({
      stream: model,
      id: `${by}/incident-lost/${incident}`,
      action: 'incident.lost',
      actor: system(by),
      subject: { incident },
      evidence: { cause, reason },
      now,
    }),
    alert: {
      model,
      key: `${id}/lost`,
      severity,
      title: `Ended by hand: ${title}`.slice(0, 200),
      text: `${reason}.${held}${duty} If its cause is found again, that is another incident.`,
      at: new Date(now).toISOString(),
      state: 'resolved',
      incident: { id, notice: 'opened', contacts: [], findings: [], ends: endsOf(settings, severity) },
    },
  };
}
