import type { ModelHealth, VersionRecord } from '../../../contracts/model.js';
import type { ModelView } from '../../../contracts/views.js';
import type { PhasedIncident } from '../../incidents.js';
import type { Labelled } from '../../labelled.js';
import type { RetrainingSight } from '../../retrainings.js';
import type { ModelRow } from '../../tenure.js';
import { count, fields, shortDigest, type Style, table, time } from '../style.js';
import { stageIn } from './release.js';
import { retrainingFacts } from './retraining.js';

const health = (value: ModelHealth, style: Style): string => {
  if (value === 'healthy') return style.green(value);
  return value === 'alarm' ? style.red(value) : style.yellow(value);
};

type Shown = Omit<ModelView, 'incidents'> & { readonly incidents?: readonly PhasedIncident[] };

export function modelPage(
  view: Shown & {
    readonly labelled: readonly Labelled[] | null;
    readonly retrains: RetrainingSight | null;
  },
  style: Style,
): string {
  const { manifest, champion, freeze, warm, queue, inFlight } = view;
  const facts = fields(style, [
    ['model', style.bold(view.model)],
    ['health', health(view.health, style)],
    ['serves', champion === null ? 'nothing' : `${champion.version} (${shortDigest(champion.digest)})`],
    ['waits for', view.waitingFor],
    ['purpose', manifest.purpose.trim()],
    ['team', `${manifest.team}, owner ${manifest.owner}, risk tier ${manifest.riskTier}`],
    ['manifest', `revision ${view.manifestRevision}`],
    ['in flight', inFlight === null ? 'none' : `release ${inFlight}`],
    ['queued', queue.length === 0 ? 'none' : queue.join(', ')],
    ['warm', warm.map(({ version, until }) => `${version} until ${time(until)}`).join(', ') || 'none'],
    ...(freeze === null ? [] : [['frozen', frozen(freeze)] as const]),
    ...incidentFacts(view),
    ...labelFacts(view.labelled),
    ...retrainingFacts(view.retraining, view.retrains),
    ['record', `generation ${view.generation ?? '–'}, ledger event ${view.head.sequence}`],
  ]);
  if (view.releases.length === 0) return facts;
  const rows = view.releases
    .slice(0, 20)
    .map(({ release, version, stage, submittedBy, submittedAt, reason }) => [
      String(release),
      version,
      stageIn(stage, style),
      submittedBy,
      time(submittedAt),
      reason ?? '',
    ]);
  return `${facts}\n\n${table(style, ['release', 'version', 'stage', 'submitted by', 'at', 'reason'], rows)}`;
}

function labelFacts(labels: readonly Labelled[] | null): (readonly [string, string])[] {
  if (labels === null) return [['labels', 'not known: the database did not answer']];
  return labels.map((one, i) => [i === 0 ? 'labels' : '', labelText(one)] as const);
}

function labelText({ version, role, labels, metric, value, interval }: Labelled): string {
  const figure = (given: number): string => String(Number(given.toPrecision(3)));
  const range = interval === null ? '' : ` (${interval.map(figure).join(' to ')})`;
  const told = value === null ? 'too few to measure' : `${metric} ${figure(value)}${range}`;
  return `${version} as ${role}: ${count(labels)}, ${told}`;
}

function incidentFacts({ incidents = [], heldBack = [], hold = null, freeze, revalidationDue }: Shown) {
  const facts: (readonly [string, string])[] = [];
  if (hold !== null && freeze === null) facts.push(['promotion', `held back: ${hold.reason}`]);
  for (const { incident, severity, standing, phase = standing, title } of incidents)
    facts.push(['incident', `${incident}, ${severity}, ${phase}: ${title}`]);
  const [last] = heldBack;
  if (last !== undefined) facts.push(['not done', `${last.action} at ${time(last.at)}: ${last.reason}`]);
  if (revalidationDue != null) facts.push(['validation', `due again ${time(revalidationDue)}`]);
  return facts;
}

const frozen = ({ by, reason, until }: NonNullable<ModelView['freeze']>): string =>
  `by ${by}${until === null ? '' : ` until ${time(until)}`}: ${reason}`;

export function modelTable(rows: readonly ModelRow[], style: Style): string {
  if (rows.length === 0) return 'No models: apply a manifest with `tenure model apply FILE`';
  return table(
    style,
    ['model', 'version', 'health', 'risk tier', 'owner'],
    rows.map((row) => [
      row.model,
      row.version,
      health(row.health as ModelHealth, style),
      row.riskTier,
      row.owner,
    ]),
  );
}

export function versionTable(records: readonly VersionRecord[], style: Style): string {
  if (records.length === 0)
    return 'No versions: register one with `tenure version register MODEL VERSION FILE`';
  return table(
    style,
    ['version', 'digest', 'bytes', 'registered by', 'at', 'parent'],
    records.map((record) => [
      record.version,
      shortDigest(record.digest),
      count(record.sizeBytes),
      record.registeredBy,
      time(record.registeredAt),
      record.lineage.parentVersion ?? '–',
    ]),
  );
}

export function versionPage(record: VersionRecord, style: Style): string {
  const { lineage } = record;
  const metrics = Object.entries(lineage.metrics ?? {}).map(([name, value]) => `${name} ${value}`);
  return fields(style, [
    ['version', style.bold(`${record.version} of ${record.model}`)],
    ['digest', record.digest],
    ['bytes', count(record.sizeBytes)],
    ['registered', `by ${record.registeredBy} at ${time(record.registeredAt)}`],
    ['training data', lineage.trainingDataDigest ?? '–'],
    ['code revision', lineage.codeRevision ?? '–'],
    ['parent', lineage.parentVersion ?? '–'],
    ['metrics', metrics.join(', ') || '–'],
  ]);
}
