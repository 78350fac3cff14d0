/** What the two-sample tests take, checked field by field. Each returns problems in words, none when all is well. */
import { isCount } from '../canary/numbers.js';

/** What two sides are compared by: `reference` is what was seen when a version was accepted, `window` what is seen now. */
export interface Pair<T> {
  readonly reference: T;
  readonly window: T;
}

export const SIDES = ['reference', 'window'] as const;

/** @throws RangeError with all problems, when there are any */
export function refuse(what: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new RangeError(`${what}: ${problems.join('; ')}`);
}

/** At most this many problems are told of one field: a broken column breaks every row. */
const TOLD_MOST = 3;

function some(
  values: Iterable<readonly [label: string, value: unknown]>,
  right: (value: unknown) => boolean,
  need: string,
): string[] {
  const problems: string[] = [];
  for (const [label, value] of values) {
    if (right(value)) continue;
    if (problems.length === TOLD_MOST) return [...problems, 'and more of these'];
    problems.push(`${label} is ${String(value)}: ${need}`);
  }
  return problems;
}

function* labelled(field: string, values: ArrayLike<unknown>): Generator<readonly [string, unknown]> {
  for (let i = 0; i < values.length; i += 1) yield [`${field}[${i}]`, values[i]];
}

const COUNT_NEEDED = 'a whole number from 0 is needed';

const isList = (values: unknown): values is ArrayLike<unknown> =>
  Array.isArray(values) || ArrayBuffer.isView(values);

/** Values of a sample: finite numbers, one at least. */
export function sampleProblems(field: string, values: unknown): string[] {
  if (!isList(values)) return [`${field} is ${String(values)}: a list of numbers is needed`];
  if (values.length === 0) return [`${field} is empty: at least one value is needed`];
  return some(
    labelled(field, values),
    Number.isFinite,
    'a finite number is needed, count missing values apart',
  );
}

function areCounts(values: ArrayLike<unknown>): boolean {
  for (let i = 0; i < values.length; i += 1) if (!isCount(values[i])) return false;
  return true;
}

/** One value. */
export function numberProblems(field: string, value: unknown): string[] {
  if (Number.isFinite(value)) return [];
  return some([[field, value]], Number.isFinite, 'a finite number is needed');
}

/** Counts in bins: whole numbers from 0. */
export function countProblems(field: string, counts: unknown): string[] {
  if (!isList(counts)) return [`${field} is ${String(counts)}: a list of counts is needed`];
  if (counts.length === 0) return [`${field} is empty: at least one bin is needed`];
  // Asked of every bin of every feature at every tick: labels are made when there is something to say.
  return areCounts(counts) ? [] : some(labelled(field, counts), isCount, COUNT_NEEDED);
}

/** Counts by category. A side may have none of them. */
export function categoryProblems(field: string, counts: unknown): string[] {
  if (typeof counts !== 'object' || counts === null || Array.isArray(counts)) {
    return [`${field} is ${String(counts)}: counts by category are needed`];
  }
  const entries = Object.entries(counts).map(([name, count]) => [`${field}.${name}`, count] as const);
  return some(entries, isCount, COUNT_NEEDED);
}

/** Counts of both sides in the same bins, with a row on each side. */
export function pairProblems(pair: Pair<readonly number[]>): string[] {
  const problems = SIDES.flatMap((side) => countProblems(side, pair[side]));
  if (problems.length > 0) return problems;
  if (pair.reference.length !== pair.window.length) {
    return [
      `window has ${pair.window.length} bins and reference ${pair.reference.length}: both must be counted in the same bins`,
    ];
  }
  return SIDES.filter((side) => total(pair[side]) === 0).map(
    (side) => `${side} has no rows: at least one is needed`,
  );
}

/** Bin borders, strictly ascending and finite. */
export function ascendingProblems(field: string, values: unknown): string[] {
  const problems = sampleProblems(field, values);
  if (problems.length > 0) return problems;
  const list = values as ArrayLike<number>;
  for (let i = 1; i < list.length; i += 1) {
    const before = list[i - 1] ?? Number.NaN;
    const value = list[i] ?? Number.NaN;
    if (!(value > before)) {
      return [`${field}[${i}] is ${value}: it must be greater than ${field}[${i - 1}], ${before}`];
    }
  }
  return [];
}

/** A number between 0 and 1, both excluded. */
export function shareProblems(field: string, value: unknown): string[] {
  if (typeof value === 'number' && value > 0 && value < 1) return [];
  return [`${field} is ${String(value)}: a number between 0 and 1 is needed`];
}

export function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i += 1) sum += counts[i] ?? 0;
  return sum;
}
