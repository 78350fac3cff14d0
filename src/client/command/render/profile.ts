import type { StoredProfile } from '../../../platform/profiles/index.js';
import type { FeatureProfile, ScoreProfile } from '../../../statistics/profile/types.js';
import { count, fields, percent, shortDigest, type Style, table, time } from '../style.js';

const figure = (value: number): string => String(Number(value.toPrecision(4)));

/** What a version's data looked like when it was validated. */
export function profilePage(shown: StoredProfile | null, style: Style): string {
  if (shown === null)
    return style.dim('No reference profile: one is made when the version is validated, by `tenure release`');
  const { digest, madeAt, content } = shown;
  const { profile, data, lacks } = content;
  const head = fields(style, [
    ['profile', `${shortDigest(digest)} of ${time(madeAt)}`],
    ['made of', `${count(profile.rows)} rows of data set ${shortDigest(data)}`],
    ...lacks.map((lack) => ['lacks', style.yellow(lack)] as const),
  ]);
  return [head, ...featureTable(profile.features, style), ...scoreTables(profile.score, style)].join('\n\n');
}

function featureTable(features: readonly FeatureProfile[], style: Style): readonly string[] {
  if (features.length === 0) return [];
  const rows = features.map((feature) => {
    const { name, counts, missing, wrongType, personal } = feature;
    const others = feature.kind === 'categorical' ? feature.other.rows : 0;
    const all = missing + wrongType + others + counts.reduce((sum, rowsOf) => sum + rowsOf, 0);
    return [
      name,
      personal === true ? `${feature.kind}, personal` : feature.kind,
      all === 0 ? '–' : percent(missing / all),
      rangeOf(feature),
      feature.kind === 'numeric' ? String(counts.length) : valuesOf(feature),
      momentsOf(feature),
    ];
  });
  return [table(style, ['feature', 'kind', 'missing', 'range', 'bins', 'mean ± sd'], rows)];
}

function rangeOf(feature: FeatureProfile): string {
  if (feature.kind === 'categorical') {
    const most = feature.values.slice(0, 3).map((value) => value.slice(0, 24));
    return feature.values.length === 0
      ? '–'
      : `${most.join(', ')}${feature.values.length > most.length ? ', …' : ''}`;
  }
  const { range } = feature;
  if (range === null) return '–';
  const open = range.least === -Number.MAX_VALUE || range.most === Number.MAX_VALUE;
  return open ? 'open' : `${figure(range.least)} … ${figure(range.most)}`;
}

const valuesOf = ({ values, other }: Extract<FeatureProfile, { kind: 'categorical' }>): string =>
  other.values === 0
    ? `${values.length} values`
    : `${values.length} values and ${count(other.values)} others`;

function momentsOf(feature: FeatureProfile): string {
  const moments = feature.kind === 'numeric' ? feature.moments : null;
  return moments === null ? '–' : `${figure(moments.mean)} ± ${figure(moments.deviation)}`;
}

function scoreTables(score: ScoreProfile | null, style: Style): readonly string[] {
  if (score === null) return [];
  const { cuts } = score.calibration;
  const largest = Math.max(1, ...score.counts);
  const bins = score.counts.map((rows, bin) => {
    const [from, to] = [cuts[bin - 1] ?? 0, cuts[bin] ?? 1];
    const positives = score.positives[bin] ?? 0;
    return [
      `${figure(from)} … ${figure(to)}`,
      count(rows),
      count(positives),
      rows === 0 ? '–' : percent(positives / rows),
      '█'.repeat(Math.round((rows / largest) * 24)),
    ];
  });
  const { metrics, chunkRows } = score.estimator;
  const bounds = Object.entries(metrics).map(([metric, { bounds: found }]) => [
    metric,
    found === null ? '–' : `${figure(found.lower)} … ${figure(found.upper)}`,
    found === null ? '–' : found.values.map((value) => (value === null ? '–' : figure(value))).join(' '),
  ]);
  return [
    table(style, ['score', 'rows', 'positive', 'share', ''], bins),
    table(style, ['metric', 'bounds', `chunks of ${count(chunkRows)} rows`], bounds),
  ];
}
