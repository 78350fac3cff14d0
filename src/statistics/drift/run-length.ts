/**
 * Watching without end: a detector of the Shiryaev-Roberts kind made of e-values (J. Shin, A. Ramdas and A. Rinaldo, "E-detectors: a
 * nonparametric framework for sequential change detection", 2022). It adds up what each window says, so it finds small shifts that
 * stay, which no single window shows; and its average run length until a false alarm is at least what was asked for.
 */
import { budgetProblems } from './corrections.js';
import { numberProblems, refuse } from './checks.js';

export interface RunLengthRule {
  /** Windows until a false alarm, on average at least. With several streams: this times their number for each. */
  readonly windowsBetweenFalseFindings: number;
  /**
   * How far the scores' mean may lie from 0 while nothing changed (`midRankScore` says it of a fixed reference). 0 when each score is
   * standard normal given those before it.
   */
  readonly allowance?: number;
}

/** Plain JSON. For each shift ln(1 + M), M being the detector: 0 before the first window. */
export interface RunLengthState {
  readonly up: readonly number[];
  readonly down: readonly number[];
}

export interface RunLengthLook {
  readonly lnE: number;
  readonly threshold: number;
  readonly alarm: 'none' | 'up' | 'down';
}

/** Shifts, in sd of a score, that the detector is best at; what lies between is found nearly as fast. */
const SHIFTS = [0.5, 1, 2, 4] as const;
const NOTHING = SHIFTS.map(() => 0);

export const INITIAL_RUN_LENGTH: RunLengthState = { up: NOTHING, down: NOTHING };

/**
 * Takes the next window's score. For every shift s and side, M becomes (M + 1) exp(s (score - allowance) - s²/2); the factor has a
 * mean of at most 1 while nothing changed, so the mean M grows by at most 1 a window, and a mean of M that passes the wanted run
 * length cannot come sooner on average. After an alarm it starts anew.
 * @param score standard normal when nothing changed, up to the allowance; of a window that was not scored, leave the call out
 * @throws RangeError when the score is not finite or the rule does not hold together
 */
export function watchScore(
  state: RunLengthState,
  rule: RunLengthRule,
  score: number,
): { readonly state: RunLengthState; readonly look: RunLengthLook } {
  const { windowsBetweenFalseFindings, allowance = 0 } = rule;
  refuse('Watch', [
    ...numberProblems('score', score),
    ...budgetProblems(windowsBetweenFalseFindings),
    ...(allowance >= 0 && Number.isFinite(allowance)
      ? []
      : [`allowance is ${allowance}: a finite number from 0 is needed`]),
  ]);
  const up = advance(state.up, score - allowance);
  const down = advance(state.down, -score - allowance);
  const lnUp = logMean(up);
  const lnDown = logMean(down);
  const most = Math.max(lnUp, lnDown);
  const lnE = most + Math.log((Math.exp(lnUp - most) + Math.exp(lnDown - most)) / 2);
  const threshold = Math.log(windowsBetweenFalseFindings);
  if (lnE < threshold)
    return {
      state: { up: up.map(log1pExp), down: down.map(log1pExp) },
      look: { lnE, threshold, alarm: 'none' },
    };
  return { state: INITIAL_RUN_LENGTH, look: { lnE, threshold, alarm: lnUp >= lnDown ? 'up' : 'down' } };
}

/** ln M of each shift. */
const advance = (side: readonly number[], score: number): number[] =>
  SHIFTS.map((shift, i) => (side[i] ?? 0) + shift * score - (shift * shift) / 2);

/** ln(1 + e^value); 0 of -Infinity. */
export const log1pExp = (value: number): number =>
  value > 0 ? value + Math.log1p(Math.exp(-value)) : Math.log1p(Math.exp(value));

/** ln of the mean of e^values. */
export function logMean(values: readonly number[]): number {
  const most = Math.max(...values);
  if (most === Number.NEGATIVE_INFINITY) return most;
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0) / values.length);
}
