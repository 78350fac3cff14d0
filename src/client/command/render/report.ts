import type { FleetReport, InventoryRow, StoredReportHead } from '../../../contracts/report.js';
import {
  date,
  duration,
  figureInWords,
  minute,
  percentage,
  shareInWords,
  spreadInWords,
} from '../../../report/words.js';
import type { Inventory } from '../../reports.js';
import { fields, table, type Style } from '../style.js';

export function reportText(report: FleetReport, style: Style): string {
  const { since, until, model, team, models, deployments, stopped, leadTime, recovery } = report;
  const of = model ?? (team === null ? 'all models' : `team ${team}`);
  const { byRequests, byTime } = report.availability;
  const head = `${style.bold(`${minute(since)} to ${minute(until)} UTC`)}, ${of} (${models} on record)`;
  const main = fields(style, [
    [
      'deployments',
      `${deployments.count}, ${figureInWords(deployments.frequency, (value) => `${value.toPrecision(2)} a day`)}`,
    ],
    ['days with one, a week', figureInWords(deployments.daysPerWeek, String)],
    [
      'stopped before production',
      `${stopped.rejected} rejected, ${stopped.rolledBack} rolled back, ${stopped.aborted} aborted`,
    ],
    ['lead time', spreadInWords(leadTime.total)],
    ['  waiting for approval', spreadInWords(leadTime.approvalWait)],
    ['  without that', spreadInWords(leadTime.withoutApproval)],
    [
      'change fail rate',
      `${shareInWords(report.changeFailRate)}${outOf(report.changeFailRate, 'deployments')}`,
    ],
    ['rework rate', `${shareInWords(report.reworkRate)}${outOf(report.reworkRate, 'changes of production')}`],
    ['recovery of a failed one', `${spreadInWords(recovery.time)}${open(recovery.open.length)}`],
    ['availability by requests', `${shareInWords(byRequests)}${outOf(byRequests, 'answered')}`],
    [
      'availability by time',
      byTime.value === null
        ? shareInWords(byTime)
        : `${percentage(byTime.value)} (${duration(byTime.whole - byTime.part)} out of ${duration(byTime.whole)})`,
    ],
    ...incidentFields(report),
    ...retrainingFields(report),
  ]);
  return `${head}\n\n${main}`;
}

type Pairs = readonly (readonly [label: string, value: string])[];

function incidentFields({ incidents }: FleetReport): Pairs {
  const { bySeverity, onsetUnknown } = incidents;
  const severities = (['critical', 'warning', 'info'] as const).map(
    (severity) => `${bySeverity[severity].opened} ${severity}`,
  );
  const unknown = onsetUnknown === 0 ? '' : `, ${onsetUnknown} with unknown onset`;
  return [
    ['incidents', `${incidents.count}: ${severities.join(', ')}`],
    ['time to detect', `${spreadInWords(incidents.detect)}${unknown}`],
    ['time to remediate', `${spreadInWords(incidents.remediate)}${open(incidents.open.length)}`],
  ];
}

function retrainingFields({ retraining }: FleetReport): Pairs {
  const { enabled, proven, untouched, undecided } = retraining;
  return [
    ['automated retraining', `${shareInWords(enabled)}${outOf(enabled, 'models in production')}`],
    ['  that has worked', `${shareInWords(proven)}${outOf(proven, 'models in production')}`],
    [
      'retrained without a hand',
      `${shareInWords(untouched)}${outOf(untouched, 'retrainings that ended')}${open(undecided)}`,
    ],
  ];
}

const outOf = (
  { value, part, whole }: { value: number | null; part: number; whole: number },
  what: string,
) => (value === null ? '' : ` (${part} of ${whole} ${what})`);

const open = (count: number): string => (count === 0 ? '' : `, ${count} not over`);

export function inventoryTable({ models, healthUnknown }: Inventory, style: Style): string {
  if (models.length === 0) return 'No models: apply a manifest with `tenure model apply FILE`';
  const rows = models.map((row) => [
    row.model,
    row.team,
    row.owner,
    row.riskTier,
    row.version ?? 'nothing',
    row.health ?? '–',
    lastRelease(row),
    nextDue(row, style),
  ]);
  const titles = ['model', 'team', 'owner', 'risk tier', 'version', 'health', 'last release', 'next due'];
  const note = healthUnknown === null ? '' : `\n\nHealth is not known: ${healthUnknown}`;
  return `${table(style, titles, rows)}${note}`;
}

const lastRelease = ({ lastRelease: last }: InventoryRow): string =>
  last === null
    ? 'none'
    : `${last.release} of ${last.version}, ${last.state}${last.at === null ? '' : `, ${date(last.at)}`}`;

function nextDue({ nextDue: due }: InventoryRow, style: Style): string {
  if (due === null) return '–';
  return due.overdue ? style.red(`${due.what} overdue since ${date(due.at)}`) : `${due.what} ${date(due.at)}`;
}

export function dayTable(days: readonly StoredReportHead[], style: Style): string {
  if (days.length === 0) return 'No daily reports yet: a worker makes one each day (TENURE_REPORT_AT)';
  return table(
    style,
    ['day', 'revision', 'made'],
    days.map(({ day, revision, madeAt }) => [day, String(revision), minute(madeAt)]),
  );
}
