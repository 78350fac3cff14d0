/** Chi-square test of two rows of counts, on the contingency table: both sides are samples, the reference is not taken as exact. */
import { pairProblems, refuse, total, type Pair } from './checks.js';
import { chiSquareSurvival } from './gamma.js';
import { deviance } from './saddle.js';

export interface ChiSquareResult {
  readonly statistic: number;
  readonly freedom: number;
  /** By Pearson's statistic. */
  readonly p: number;
  /**
   * By the likelihood ratio (G). Pearson's p falls too fast far out where cells expect few rows, G's at the right rate: an alarm at a
   * level of one in a million goes by the larger of both.
   */
  readonly likelihoodRatioP: number;
  /** Smallest count that was expected of a cell. */
  readonly leastExpected: number;
  readonly rows: Pair<number>;
}

export interface ChiSquareSettings {
  /** Yates' correction of a 2 x 2 table. scipy has it on by default; here it is off, it makes the test blind rather than exact. */
  readonly yates?: boolean;
}

/**
 * Empty columns are left out. With one column left nothing can differ: p = 1.
 * @throws RangeError when counts do not fit each other
 */
export function chiSquare(
  counts: Pair<readonly number[]>,
  settings: ChiSquareSettings = {},
): ChiSquareResult {
  refuse('Counts', pairProblems(counts));
  const n = total(counts.reference);
  const m = total(counts.window);
  const yates = settings.yates === true && occupied(counts) === 2;
  let statistic = 0;
  let ratio = 0;
  let freedom = -1;
  let leastExpected = Infinity;
  counts.reference.forEach((first, bin) => {
    const second = counts.window[bin] ?? 0;
    const both = first + second;
    if (both === 0) return;
    freedom += 1;
    const expected = (both * n) / (n + m);
    const expectedWindow = (both * m) / (n + m);
    // Both cells of a column are off by the same number.
    const gap = Math.abs(first - expected);
    const counted = yates ? gap - Math.min(0.5, gap) : gap;
    statistic += (counted * counted) / expected + (counted * counted) / expectedWindow;
    ratio += 2 * (deviance(first, expected) + deviance(second, expectedWindow));
    leastExpected = Math.min(leastExpected, expected, expectedWindow);
  });
  const rows = { reference: n, window: m };
  if (freedom === 0) return { statistic: 0, freedom, p: 1, likelihoodRatioP: 1, leastExpected, rows };
  const p = chiSquareSurvival(statistic, freedom);
  return { statistic, freedom, p, likelihoodRatioP: chiSquareSurvival(ratio, freedom), leastExpected, rows };
}

const occupied = (counts: Pair<readonly number[]>): number =>
  counts.reference.filter((first, bin) => first + (counts.window[bin] ?? 0) > 0).length;

/** Counts by category. A category that one side lacks has the count 0 there. */
export type CategoryCounts = Readonly<Record<string, number>>;

/** Both sides in the same order of categories: by name, so that it does not matter who counted first. */
export function alignCategories(counts: Pair<CategoryCounts>): Pair<readonly number[]> & { names: string[] } {
  const names = [...new Set([...Object.keys(counts.reference), ...Object.keys(counts.window)])].sort();
  const of = (side: CategoryCounts): number[] =>
    names.map((name) => (Object.hasOwn(side, name) ? (side[name] ?? Number.NaN) : 0));
  return { names, reference: of(counts.reference), window: of(counts.window) };
}

/** What a cell has to expect for the chi-square law to hold (W. G. Cochran's rule, in its strict form). */
const EXPECTED_LEAST = 5;

/**
 * Joins the rarest categories, both sides together, until each cell of each column expects `expected`. The choice looks at the
 * columns' sums only, which say nothing about a difference, so the test stays valid. One column is left when there are too few rows.
 * Returns which columns each new one holds, in their order.
 */
export function mergeRare(counts: Pair<readonly number[]>, expected = EXPECTED_LEAST): readonly number[][] {
  const need = columnNeeds(counts, expected);
  const sums = columnSums(counts);
  const order = sums.map((_, bin) => bin).filter((bin) => (sums[bin] ?? 0) > 0);
  order.sort((a, b) => (sums[a] ?? 0) - (sums[b] ?? 0) || a - b);
  const kept: number[][] = [];
  let rare: number[] = [];
  let rareSum = 0;
  for (const bin of order) {
    const sum = sums[bin] ?? 0;
    if (sum >= need && (rare.length === 0 || rareSum >= need)) kept.push([bin]);
    else {
      rare.push(bin);
      rareSum += sum;
    }
  }
  if (rare.length > 0) kept.push(rare.sort((a, b) => a - b));
  return kept.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
}

/** The same for bins in order: each takes in its right neighbours until it is full, the last joins the one before. */
export function mergeNeighbours(
  counts: Pair<readonly number[]>,
  expected = EXPECTED_LEAST,
): readonly number[][] {
  const need = columnNeeds(counts, expected);
  const sums = columnSums(counts);
  const groups: number[][] = [];
  let open: number[] = [];
  let sum = 0;
  sums.forEach((count, bin) => {
    open.push(bin);
    sum += count;
    if (sum < need) return;
    groups.push(open);
    open = [];
    sum = 0;
  });
  const last = groups.pop();
  return [...groups, [...(last ?? []), ...open]];
}

/** Counts of the joined columns. */
export function joinColumns(
  counts: Pair<readonly number[]>,
  groups: readonly (readonly number[])[],
): Pair<readonly number[]> {
  const of = (side: readonly number[]): number[] =>
    groups.map((group) => group.reduce((sum, bin) => sum + (side[bin] ?? 0), 0));
  return { reference: of(counts.reference), window: of(counts.window) };
}

const columnSums = (counts: Pair<readonly number[]>): number[] =>
  counts.reference.map((count, bin) => count + (counts.window[bin] ?? 0));

function columnNeeds(counts: Pair<readonly number[]>, expected: number): number {
  const n = total(counts.reference);
  const m = total(counts.window);
  return (expected * (n + m)) / Math.min(n, m);
}
