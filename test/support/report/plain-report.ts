import type { FleetReport, Share, Spread } from '../../../src/contracts/report.js';

/** Of a report, what both must say in figures; reasons in words are left to the report. */
export type Plain = Record<string, unknown>;

const ofSpread = ({ n, median, p90 }: Spread): unknown => [n, median, p90];
const ofShare = ({ part, whole }: Share): unknown => [part, whole];

/** The figures of a report in the same form. */
export function plainly(report: FleetReport): Plain {
  const { deployments, stopped, leadTime, recovery, incidents, retraining, availability } = report;
  return {
    models: report.models,
    deployments: deployments.count,
    frequency: deployments.frequency.value,
    daysPerWeek: deployments.daysPerWeek.value,
    undecided: deployments.undecided,
    stopped: [stopped.rejected, stopped.rolledBack, stopped.aborted],
    lead: [leadTime.total, leadTime.approvalWait, leadTime.withoutApproval].map(ofSpread),
    leadUnusable: leadTime.unusable,
    failRate: ofShare(report.changeFailRate),
    rework: ofShare(report.reworkRate),
    recovery: ofSpread(recovery.time),
    recoveryOpen: recovery.open,
    recoveryUnusable: recovery.unusable,
    requests: ofShare(availability.byRequests),
    time: ofShare(availability.byTime),
    incidents: incidents.bySeverity,
    detect: ofSpread(incidents.detect),
    onsetUnknown: incidents.onsetUnknown,
    remediate: ofSpread(incidents.remediate),
    phases: incidents.phases.verify === null ? null : incidents.phases,
    incidentsOpen: incidents.open,
    endedByHand: incidents.endedByHand,
    incidentsUnusable: incidents.unusable,
    enabled: ofShare(retraining.enabled),
    proven: ofShare(retraining.proven),
    untouched: ofShare(retraining.untouched),
    reached: retraining.reachedProduction,
    retrainingUndecided: retraining.undecided,
    requested: Object.values(retraining.requested),
    ended: Object.values(retraining.ended),
    heldBack: retraining.heldBack,
    byDay: report.byDay.map((day) => [
      day.deployments,
      day.failed,
      day.availability,
      ...Object.values(day.incidents),
    ]),
    byModel: report.byModel.map((row) => [
      row.model,
      row.deployments,
      row.failed,
      row.availability.byRequests.part,
      row.availability.byRequests.whole,
      row.availability.byTime.part,
      row.availability.byTime.whole,
      row.incidents,
      row.automatedRetraining,
    ]),
  };
}
