/** Distances of two rows of counts in the same bins or categories, and the law of those that have one while nothing changed. */
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
  const used = counts.reference.map((_, bin) => bin).filter((bin) => !emptyColumn(counts, bin));
  const of = (side: readonly number[]): number[] => used.map((bin) => side[bin] ?? 0);
  const some = { reference: of(counts.reference), window: of(counts.window) };
  const gap = [...some.reference, ...some.window].includes(0) ? 0.5 : 0;
  const filled = (side: readonly number[]): number[] => {
    const rows = total(side) + gap * side.length;
    return side.map((count) => (count + gap) / rows);
  };
  return sumOver(
    { reference: filled(some.reference), window: filled(some.window) },
    (p, q) => (p - q) * Math.log(p / q),
  );
}

const emptyColumn = (counts: Pair<readonly number[]>, bin: number): boolean =>
  (counts.reference[bin] ?? 0) === 0 && (counts.window[bin] ?? 0) === 0;

/**
 * The PSI that `alpha` of all windows pass while nothing changed: (1/n + 1/m) times the quantile of chi-square with one less than
 * `bins` degrees of freedom (second-order Taylor of PSI around equal shares; monitoring by a fixed .1 or .25 knows neither rows nor
 * bins). It holds while each cell expects about five rows: join bins first (`mergeNeighbours`).
 */
export function psiThreshold(rows: Pair<number>, bins: number, alpha: number): number {
  refuse('Threshold', thresholdProblems(rows, bins, alpha));
  return (1 / rows.reference + 1 / rows.window) * chiSquareUpperQuantile(alpha, bins - 1);
}

/** p-value of a PSI by the same law. */
export function psiP(value: number, rows: Pair<number>, bins: number): number {
  refuse('PSI', thresholdProblems(rows, bins, 0.5));
  return chiSquareSurvival(value / (1 / rows.reference + 1 / rows.window), bins - 1);
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
