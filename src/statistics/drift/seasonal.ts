/** Baselines by phase: a window is compared with those at the same time of the week (or of any period), robustly. */
import { numberProblems, refuse } from './checks.js';
import { studentScore, type ChunkScore, type Insufficient } from './prediction.js';

/** Same-phase values that a centre is the median of: the newest ones, as many as this. */
const CENTRE_MOST = 8;
const CENTRE_LEAST = 2;
/** Prediction errors of all phases that the spread comes from. */
const ERRORS_LEAST = 20;
const ERRORS_MOST = 200;
/** Variance of the median of 1 to 8 normal values, in that of one (order statistics of the normal law). */
const MEDIAN_VARIANCE = [1, 0.5, 0.4487, 0.2982, 0.2868, 0.2147, 0.2104, 0.1682];
/** Median of |Z| of a standard normal Z. */
const NORMAL_MAD = 0.6744897501960817;
/** Of n errors, the median of sizes knows as much of the spread as .37 n of them would by their squares. */
const MAD_EFFICIENCY = 0.3675;

export interface SeasonalScore extends ChunkScore {
  /** Median of the same phase, what was expected. */
  readonly centre: number;
  /** Robust sd of a window around its centre. */
  readonly spread: number;
}

/**
 * Scores the last value of a series by those at the same phase before it: its gap from their median, in the spread of such gaps over
 * all phases, by Student's law. Few same-phase values make a poor spread, so all phases share one, which takes them to be about
 * equally noisy. The median and the median size of gaps shrug off single odd weeks and holidays.
 * @param values one a window, oldest first, the one to score last, of which the newest 8 periods and 200 windows are looked at; `null` where a window was missing or had too few rows
 * @param period windows in a period: 168 for hours of a week, 7 for days
 * @throws RangeError when the last value or any other is not finite, or the period is not a whole number from 2
 */
export function scoreSeasonal(
  values: readonly (number | null)[],
  period: number,
): SeasonalScore | Insufficient {
  const last = values.length - 1;
  const problems = values.flatMap((value, i) =>
    value === null && i < last ? [] : numberProblems(`values[${i}]`, value),
  );
  if (values.length === 0) problems.push('values is empty: the window to score is needed');
  if (!(Number.isInteger(period) && period >= 2)) {
    problems.push(`period is ${period}: a whole number of windows from 2 is needed`);
  }
  refuse('Seasonal baseline', problems);
  const own = centreOf(values, last, period);
  if (own === undefined) {
    return {
      state: 'insufficient',
      reason: `Fewer than ${CENTRE_LEAST} windows at this phase of the period came before`,
    };
  }
  const sizes: number[] = [];
  for (let i = last - 1; i >= 0 && sizes.length < ERRORS_MOST; i -= 1) {
    const value = values[i] ?? null;
    const before = value === null ? undefined : centreOf(values, i, period);
    if (value === null || before === undefined) continue;
    sizes.push(Math.abs(value - before.centre) / before.inflation);
  }
  if (sizes.length < ERRORS_LEAST) {
    return {
      state: 'insufficient',
      reason: `${sizes.length} windows that could be compared with their phase, at least ${ERRORS_LEAST} are needed`,
    };
  }
  const spread = median(sizes) / NORMAL_MAD;
  if (!(spread > 0))
    return { state: 'insufficient', reason: 'The baseline does not vary, its spread is not known' };
  const t = ((values[last] ?? 0) - own.centre) / (spread * own.inflation);
  return { ...studentScore(t, MAD_EFFICIENCY * sizes.length), centre: own.centre, spread };
}

/** Median of the newest same-phase values before `index`, and by how much the centre's own error widens a gap from it. */
function centreOf(values: readonly (number | null)[], index: number, period: number) {
  const same: number[] = [];
  for (let i = index - period; i >= 0 && same.length < CENTRE_MOST; i -= period) {
    const value = values[i] ?? null;
    if (value !== null) same.push(value);
  }
  if (same.length < CENTRE_LEAST) return undefined;
  return { centre: median(same), inflation: Math.sqrt(1 + (MEDIAN_VARIANCE[same.length - 1] ?? 0)) };
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const half = values.length >> 1;
  const upper = values[half] ?? 0;
  return values.length % 2 === 1 ? upper : ((values[half - 1] ?? 0) + upper) / 2;
}
