/** The watch without end of a feature: small changes that stay, which no window shows by itself. */
import type { FeatureFinding, Finding, FindingKind, MonitoringSettings } from '../../contracts/monitoring.js';
import { total } from '../drift/checks.js';
import type { WindowFeature } from '../drift/judge-window.js';
import { estimateOnset } from '../drift/onset.js';
import { midRankScore } from '../drift/reference-score.js';
import { INITIAL_RUN_LENGTH, watchScore } from '../drift/run-length.js';
import { isShareAway, type ShareAlarm, watchShares } from '../drift/share-watch.js';
import { corrected, windowsOf } from './budget.js';
import { shareWords } from './change.js';
import type { FeaturePair } from './pairs.js';
import type { FeatureWatch, OpenCause } from './types.js';

/** Share of all references whose luck the watch does not allow for. */
const ODD_REFERENCES = 0.001;
/** Sd of the sum of the windows since it was last seen. */
const GONE_WITHIN = 2;
/** Of a small shift of a bell curve, the change at the best border over that of the mean rank. */
const RANK_TO_SHARE = Math.SQRT2;
/** Sd of a rank of evenly spread rows. */
const RANK_SD = Math.sqrt(1 / 12);
const INTERVAL = 1.959963984540054;

export interface DriftWindow {
  readonly group: 'drift' | 'prediction';
  /** Under which name a change is told. */
  readonly kind: Extract<FindingKind, 'data-drift' | 'prediction-drift' | 'skew'>;
  readonly settings: MonitoringSettings;
  readonly pairs: readonly FeaturePair[];
  readonly watches: readonly FeatureWatch[];
  /** Begins of the windows that `watches` have scores of. */
  readonly times: readonly number[];
  readonly open: readonly OpenCause[];
  readonly from: number;
  readonly to: number;
}

export interface Seen {
  readonly name: string;
  readonly finding: FeatureFinding;
  readonly verdict: Finding['verdict'];
  /** When the watch began to see it, epoch milliseconds; absent: its scores say it, or the window. */
  readonly since?: number;
}

interface Watched {
  readonly watch: FeatureWatch;
  readonly alarm: Seen | null;
}

/** Moves the watch on, where the window has the rows. */
export function watchFeature(
  window: DriftWindow,
  pair: FeaturePair,
  judged: WindowFeature | undefined,
): Watched {
  const { name, counts } = pair;
  const before = window.watches.find((one) => one.name === name) ?? {
    name,
    state: INITIAL_RUN_LENGTH,
    scores: window.times.slice(0, -1).map(() => null),
    allowance: 0,
  };
  const silent = { watch: { ...before, scores: [...before.scores, null] }, alarm: null };
  if (judged === undefined || judged.verdict === 'insufficient') return silent;
  return counts.kind === 'numeric'
    ? (watchRanks(window, pair, before) ?? silent)
    : watchCategories(window, pair, silent.watch);
}

const alphaOf = ({ pairs }: DriftWindow): number => ODD_REFERENCES / pairs.length;

function watchCategories(window: DriftWindow, { name, counts }: FeaturePair, before: FeatureWatch): Watched {
  if (counts.kind !== 'categorical') return { watch: before, alarm: null };
  const { settings, group, pairs, from } = window;
  const parts = 2 * pairs.length;
  const rule = {
    windowsBetweenFalseFindings: windowsOf(settings, group, parts),
    alpha: alphaOf(window),
    from,
  };
  const { state, alarm, lnE } = watchShares(before.shares ?? [], rule, counts);
  const watch = { ...before, shares: state };
  if (alarm === null) return { watch, alarm: null };
  const size = Math.abs(alarm.change);
  const spread = INTERVAL * alarm.sd;
  return {
    watch,
    alarm: {
      name,
      verdict: size >= settings.material ? 'found' : 'immaterial',
      since: alarm.since,
      finding: {
        name,
        what: wordsOf(alarm),
        effect: size,
        interval: [Math.max(0, size - spread), Math.min(1, size + spread)],
        p: corrected(Math.min(1, Math.exp(-lnE)), group, parts),
        rows: total(Object.values(counts.window)),
      },
    },
  };
}

const wordsOf = ({ value, before, now, windows }: ShareAlarm): string =>
  `${shareWords(value, before, now)} over ${windows} windows`;

function watchRanks(
  window: DriftWindow,
  { name, counts }: FeaturePair,
  before: FeatureWatch,
): Watched | null {
  if (counts.kind !== 'numeric') return null;
  const { settings, group, pairs } = window;
  const scored = midRankScore(counts, alphaOf(window));
  if (scored === undefined) return null;
  const parts = 2 * pairs.length;
  const { allowance } = scored;
  const rule = { windowsBetweenFalseFindings: windowsOf(settings, group, parts), allowance };
  const { state, look } = watchScore(before.state, rule, scored.score);
  const scores = [...before.scores, scored.score];
  const watch = { name, state, scores, allowance };
  if (look.alarm === 'none') return { watch, alarm: null };
  const known = scores.filter((score) => score !== null);
  const onset = estimateOnset(known);
  const rows = total(counts.window);
  const share = (score: number): number => (RANK_TO_SHARE * RANK_SD * Math.max(0, score)) / Math.sqrt(rows);
  const spread = INTERVAL / Math.sqrt(known.length - onset.index);
  const size = Math.abs(onset.shift);
  const effect = Math.min(1, share(size));
  return {
    watch,
    alarm: {
      name,
      verdict: effect >= settings.material ? 'found' : 'immaterial',
      finding: {
        name,
        what: `${look.alarm} over ${known.length - onset.index} windows`,
        effect,
        interval: [Math.min(1, share(size - spread)), Math.min(1, share(size + spread))],
        p: corrected(Math.min(1, Math.exp(-look.lnE)), group, parts),
        rows,
      },
    },
  };
}

/** Whether a feature of an open cause is still away, by what windows add up to. @param windows since it was last seen */
export function isShifted(
  window: DriftWindow,
  pair: FeaturePair | undefined,
  watch: FeatureWatch | undefined,
  windows: number,
): boolean {
  if (pair?.counts.kind === 'categorical')
    return isShareAway(watch?.shares ?? [], { alpha: alphaOf(window) }, pair.counts, GONE_WITHIN);
  const scores = (watch?.scores ?? []).slice(-windows).filter((score) => score !== null);
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  return (Math.abs(mean) - (watch?.allowance ?? 0)) * Math.sqrt(scores.length) > GONE_WITHIN;
}
