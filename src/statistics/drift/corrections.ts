/** Many tests at once and one after another: what is made of their p-values. */
import { refuse, shareProblems } from './checks.js';

function checkPs(ps: readonly number[]): void {
  refuse(
    'p-values',
    ps.flatMap((p, i) => (p >= 0 && p <= 1 ? [] : [`ps[${i}] is ${p}: a number from 0 to 1 is needed`])),
  );
}

/**
 * Adjusted p-values after Bonferroni: any of them at most alpha with a chance of at most alpha while nothing changed, however the
 * tests depend on each other.
 * @throws RangeError when a p-value does not lie from 0 to 1
 */
export function bonferroni(ps: readonly number[]): readonly number[] {
  checkPs(ps);
  return ps.map((p) => Math.min(1, p * ps.length));
}

/**
 * Adjusted p-values after Benjamini and Hochberg (1995): of those at most q, a share of q at most is false on average, if tests are
 * independent or depend positively.
 * @throws RangeError when a p-value does not lie from 0 to 1
 */
export function benjaminiHochberg(ps: readonly number[]): readonly number[] {
  checkPs(ps);
  const order = ps.map((_, i) => i).sort((a, b) => (ps[b] ?? 1) - (ps[a] ?? 1));
  const adjusted = ps.map(() => 1);
  let least = 1;
  order.forEach((i, rank) => {
    least = Math.min(least, ((ps[i] ?? 1) * ps.length) / (ps.length - rank));
    adjusted[i] = least;
  });
  return adjusted;
}

/**
 * Share of alpha for the k-th of looks without end: w_k = 1/(1 + ln k) - 1/(1 + ln(k + 1)). The sum telescopes to 1, and w_k falls as
 * 1/(k ln^2 k), about as slowly as a sum that ends can: 41 % for the first look, .9 % for the tenth, .0018 % for the 900th.
 * @throws RangeError when `look` is not a whole number from 1
 */
function lookWeight(look: number): number {
  if (!(Number.isSafeInteger(look) && look >= 1)) {
    throw new RangeError(`Look ${look} must be a whole number from 1`);
  }
  const log = Math.log(look);
  const step = Math.log1p(1 / look);
  return step / ((1 + log) * (1 + log + step));
}

/**
 * What a p-value at a look must not pass, so that over all looks ever a false alarm has a chance of at most `alpha`. For a watch that
 * is to end, or one model: a monitor without end goes by a budget of time instead (`alphaOfBudget`), which does not fade.
 */
export function alphaAtLook(alpha: number, look: number): number {
  refuse('Alpha', shareProblems('alpha', alpha));
  return alpha * lookWeight(look);
}

/**
 * What the smallest corrected p-value of each window must not pass, so that false findings come once in `windows` windows on average,
 * at the latest window as at the first. Holds however windows depend on each other: expectations add up. The first false finding is
 * before window k with a chance of at most k / windows.
 * @throws RangeError when `windows` is not a number from 1
 */
export function alphaOfBudget(windows: number): number {
  refuse('Budget', budgetProblems(windows));
  return 1 / windows;
}

export function budgetProblems(windows: unknown): string[] {
  if (typeof windows === 'number' && windows > 1 && Number.isFinite(windows)) return [];
  return [`windowsBetweenFalseFindings is ${String(windows)}: a finite number above 1 is needed`];
}
