/** Volume of traffic against its own rhythm. */
import type { MonitoringSettings } from '../../contracts/monitoring.js';
import { addChunk, NO_CHUNKS, scoreChunk, type ChunkScore, type Insufficient } from '../drift/prediction.js';
import { INITIAL_RUN_LENGTH, watchScore } from '../drift/run-length.js';
import { scoreSeasonal } from '../drift/seasonal.js';
import { budgetWindows, corrected, windowsOf } from './budget.js';
import type { Judged, MonitoredWindow, OpenCause, VolumeState } from './types.js';
import { figure, timeOf } from './words.js';

const HOUR = 3_600;
const SEASON_SECONDS = { none: 0, day: 24 * HOUR, week: 7 * 24 * HOUR } as const;
/** Periods that are remembered, and what is needed beyond them for the spread. */
const PERIODS = 4;
const SPREAD_STRETCHES = 200;
/** Without a rhythm. */
const PLAIN_STRETCHES = 200;
/** Less than half, or more than twice, matters. */
const LESS = 0.5;
const MORE = 2;
const GONE_SCORE = 2;

/**
 * Length of the stretches that volume is compared in, seconds: windows, but with a rhythm hours at least, so that what is remembered of
 * weeks stays small.
 */
function volumeSeconds({ windowSeconds, season }: MonitoringSettings): number {
  return season === 'none' ? windowSeconds : windowSeconds * Math.max(1, Math.ceil(HOUR / windowSeconds));
}

export const noVolume = (settings: MonitoringSettings): VolumeState => ({
  history: [],
  seconds: volumeSeconds(settings),
  open: null,
  watch: INITIAL_RUN_LENGTH,
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
  const state = before.seconds === seconds ? before : noVolume(settings);
  const from = state.open?.from ?? window.from;
  const requests = (state.open?.requests ?? 0) + window.requests;
  const isComplete = window.to % (seconds * 1_000) === 0;
  if (!isComplete) {
    const volume = { ...state, open: { from, requests } };
    return { drafts: [], standing: new Map(), waiting: [], volume, from };
  }
  // One that the monitor came in the middle of is no measure.
  const isWhole = window.to - from === seconds * 1_000;
  const history = isWhole ? [...state.history, requests] : [...state.history];
  const kept = { ...state, history: history.slice(-mostOf(settings)), open: null };
  if (!isWhole) return { drafts: [], standing: new Map(), waiting: [], volume: kept, from };
  return { ...judgeStretch(settings, kept, from, window.to, open), from };
}

function judgeStretch(
  settings: MonitoringSettings,
  state: VolumeState,
  from: number,
  to: number,
  open: readonly OpenCause[],
): Judged & { readonly volume: VolumeState } {
  const known = open.find(({ kind }) => kind === 'traffic');
  const scored = scoreOf(settings, state.history);
  if (scored.state !== 'known')
    return { drafts: [], standing: new Map(), waiting: [`traffic: ${scored.reason}`], volume: state };
  const rule = { windowsBetweenFalseFindings: windowsOf(settings, 'volume', 2) };
  const { state: watch, look } = watchScore(state.watch, rule, scored.score);
  const volume = { ...state, watch };
  const requests = state.history.at(-1) ?? 0;
  const usual = scored.centre ** 2;
  const p = Math.min(
    corrected(scored.p, 'volume', 2),
    corrected(Math.min(1, Math.exp(-look.lnE)), 'volume', 2),
  );
  const ratio = usual > 0 ? requests / usual : Number.POSITIVE_INFINITY;
  const isMaterial = ratio < LESS || ratio > MORE;
  const standing = new Map(
    known === undefined
      ? []
      : [
          [
            known.cause,
            Math.abs(scored.score) <= GONE_SCORE || !isMaterial ? ('gone' as const) : ('present' as const),
          ],
        ],
  );
  if (p > 1 / budgetWindows(settings)) return { drafts: [], standing, waiting: [], volume };
  const verdict = isMaterial ? 'found' : 'immaterial';
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
            what: scored.score > 0 ? 'more' : 'less',
            effect: usual > 0 ? ratio - 1 : null,
            interval: null,
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

/** The root of a count varies by about the same at any volume. */
function scoreOf(
  settings: MonitoringSettings,
  history: readonly number[],
): (ChunkScore & { readonly centre: number }) | Insufficient {
  const roots = history.map(Math.sqrt);
  if (settings.season === 'none') {
    const before = roots.slice(0, -1).reduce(addChunk, NO_CHUNKS);
    const scored = scoreChunk(before, roots.at(-1) ?? 0);
    return scored.state === 'known' ? { ...scored, centre: before.mean } : scored;
  }
  const period = periodOf(settings);
  if (period === null) {
    return {
      state: 'insufficient',
      reason: `a ${settings.season} is not a whole number of ${volumeSeconds(settings)} s, set monitoring.season or windowSeconds`,
    };
  }
  return scoreSeasonal(roots, period);
}

function periodOf(settings: MonitoringSettings): number | null {
  const period = SEASON_SECONDS[settings.season] / volumeSeconds(settings);
  return Number.isInteger(period) && period >= 2 ? period : null;
}

function mostOf(settings: MonitoringSettings): number {
  if (settings.season === 'none') return PLAIN_STRETCHES;
  return PERIODS * (periodOf(settings) ?? 1) + SPREAD_STRETCHES;
}
