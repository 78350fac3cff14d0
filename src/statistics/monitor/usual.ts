/**
 * Which stretches say what volume is usual. Those of an open cause do not: an outage would soon be the usual, and its incident be resolved
 * while nothing comes. But another level that lasts becomes the usual one, or the incident would stay open for good.
 */
import type { MonitoringSettings } from '../../contracts/monitoring.js';
import type { VolumeState } from './types.js';

const HOUR = 3_600;
const WEEK = 7 * 24 * HOUR;
const SEASON_SECONDS = { none: 0, day: 24 * HOUR, week: WEEK } as const;
/** Periods that are remembered, and what is needed beyond them for the spread. */
const PERIODS = 4;
const SPREAD_STRETCHES = 200;
/** Without a rhythm. */
const PLAIN_STRETCHES = 200;
/** Two periods and so many stretches are what a rhythm is known from; without one they are enough for a spread. */
const LASTING_PERIODS = 2;
const LASTING_LEAST = 20;

/**
 * Length of the stretches that volume is compared in, seconds: windows, but with a rhythm hours at least, so that what is remembered of
 * weeks stays small.
 */
export function volumeSeconds({ windowSeconds, season }: MonitoringSettings): number {
  return season === 'none' ? windowSeconds : windowSeconds * Math.max(1, Math.ceil(HOUR / windowSeconds));
}

/** Stretches in a period; null without a rhythm, or where they do not fit into it. */
export function periodOf(settings: MonitoringSettings): number | null {
  const period = SEASON_SECONDS[settings.season] / volumeSeconds(settings);
  return Number.isInteger(period) && period >= 2 ? period : null;
}

function mostOf(settings: MonitoringSettings): number {
  if (settings.season === 'none') return PLAIN_STRETCHES;
  return PERIODS * (periodOf(settings) ?? 1) + SPREAD_STRETCHES;
}

/**
 * Stretches after which another level is the usual one: a week, so that people are back from a weekend before an incident is resolved that
 * nobody saw to; and as many as a rhythm needs to be known.
 */
export function lastingStretches(settings: MonitoringSettings): number {
  const week = Math.ceil(WEEK / volumeSeconds(settings));
  return Math.max(week, LASTING_PERIODS * (periodOf(settings) ?? 0) + LASTING_LEAST);
}

/** Of an odd stretch. Less than nothing, so that it cannot be taken for usual requests. */
const oddOf = (requests: number): number => -1 - requests;
const isOdd = (kept: number): boolean => kept < 0;
/** Nothing came. It never becomes the usual. */
const NONE = oddOf(0);

/** The newest last; null where it was odd, so that phases keep their places. */
export const usualOf = (history: VolumeState['history']): readonly (number | null)[] =>
  history.map((kept) => (isOdd(kept) ? null : kept));

/**
 * With one more stretch. The last one that another level has to last for, while a cause is open, makes the newest ones the usual ones.
 * @param what `nothing` came, or as good as that: it never becomes the usual, and no level lasts by it
 */
export function remember(
  settings: MonitoringSettings,
  state: VolumeState,
  requests: number,
  what: 'usual' | 'odd' | 'nothing',
  isOpen: boolean,
): VolumeState {
  const kept = what === 'usual' ? requests : what === 'odd' ? oddOf(requests) : NONE;
  const history = trimmed(settings, [...state.history, kept]);
  if (!isOpen) return { ...state, history };
  const lasting = (state.lasting ?? 0) + (what === 'nothing' ? 0 : 1);
  const needed = lastingStretches(settings);
  if (lasting < needed) return { ...state, history, lasting };
  return { ...state, history: levelOf(history, Math.min(needed, mostOf(settings))), lasting: 0, few: null };
}

/** The newest stretches, so many of which had requests; these are the usual ones now. */
function levelOf(history: readonly number[], stretches: number): readonly number[] {
  let left = stretches;
  let first = history.length;
  while (left > 0 && first > 0) {
    first -= 1;
    if (history[first] !== NONE) left -= 1;
  }
  return history.slice(first).map((kept) => (isOdd(kept) && kept !== NONE ? oddOf(kept) : kept));
}

/** While no cause is open. Without a rhythm nothing needs the places of odd stretches any more. */
export function withoutCause(settings: MonitoringSettings, state: VolumeState): VolumeState {
  if (settings.season !== 'none') return { ...state, lasting: 0 };
  return { ...state, lasting: 0, history: state.history.filter((kept) => !isOdd(kept)) };
}

/** Odd stretches come on top of as many usual ones as there would be without them. */
function trimmed(settings: MonitoringSettings, history: readonly number[]): readonly number[] {
  const most = mostOf(settings);
  const odd = history.filter(isOdd);
  if (settings.season === 'none') {
    const usual = history.filter((kept) => !isOdd(kept));
    const [nothing, levels] = [odd.filter((kept) => kept === NONE), odd.filter((kept) => kept !== NONE)];
    return [usual, nothing, levels].flatMap((kept) => kept.slice(-most));
  }
  const period = periodOf(settings) ?? 1;
  const newest = history.slice(-2 * period);
  // A whole period of nothing is left out, or a long outage would displace what was usual before it.
  const isLong = newest.length === 2 * period && newest.every((kept) => kept === NONE);
  return (isLong ? history.slice(0, -period) : history).slice(-(most + Math.min(odd.length, most)));
}
