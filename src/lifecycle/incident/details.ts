import type { IncidentView } from '../../contracts/incidents.js';
import { tableLines } from '../markdown.js';

/** Markdown for the Temporal UI: what happened, where it stands, and what to send to go on. */
export function incidentDetails(view: IncidentView, now: number): string {
  const { model, incident, title, text, phase, severity, cause, release, next } = view;
  return [
    `## ${model}, incident ${incident}: ${title}`,
    '',
    `**${phase}** · ${severity} · waits for: ${view.waitingFor}`,
    '',
    text,
    '',
    `Cause \`${cause}\`${release === null ? '' : ` · release ${release}`} · owner ${view.owner} · found again ${view.repeats} times · reopened ${view.reopened} times`,
    ...(next === null ? [] : ['', `Next by itself: ${next.what}, at ${next.at}`]),
    ...untoldLines(view),
    ...timeLines(view),
    ...findingLines(view),
    ...sendLines(view),
    '',
    `Ledger event ${view.head.sequence} · ${new Date(now).toISOString()}`,
  ].join('\n');
}

function timeLines({
  times,
  acknowledged,
  mitigated,
  resolved,
  reported,
  reportDue,
}: IncidentView): string[] {
  const rows: readonly (readonly [string, string | null, string])[] = [
    ['onset', times.onset, 'estimated'],
    ['detected', times.detected, ''],
    ['opened', times.opened, ''],
    ['acknowledged', times.acknowledged, deed(acknowledged)],
    ['mitigated', times.mitigated, mitigated?.how ?? ''],
    ['resolved', times.resolved, deed(resolved)],
    ...(reportDue === null
      ? []
      : [['reported', times.reported, reported === null ? `due ${reportDue}` : deed(reported)] as const]),
  ];
  return [
    '',
    ...tableLines(
      ['', 'at', ''],
      rows.map(([what, at, more]) => [what, at ?? '–', more]),
    ),
  ];
}

const deed = (done: { readonly by: string; readonly reason: string } | null): string =>
  done === null ? '' : `${done.by}: ${done.reason}`;

function untoldLines({ untold }: IncidentView): string[] {
  return untold.flatMap(({ key, why, retryAt }) => [
    '',
    `**Not told everywhere**: \`${key}\`: ${why}. It is tried again at ${retryAt}.`,
  ]);
}

const findingLines = ({ findings }: IncidentView): string[] =>
  findings.length === 0 ? [] : ['', '### Findings', '', ...findings.map((finding) => `- \`${finding}\``)];

function sendLines({ phase, times, reportDue, reported }: IncidentView): string[] {
  const isOpen = phase !== 'resolved' && phase !== 'over';
  const sends = [
    ...(isOpen && times.acknowledged === null
      ? [['acknowledgeIncident', 'it is seen to, nobody else is told', 'WHAT YOU DO']]
      : []),
    ...(isOpen ? [['resolveIncident', 'its cause is gone', 'WHY IT IS OVER']] : []),
    ...(reportDue !== null && reported === null
      ? [['reportIncident', 'it was reported', 'TO WHOM, UNDER WHICH NUMBER']]
      : []),
  ];
  return sends.flatMap(([signal = '', what = '', reason]) => [
    '',
    `To say that ${what}, send the signal \`${signal}\` with`,
    '',
    '```json',
    JSON.stringify({ actor: 'YOUR NAME', reason }, null, 2),
    '```',
  ]);
}
