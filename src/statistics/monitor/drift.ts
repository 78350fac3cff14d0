/** Drift of inputs and of predictions, and skew: the window against the reference, and what windows add up to. */
import type { Finding, FindingKind } from '../../contracts/monitoring.js';
import { estimateOnset } from '../drift/onset.js';
import { judgeWindow, type WindowFeature } from '../drift/judge-window.js';
import { corrected, windowsOf } from './budget.js';
import type { FeaturePair } from './pairs.js';
import type { Draft, FeatureWatch, Judged, OpenCause } from './types.js';
import { LISTED_MOST, namesOf, percent, timeOf } from './words.js';
import { changeOf } from './change.js';
import { type DriftWindow, isShifted, type Seen, watchFeature } from './watch.js';

/** A feature that was found is as before when its test says no more than this, over the features of the cause. */
const GONE_ABOVE = 0.01;

export interface DriftJudged extends Judged {
  /** With the window's scores. */
  readonly watches: readonly FeatureWatch[];
  /** Whether any feature had the rows. */
  readonly judged: boolean;
}

/** Half of the group's budget for the window's own test, half for the watch. */
export function judgeDrift(window: DriftWindow): DriftJudged {
  const { pairs, settings, group, kind } = window;
  if (pairs.length === 0) return { drafts: [], standing: new Map(), waiting: [], watches: [], judged: false };
  const verdict = judgeWindow(Object.fromEntries(pairs.map(({ name, counts }) => [name, counts])), {
    minRows: settings.minRows,
    material: settings.material,
    confidence: 0.95,
    windowsBetweenFalseFindings: windowsOf(settings, group, 2),
  });
  const features = new Map(verdict.features.map((one) => [one.name, one]));
  const watched = pairs.map((pair) => watchFeature(window, pair, features.get(pair.name)));
  const seen = new Map<string, Seen>();
  for (const { alarm } of watched) if (alarm !== null) seen.set(alarm.name, alarm);
  // What the window shows by itself goes before what windows add up to.
  for (const pair of pairs) {
    const found = windowSeen(window, pair, features.get(pair.name));
    if (found !== null && !(seen.get(pair.name)?.verdict === 'found' && found.verdict === 'immaterial'))
      seen.set(pair.name, found);
  }
  const judgedNames = verdict.features.filter((one) => one.verdict !== 'insufficient');
  const lacking = verdict.features.filter((one) => one.verdict === 'insufficient');
  const watches = watched.map(({ watch }) => watch);
  return {
    drafts: draftsOf(window, [...seen.values()], watches),
    standing: standingOf(window, features, watches),
    waiting:
      lacking.length === 0
        ? []
        : [`${kind}: ${namesOf(lacking.map(({ name, reason }) => `${name} (${reason})`))}`],
    watches,
    judged: judgedNames.length > 0,
  };
}

function windowSeen(
  { group, pairs }: DriftWindow,
  pair: FeaturePair,
  judged: WindowFeature | undefined,
): Seen | null {
  if (judged === undefined || judged.verdict === 'insufficient' || judged.verdict === 'none') return null;
  const { estimate, lower, upper } = judged.effect;
  return {
    name: pair.name,
    verdict: judged.verdict === 'drift' ? 'found' : 'immaterial',
    finding: {
      name: pair.name,
      what: changeOf(pair),
      effect: estimate,
      interval: [lower, upper],
      p: corrected(judged.p, group, 2 * pairs.length),
      rows: judged.rows.window,
    },
  };
}

function draftsOf(window: DriftWindow, seen: readonly Seen[], watches: readonly FeatureWatch[]): Draft[] {
  const { kind, open, from, to } = window;
  // What a cause that was opened under another name knows of already is its own.
  const others = new Set(
    open
      .filter((one) => ownedBy(window, one) && one.cause !== kind && one.verdict === 'found')
      .flatMap((one) => one.features),
  );
  return (['found', 'immaterial'] as const).flatMap((verdict) => {
    const mine = seen
      .filter((one) => one.verdict === verdict && !others.has(one.name))
      .sort((a, b) => (b.finding.effect ?? 0) - (a.finding.effect ?? 0));
    const [first] = mine;
    if (first === undefined) return [];
    const names = mine.map(({ name }) => name);
    return [
      {
        kind,
        cause: kind,
        verdict,
        severity: verdict === 'found' ? 'warning' : 'info',
        summary: summaryOf(window, mine),
        features: mine.slice(0, LISTED_MOST).map(({ finding }) => finding),
        rows: Math.max(...mine.map(({ finding }) => finding.rows)),
        onset:
          first.since === undefined
            ? onsetOf(
                window,
                watches.find(({ name }) => name === first.name),
              )
            : { estimate: timeOf(first.since), from: timeOf(first.since), to: timeOf(to) },
        about: names,
        from,
        to,
      },
    ];
  });
}

const WORDS = {
  'data-drift': 'Inputs changed',
  'prediction-drift': 'Predictions changed',
  skew: 'Served inputs differ from the reference since the first windows of the version',
} as const;

function summaryOf({ kind, pairs }: DriftWindow, seen: readonly Seen[]): string {
  const [first] = seen;
  const most = first === undefined ? '' : `, most ${first.name}: ${first.finding.what}`;
  const effect = first?.finding.effect ?? null;
  const moved = effect === null ? '' : `, ${percent(effect)} of rows`;
  return `${WORDS[kind]} in ${seen.length} of ${pairs.length} features (${namesOf(seen.map(({ name }) => name))})${most}${moved}`;
}

/** Where the feature's scores tell; else the window. */
function onsetOf({ times, from, to }: DriftWindow, watch: FeatureWatch | undefined): Finding['onset'] {
  // Rows that came late were scored last.
  const scored = (watch?.scores ?? [])
    .flatMap((score, i) => (score === null ? [] : [{ score, at: times[i] ?? from }]))
    .sort((a, b) => a.at - b.at);
  if (watch?.scores.at(-1) === null || scored.length < 2)
    return { estimate: timeOf(from), from: timeOf(from), to: timeOf(to) };
  const { index, earliest, latest } = estimateOnset(scored.map(({ score }) => score));
  const at = (i: number): string => timeOf(scored[i]?.at ?? from);
  // It began somewhere within the latest window that it may have begun in.
  return { estimate: at(index), from: at(earliest), to: timeOf(scored[latest + 1]?.at ?? to) };
}

const KINDS: Readonly<Record<DriftWindow['group'], readonly FindingKind[]>> = {
  drift: ['data-drift', 'skew'],
  prediction: ['prediction-drift'],
};
const ownedBy = ({ group }: DriftWindow, { kind }: OpenCause): boolean => KINDS[group].includes(kind);

/** An open cause is gone when every feature of it is as before: its test, and the sum of its scores since it was last seen. */
function standingOf(
  window: DriftWindow,
  features: ReadonlyMap<string, WindowFeature>,
  watches: readonly FeatureWatch[],
): Map<string, 'gone' | 'present'> {
  const { open, pairs, settings } = window;
  const standing = new Map<string, 'gone' | 'present'>();
  for (const { cause, features: about, clear } of open.filter((one) => ownedBy(window, one))) {
    // A feature that the version does not have any more cannot drift.
    const names = about.filter((name) => pairs.some((pair) => pair.name === name));
    const states = names.map((name): 'gone' | 'present' | null => {
      const judged = features.get(name);
      if (judged === undefined || judged.verdict === 'insufficient') return null;
      const isClose = judged.p > GONE_ABOVE / names.length || judged.effect.upper < settings.material;
      return isClose &&
        !isShifted(
          window,
          pairs.find((pair) => pair.name === name),
          watches.find((one) => one.name === name),
          clear + 1,
        )
        ? 'gone'
        : 'present';
    });
    if (states.includes('present')) standing.set(cause, 'present');
    else if (!states.includes(null)) standing.set(cause, 'gone');
  }
  return standing;
}
