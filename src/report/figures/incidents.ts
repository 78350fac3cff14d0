import type { FleetReport, Severity } from '../../contracts/report.js';
import type { Facts, IncidentFact, Interval } from '../facts/types.js';
import { isIn } from './deployments.js';
import { mean, secondsBetween, spread } from './numbers.js';

/** Of incidents that were opened within the window, as they stand at its end. */
export function incidentFigures({ incidents }: Facts, window: Interval) {
  const opened = incidents.filter((incident) => isIn(incident.opened, window));
  const bySeverity = (severity: Severity) => {
    const of = opened.filter((incident) => incident.severity === severity);
    return { opened: of.length, open: of.filter(isOpen).length };
  };
  const none = 'no incident was opened';
  const onsets = opened.filter(({ onset }) => onset !== null);
  const detected = onsets.map((incident) => secondsBetween(incident.onset ?? 0, detectionOf(incident)));
  const resolved = opened.flatMap((incident) => phasesOf(incident));
  const usable = resolved.filter(({ total }) => total >= 0);
  const isKnown = (seconds: number): boolean => seconds >= 0;
  const report: FleetReport['incidents'] = {
    count: opened.length,
    bySeverity: {
      info: bySeverity('info'),
      warning: bySeverity('warning'),
      critical: bySeverity('critical'),
    },
    detect: spread(detected.filter(isKnown), opened.length === 0 ? none : 'no onset is known'),
    onsetUnknown: opened.length - onsets.length,
    remediate: spread(
      usable.map(({ total }) => total),
      opened.length === 0 ? none : 'no incident is resolved',
    ),
    endedByHand: opened.filter(({ resolved: at, lost }) => at === null && lost !== null).length,
    phases: {
      acknowledge: mean(usable.map(({ acknowledge }) => acknowledge)),
      mitigate: mean(usable.map(({ mitigate }) => mitigate)),
      verify: mean(usable.map(({ verify }) => verify)),
    },
    open: opened.filter(isOpen).map((incident) => ({
      model: incident.model,
      number: incident.incident,
      ageSeconds: secondsBetween(incident.opened, window.to),
    })),
    unusable: detected.filter((seconds) => !isKnown(seconds)).length + resolved.length - usable.length,
  };
  return { report, opened };
}

/** What somebody ended by hand is not open, and not resolved: nobody says that its cause is gone. */
const isOpen = ({ resolved, lost }: IncidentFact): boolean => resolved === null && lost === null;

const detectionOf = ({ detected, opened }: IncidentFact): number => detected ?? opened;

/** A phase that nobody recorded has taken no time of its own: it belongs to the one before. */
function phasesOf(incident: IncidentFact) {
  const { acknowledged, mitigated, resolved } = incident;
  if (resolved === null) return [];
  const start = detectionOf(incident);
  const between = (time: number | null, least: number, most: number): number =>
    Math.min(most, Math.max(least, time ?? most));
  const mitigation = between(mitigated, start, resolved);
  const acknowledgement = between(acknowledged, start, mitigation);
  return [
    {
      total: secondsBetween(start, resolved),
      acknowledge: secondsBetween(start, acknowledgement),
      mitigate: secondsBetween(acknowledgement, mitigation),
      verify: secondsBetween(mitigation, resolved),
    },
  ];
}
