/** Volume of traffic against its own rhythm. */
import type { MonitoringSettings } from '../../contracts/monitoring.js';
import {
  addChunk,
  NO_CHUNKS,
  scoreChunk,
  type ChunkScore,
  type Insufficient,
  gapSpread,
} from '../drift/prediction.js';
import { chiSquareSurvival } from '../drift/gamma.js';
import { INITIAL_RUN_LENGTH, watchScore } from '../drift/run-length.js';
import { scoreSeasonal } from '../drift/seasonal.js';
import { normalCdf, normalQuantile } from '../metrics/distributions.js';
import { budgetWindows, corrected, windowsOf } from './budget.js';
import { reachOf, type Interval } from './intervals.js';
import type { Judged, MonitoredWindow, OpenCause, VolumeState } from './types.js';
import { periodOf, remember, usualOf, volumeSeconds, withoutCause } from './usual.js';
import { figure, timeOf } from './words.js';

/** More than twice, or less than half, matters. */
const MORE = 2;
/** Less than so much of the usual is as good as nothing. */
const NOTHING = 0.01;
const GONE_SCORE = 2;
/** Requests: half of the usual is four sd away from it, by luck alone. */
const ENOUGH = 50;
/** Of the root of a Poisson count; the mean count is the mean root's square and this. */
const ROOT_VARIANCE = 0.25;
/** Half of what matters: a level at the border does not come and go. */
const CLOSE = Math.SQRT2;
/** The least that `scoreSeasonal` asks for: the median of two stretches has half of one's variance, .37 times 20 gaps. */
const SEASONAL_WIDER = Math.sqrt(1.5);
const SEASONAL_FREEDOM = 7;

export const noVolume = (settings: MonitoringSettings): VolumeState => ({
  history: [],
  seconds: volumeSeconds(settings),
  season: settings.season,
  open: null,
  watch: INITIAL_RUN_LENGTH,
  lasting: 0,
  few: null,
});

/** Counts a window, and judges the stretch that it completes. */
export function judgeVolume(
  settings: MonitoringSettings,
  before: VolumeState,
  window: Pick<MonitoredWindow, 'from' | 'to' | 'requests'>,
  open: readonly OpenCause[],
): Judged & { readonly volume: VolumeState; readonly from: number } {
  const seconds = volumeSeconds(settings);
  // With other windows, or another season, everything begins anew.
  const isSame = before.seconds === seconds && (before.season ?? settings.season) === settings.season;
  const state = isSame ? { ...before, season: settings.season } : noVolume(settings);
  const from = state.open?.from ?? window.from;
  const requests = (state.open?.requests ?? 0) + window.requests;
  const isComplete = window.to % (seconds * 1_000) === 0;
  if (!isComplete) {
    const volume = { ...state, open: { from, requests } };
    return { drafts: [], standing: new Map(), waiting: [], volume, from };
  }
  // One that the monitor came in the middle of is no measure.
  const isWhole = window.to - from === seconds * 1_000;
  const counted = { ...state, open: null };
  if (!isWhole) return { drafts: [], standing: new Map(), waiting: [], volume: counted, from };
  return { ...judgeStretch(settings, counted, { from, to: window.to, requests }, open), from };
}

function judgeStretch(
  settings: MonitoringSettings,
  before: VolumeState,
  { from, to, requests }: Pick<MonitoredWindow, 'from' | 'to' | 'requests'>,
  open: readonly OpenCause[],
): Judged & { readonly volume: VolumeState } {
  const known = open.find(({ kind }) => kind === 'traffic');
  const isOpen = known?.verdict === 'found';
  const state = isOpen ? before : withoutCause(settings, before);
  const scored = scoreOf(settings, state.history, requests);
  if (scored.state !== 'known') {
    const what = !isOpen ? 'usual' : requests === 0 ? 'nothing' : 'odd';
    const volume = remember(settings, state, requests, what, isOpen);
    return { drafts: [], standing: new Map(), waiting: [`traffic: ${scored.reason}`], volume };
  }
  const rule = { windowsBetweenFalseFindings: windowsOf(settings, 'volume', 2) };
  const usual = scored.centre ** 2;
  const score = beyondLuck(scored.score, requests, usual);
  const { state: watch, look } = watchScore(state.watch, rule, score);
  const p = Math.min(
    corrected(2 * normalCdf(-Math.abs(score)), 'volume', 2),
    corrected(Math.min(1, Math.exp(-look.lnE)), 'volume', 2),
  );
  const ratio = usual > 0 ? requests / usual : Number.POSITIVE_INFINITY;
  const isFound = !isWithin({ requests, usual }, MORE) && p <= 1 / budgetWindows(settings);
  const { stands, few } = standingOf(score, { requests, usual }, state.few ?? null);
  const standing = new Map(known === undefined || stands === null ? [] : [[known.cause, stands]]);
  const isOdd = isFound || (isOpen && stands !== 'gone');
  const what = !isOdd ? 'usual' : requests === 0 || ratio < NOTHING ? 'nothing' : 'odd';
  const volume = remember(
    settings,
    { ...state, watch, few: known === undefined ? null : few },
    requests,
    what,
    isOpen || isFound,
  );
  if (p > 1 / budgetWindows(settings)) return { drafts: [], standing, waiting: [], volume };
  const verdict = isFound ? 'found' : 'immaterial';
  const isOff = requests === 0;
  return {
    drafts: [
      {
        kind: 'traffic',
        cause: 'traffic',
        verdict,
        severity: verdict === 'immaterial' ? 'info' : isOff ? 'critical' : 'warning',
        summary: isOff
          ? `No requests, usual at this time are ${figure(usual)}`
          : `${requests} requests, usual at this time are ${figure(usual)}`,
        features: [
          {
            name: 'requests',
            what: score > 0 ? 'more' : 'less',
            effect: usual > 0 ? ratio - 1 : null,
            interval: usual > 0 ? intervalOf(Math.sqrt(requests), scored) : null,
            p,
            rows: requests,
          },
        ],
        rows: requests,
        onset: { estimate: timeOf(from), from: timeOf(from), to: timeOf(to) },
        about: ['requests'],
        from,
        to,
      },
    ],
    standing,
    waiting: [],
    volume,
  };
}

/**
 * The score, but no further out than so many requests are for a Poisson law: the root of a few has a longer tail than the score takes it
 * to have, and a quiet hour of a night in which three requests are usual is no outage.
 */
function beyondLuck(score: number, requests: number, usual: number): number {
  if (Math.abs(score) <= 1) return score;
  const mean = usual + ROOT_VARIANCE;
  // P(X <= x) is P(chi-square of 2 (x + 1) degrees of freedom > 2 mean).
  const tail =
    score < 0
      ? chiSquareSurvival(2 * mean, 2 * (requests + 1))
      : 1 - chiSquareSurvival(2 * mean, 2 * requests);
  if (!(tail > 0)) return score;
  return Math.sign(score) * Math.min(Math.abs(score), Math.max(0, -normalQuantile(Math.min(0.5, tail))));
}

/**
 * What the stretch says of an open cause. Where few are usual, as at night, it may look as ever in the middle of an outage: several in a
 * row are taken together until there should be enough requests, and have to be close to that. What is far from usual is seen by itself.
 */
function standingOf(
  score: number,
  seen: NonNullable<VolumeState['few']>,
  before: VolumeState['few'],
): { readonly stands: 'gone' | 'present' | null; readonly few: VolumeState['few'] } {
  const isUsual = Math.abs(score) <= GONE_SCORE;
  if (!isUsual && !isWithin(seen, CLOSE)) return { stands: 'present', few: null };
  const few = {
    requests: (before?.requests ?? 0) + seen.requests,
    usual: (before?.usual ?? 0) + seen.usual,
  };
  if (few.usual < ENOUGH) return { stands: null, few };
  const isEnough = seen.usual >= ENOUGH && isUsual && isWithin(seen, MORE);
  return { stands: isEnough || isWithin(few, CLOSE) ? 'gone' : null, few: null };
}

/** @param factor from 1 on */
const isWithin = ({ requests, usual }: NonNullable<VolumeState['few']>, factor: number): boolean =>
  requests * factor >= usual && requests <= usual * factor;

interface VolumeScore extends ChunkScore {
  /** Root of the usual requests. */
  readonly centre: number;
  /** Sd of a root's gap from it, that the centre is not known exactly included, and its degrees of freedom. */
  readonly spread: number;
  readonly freedom: number;
}

/** The root of a count varies by about the same at any volume. */
function scoreOf(
  settings: MonitoringSettings,
  history: readonly number[],
  requests: number,
): VolumeScore | Insufficient {
  const roots = usualOf(history).map((one) => (one === null ? null : Math.sqrt(one)));
  if (settings.season === 'none') {
    const before = roots.filter((root) => root !== null).reduce(addChunk, NO_CHUNKS);
    const scored = scoreChunk(before, Math.sqrt(requests));
    if (scored.state !== 'known') return scored;
    return { ...scored, centre: before.mean, spread: gapSpread(before), freedom: before.count - 1 };
  }
  const period = periodOf(settings);
  if (period === null) {
    return {
      state: 'insufficient',
      reason: `a ${settings.season} is not a whole number of ${volumeSeconds(settings)} s, set monitoring.season or windowSeconds`,
    };
  }
  const scored = scoreSeasonal([...roots, Math.sqrt(requests)], period);
  if (scored.state !== 'known') return scored;
  return { ...scored, spread: SEASONAL_WIDER * scored.spread, freedom: SEASONAL_FREEDOM };
}

/**
 * Of requests over the usual, less 1: where stretches of this level would lie, by the spread that the score uses, in roots. With a rhythm
 * it is as wide as with the least history that is scored.
 */
function intervalOf(root: number, { centre, spread, freedom }: VolumeScore): Interval {
  const reach = reachOf(spread, freedom);
  return [(Math.max(0, root - reach) / centre) ** 2 - 1, ((root + reach) / centre) ** 2 - 1];
}
