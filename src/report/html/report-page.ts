import {
  type FleetReport,
  type ModelFigures,
  type OpenCase,
  RETRAINING_OUTCOMES,
  RETRAINING_TRIGGERS,
  SEVERITIES,
  type Share,
} from '../../contracts/report.js';
import {
  duration,
  figureInWords,
  medianInWords,
  minute,
  percentage,
  shareInWords,
  spreadInWords,
} from '../words.js';
import { html, type Markup, type Part } from './markup.js';
import { page, table, type Column } from './page.js';
import { availabilityPlot, deploymentPlot, incidentPlot, leadTimePlot } from './plots.js';

/**
 * A report as one file: no script, nothing from elsewhere, legible in print.
 * @param madeAt ISO 8601 UTC
 */
export function reportPage(report: FleetReport, madeAt: string): string {
  const { since, until, model, team, models } = report;
  const of = model !== null ? `model ${model}` : team !== null ? `team ${team}` : 'all models';
  return page(`Tenure report ${minute(since)} to ${minute(until)}`, [
    html`<h1>Models in production</h1>
      <p class="about">
        ${minute(since)} to ${minute(until)} UTC, ${of} (${models} on record). Made ${minute(madeAt)} UTC from
        the ledger and the windows. A figure that there is no data for is none, never 0.
      </p> `,
    tiles(report),
    deploymentSection(report),
    availabilitySection(report),
    incidentSection(report),
    retrainingSection(report),
    html`<h2>By model</h2>`,
    table(MODEL_COLUMNS, report.byModel),
  ]);
}

const tile = (title: string, value: number | null, said: string, detail: Part): Markup =>
  html`<div class="tile">
    <span>${title}</span><b class="${value === null ? 'none' : 'some'}">${said}</b><span>${detail}</span>
  </div> `;

const shareTile = (title: string, share: Share, what: string): Markup =>
  tile(title, share.value, shareInWords(share), `${share.part} of ${share.whole} ${what}`);

function tiles(report: FleetReport): Markup {
  const { deployments, leadTime, recovery, availability, incidents, retraining } = report;
  const { byRequests, byTime } = availability;
  const times = (title: string, spread: typeof leadTime.total, detail: Part): Markup =>
    tile(title, spread.median, medianInWords(spread), detail);
  return html`<div class="tiles">
    ${tile(
      'Deployments a day',
      deployments.frequency.value,
      figureInWords(deployments.frequency, (value) => value.toPrecision(2)),
      `${deployments.count} in ${Number(report.days.toFixed(1))} days`,
    )}${times('Lead time, median', leadTime.total, html`of them approval: ${medianInWords(leadTime.approvalWait)}`)}${shareTile('Change fail rate', report.changeFailRate, 'deployments')}${shareTile('Rework rate', report.reworkRate, 'changes of production')}${times('Recovery of a failed deployment, median', recovery.time, `${recovery.open.length} not over`)}${tile(
      'Availability by requests',
      byRequests.value,
      shareInWords(byRequests),
      `${byRequests.whole - byRequests.part} of ${byRequests.whole} not answered`,
    )}${tile(
      'Availability by time',
      byTime.value,
      shareInWords(byTime),
      `${duration(byTime.whole - byTime.part)} out of ${duration(byTime.whole)}`,
    )}${times('Time to detect, median', incidents.detect, `${incidents.onsetUnknown} with unknown onset`)}${times('Time to remediate, median', incidents.remediate, `${incidents.open.length} not over`)}${shareTile('Automated retraining', retraining.enabled, 'models in production')}${shareTile('Retrained without a hand', retraining.untouched, 'retrainings that ended')}
  </div> `;
}

function deploymentSection(report: FleetReport): Markup {
  const { stopped, leadTime, deployments, recovery } = report;
  return html`<h2>Deployments</h2>
    ${deployments.count === 0 ? '' : deploymentPlot(report)}${pairs([
      ['Days with a deployment in a week, median', figureInWords(deployments.daysPerWeek, String)],
      ['In production, neither succeeded nor failed yet', deployments.undecided],
      [
        'Stopped before production',
        `${stopped.rejected} rejected, ${stopped.rolledBack} rolled back, ${stopped.aborted} aborted`,
      ],
      ['Recovery of a failed deployment', spreadInWords(recovery.time)],
      ['Failed and not recovered yet', cases(recovery.open, 'release')],
      ...unusable('Failures that were over before their deployment', recovery.unusable),
      ['Lead time', spreadInWords(leadTime.total)],
      ['Of it, waiting for approval', spreadInWords(leadTime.approvalWait)],
      ['Without that', spreadInWords(leadTime.withoutApproval)],
      ...unusable('Versions without a usable registration', leadTime.unusable),
    ])}
    ${leadTime.total.n === 0 ? '' : leadTimePlot(report)}`;
}

function availabilitySection(report: FleetReport): Markup {
  if (report.availability.byRequests.value === null) return html``;
  return html`<h2>Availability</h2>
    ${availabilityPlot(report)}`;
}

function incidentSection({ incidents, ...report }: FleetReport): Markup {
  const { phases, bySeverity } = incidents;
  const phase = (seconds: number | null): string => (seconds === null ? 'none' : duration(seconds));
  return html`<h2>Incidents</h2>
    ${incidents.count === 0 ? '' : incidentPlot({ ...report, incidents })}${pairs([
      [
        'Opened',
        SEVERITIES.map(
          (severity) => `${bySeverity[severity].opened} ${severity} (${bySeverity[severity].open} open)`,
        ).join(', '),
      ],
      ['Time to detect', spreadInWords(incidents.detect)],
      ['Time to remediate', spreadInWords(incidents.remediate)],
      [
        'Of it, on average',
        `${phase(phases.acknowledge)} until acknowledged, ${phase(phases.mitigate)} until mitigated, ${phase(phases.verify)} until verified`,
      ],
      ['Not over', cases(incidents.open, 'incident')],
      ...(incidents.endedByHand === 0
        ? []
        : [['Ended by hand, not resolved', incidents.endedByHand] as const]),
      ...unusable('Times that run backwards', incidents.unusable),
    ])}`;
}

function retrainingSection({ retraining }: FleetReport): Markup {
  const counted = (counts: Readonly<Record<string, number>>, kinds: readonly string[]): string =>
    kinds.flatMap((kind) => ((counts[kind] ?? 0) > 0 ? [`${counts[kind]} ${kind}`] : [])).join(', ') ||
    'none';
  const { enabled, proven, untouched } = retraining;
  return html`<h2>Retraining</h2>
    ${pairs([
      ['Models with a trigger that is on', `${shareInWords(enabled)} (${enabled.part} of ${enabled.whole})`],
      ['The same whose trigger has worked', `${shareInWords(proven)} (${proven.part} of ${proven.whole})`],
      ['Asked for, by trigger', counted(retraining.requested, RETRAINING_TRIGGERS)],
      ['Ended', counted(retraining.ended, RETRAINING_OUTCOMES)],
      ['Held back', retraining.heldBack],
      ['In production', `${retraining.reachedProduction}, of them ${untouched.part} without a hand`],
      ['Their release not over', retraining.undecided],
    ])}`;
}

const pairs = (rows: readonly (readonly [what: string, value: Part])[]): Markup =>
  html`<table>
    <tbody>
      ${rows.map(
        ([what, value]) =>
          html`<tr>
            <th>${what}</th>
            <td>${value}</td>
          </tr> `,
      )}
    </tbody>
  </table>`;

/** Said only where there are such. */
const unusable = (what: string, count: number): readonly (readonly [string, Part])[] =>
  count === 0 ? [] : [[`${what} (left out)`, count]];

const MOST_CASES = 20;

function cases(open: readonly OpenCase[], what: string): string {
  if (open.length === 0) return 'none';
  const oldest = open.toSorted((a, b) => b.ageSeconds - a.ageSeconds);
  const said = oldest
    .slice(0, MOST_CASES)
    .map(({ model, number, ageSeconds }) => `${model} ${what} ${number} (${duration(ageSeconds)})`);
  return `${said.join(', ')}${oldest.length > MOST_CASES ? ` and ${oldest.length - MOST_CASES} more` : ''}`;
}

const brief = ({ value }: Share): string => (value === null ? '–' : percentage(value));

const MODEL_COLUMNS: readonly Column<ModelFigures>[] = [
  { title: 'Model', value: ({ model }) => model },
  { title: 'Team', value: ({ team }) => team },
  { title: 'Risk tier', value: ({ riskTier }) => riskTier },
  { title: 'Deployments', isNumber: true, value: ({ deployments }) => deployments },
  { title: 'Failed', isNumber: true, value: ({ failed }) => failed },
  {
    title: 'Lead time',
    isNumber: true,
    value: ({ leadTime }) => (leadTime.median === null ? '–' : duration(leadTime.median)),
  },
  { title: 'By requests', isNumber: true, value: ({ availability }) => brief(availability.byRequests) },
  { title: 'By time', isNumber: true, value: ({ availability }) => brief(availability.byTime) },
  { title: 'Incidents', isNumber: true, value: ({ incidents }) => incidents },
  { title: 'Retrains itself', value: ({ automatedRetraining }) => (automatedRetraining ? 'yes' : 'no') },
];
