/** Distances of two rows of counts in the same bins or categories, and the law of those that have one while nothing changed. */
import { joinColumns, mergeNeighbours } from './chi-square.js';
import { pairProblems, refuse, shareProblems, total, type Pair } from './checks.js';
import { chiSquareSurvival, chiSquareUpperQuantile } from './gamma.js';

function shares(counts: Pair<readonly number[]>): Pair<readonly number[]> {
  refuse('Counts', pairProblems(counts));
  const of = (side: readonly number[]): number[] => {
    const rows = total(side);
    return side.map((count) => count / rows);
  };
  return { reference: of(counts.reference), window: of(counts.window) };
}

function sumOver(pair: Pair<readonly number[]>, term: (p: number, q: number) => number): number {
  return pair.reference.reduce((sum, p, bin) => sum + term(p, pair.window[bin] ?? 0), 0);
}

/** L-infinity: the largest change of one category's share. */
export function largestShareChange(counts: Pair<readonly number[]>): number {
  const pair = shares(counts);
  return pair.reference.reduce((most, p, bin) => Math.max(most, Math.abs(p - (pair.window[bin] ?? 0))), 0);
}

/** Total variation: the share of rows that would have to change category, half the sum of all changes. */
export function totalVariation(counts: Pair<readonly number[]>): number {
  return sumOver(shares(counts), (p, q) => Math.abs(p - q)) / 2;
}

/** Jensen-Shannon, to base 2 (both from 0 to 1) or to base e (nats). The distance is the root of the divergence. */
export function jensenShannon(
  counts: Pair<readonly number[]>,
  base: 2 | 'e' = 2,
): { readonly divergence: number; readonly distance: number } {
  const nats = sumOver(shares(counts), (p, q) => {
    const middle = (p + q) / 2;
    const part = (share: number): number => (share === 0 ? 0 : share * Math.log(share / middle));
    return (part(p) + part(q)) / 2;
  });
  const divergence = Math.max(0, base === 2 ? nats / Math.LN2 : nats);
  return { divergence, distance: Math.sqrt(divergence) };
}

/**
 * Population stability index: sum of (p - q) ln(p / q). It is infinite with an empty cell, so half a row is added to every cell of
 * both sides as soon as one is empty; columns that are empty on both sides do not count.
 */
export function psi(counts: Pair<readonly number[]>): number {
  refuse('Counts', pairProblems(counts));
  const used = occupied(counts);
  return psiWith(used, [...used.reference, ...used.window].includes(0) ? 0.5 : 0);
}

function psiWith(counts: Pair<readonly number[]>, added: number): number {
  const filled = (side: readonly number[]): number[] => {
    const rows = total(side) + added * side.length;
    return side.map((count) => (count + added) / rows);
  };
  const pair = { reference: filled(counts.reference), window: filled(counts.window) };
  return sumOver(pair, (p, q) => (p - q) * Math.log(p / q));
}

function occupied(counts: Pair<readonly number[]>): Pair<readonly number[]> {
  const some = (count: number, bin: number): boolean => count + (counts.window[bin] ?? 0) > 0;
  return {
    reference: counts.reference.filter(some),
    window: counts.window.filter((_, bin) => some(counts.reference[bin] ?? 0, bin)),
  };
}

export interface PsiTest {
  /** Of the joined bins, half a row added to each cell. */
  readonly psi: number;
  /** Bins left after neighbours were joined so that each cell expects about five rows. */
  readonly bins: number;
  readonly p: number;
}

/**
 * PSI of bins in order, by its law while nothing changed. Half a row in every cell takes off what the logarithm adds in cells of few
 * rows: without it 2.4 % of windows pass a threshold that 1 % should. One bin left: p = 1.
 * @throws RangeError when counts do not fit each other
 */
export function psiTest(counts: Pair<readonly number[]>): PsiTest {
  refuse('Counts', pairProblems(counts));
  const joined = joinColumns(counts, mergeNeighbours(counts));
  const bins = joined.reference.length;
  const index = psiWith(joined, 0.5);
  const unit = 1 / total(counts.reference) + 1 / total(counts.window);
  return { psi: index, bins, p: bins === 1 ? 1 : chiSquareSurvival(index / unit, bins - 1) };
}

/**
 * The PSI that `alpha` of all windows pass while nothing changed: (1/n + 1/m) times the quantile of chi-square with one less than
 * `bins` degrees of freedom (second-order Taylor of PSI around equal shares; monitoring by a fixed .1 or .25 knows neither rows nor
 * bins). It holds for the PSI of `psiTest`.
 */
export function psiThreshold(rows: Pair<number>, bins: number, alpha: number): number {
  refuse('Threshold', thresholdProblems(rows, bins, alpha));
  return (1 / rows.reference + 1 / rows.window) * chiSquareUpperQuantile(alpha, bins - 1);
}

/** The same for the Jensen-Shannon divergence in nats, an eighth of it: multiply by 1 / ln 2 for base 2. */
export function jensenShannonThreshold(rows: Pair<number>, bins: number, alpha: number): number {
  return psiThreshold(rows, bins, alpha) / 8;
}

function thresholdProblems(rows: Pair<number>, bins: number, alpha: number): string[] {
  const problems = shareProblems('alpha', alpha);
  if (!(Number.isInteger(bins) && bins >= 2))
    problems.push(`bins is ${bins}: a whole number from 2 is needed`);
  for (const side of ['reference', 'window'] as const) {
    if (!(rows[side] >= 1)) problems.push(`rows.${side} is ${rows[side]}: a number from 1 is needed`);
  }
  return problems;
}
