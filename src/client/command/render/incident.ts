import type { IncidentRow, IncidentSight } from '../../incidents.js';
import { fields, type Style, table, time } from '../style.js';

const severityIn = (severity: string, style: Style): string => {
  if (severity === 'critical') return style.red(severity);
  return severity === 'warning' ? style.yellow(severity) : severity;
};

const phaseIn = (phase: string, style: Style): string => {
  if (phase === 'open') return style.red(phase);
  return phase === 'resolved' || phase === 'over' ? style.green(phase) : style.yellow(phase);
};

export function incidentTable(rows: readonly IncidentRow[], style: Style): string {
  if (rows.length === 0) return 'No incidents';
  return table(
    style,
    ['model', 'number', 'phase', 'severity', 'opened', 'title'],
    rows.map((row) => [
      row.model,
      String(row.incident),
      phaseIn(row.phase, style),
      severityIn(row.severity, style),
      time(row.openedAt),
      row.title,
    ]),
  );
}

export function incidentPage(view: IncidentSight, style: Style): string {
  const { times, acknowledged, mitigated, resolved, reported, reportDue, next } = view;
  const deed = (at: string | null, more: string): string =>
    at === null ? '–' : `${time(at)}${more === '' ? '' : `  ${more}`}`;
  const by = (done: { readonly by: string; readonly reason: string } | null): string =>
    done === null ? '' : `${done.by}${done.reason === '' ? '' : `: ${done.reason}`}`;
  const phase =
    view.endedByHand === true
      ? `ended by hand: its workflow was terminated when it was ${view.phase}`
      : `${phaseIn(view.phase, style)}, waits for ${view.waitingFor}`;
  const facts: (readonly [string, string])[] = [
    ['incident', style.bold(`${view.incident} of ${view.model}: ${view.title}`)],
    ['phase', phase],
    ['severity', severityIn(view.severity, style)],
    ['what', view.text],
    ['cause', `${view.cause}${view.release === null ? '' : `, release ${view.release}`}`],
    ['owner', view.owner],
    ['onset', deed(times.onset, 'estimated')],
    ['detected', deed(times.detected, '')],
    ['opened', deed(times.opened, '')],
    ['acknowledged', deed(times.acknowledged, by(acknowledged))],
    ['mitigated', deed(times.mitigated, mitigated?.how ?? '')],
    ['resolved', deed(times.resolved, by(resolved))],
  ];
  if (reportDue !== null)
    facts.push([
      'reported',
      reported === null ? `no: due ${time(reportDue)}` : deed(times.reported, by(reported)),
    ]);
  facts.push(['found again', `${view.repeats} times, reopened ${view.reopened} times`]);
  facts.push(['escalated', `${view.escalated} steps`]);
  if (next !== null && view.endedByHand !== true) facts.push(['next', `${next.what}, at ${time(next.at)}`]);
  for (const { key, why, retryAt } of view.untold)
    facts.push(['not told', `${key}: ${why}; tried again at ${time(retryAt)}`]);
  facts.push(['record', `ledger event ${view.head.sequence}`]);
  const page = fields(style, facts);
  return view.findings.length === 0
    ? page
    : `${page}\n\n${style.bold('findings')}\n${view.findings.join('\n')}`;
}
