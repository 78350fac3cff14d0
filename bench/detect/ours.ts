/** What Tenure says of the made rows, as its monitors do: counts in the reference's bins, within a budget of false findings. */
import { chiSquare } from '../../src/statistics/drift/chi-square.js';
import type { FeatureCounts } from '../../src/statistics/drift/judge-feature.js';
import { judgeWindow, WINDOW_DEFAULTS, type WindowVerdict } from '../../src/statistics/drift/judge-window.js';
import { binOf } from '../../src/statistics/estimation/bins.js';
import { FEATURES, type Made, type MadeRun, ROWS, SHIFTED, WINDOWS } from './made.js';

const BINS = 20;
/** At this budget 90 windows have a finding in 5 % of runs. */
const BUDGET = WINDOWS / 0.05;

export interface Said {
  readonly categorical: number;
  readonly ever: number;
  readonly caught: number;
  readonly small: boolean | string;
}

export function ours({ categories, runs, small }: Made): Said {
  const alarms = categories.filter(
    ([reference, window]) => chiSquare({ reference, window }).p <= 0.05,
  ).length;
  const seen = runs.map(watch);
  return {
    categorical: alarms,
    ever: seen.filter(({ ever }) => ever).length,
    caught: seen.filter(({ caught }) => caught).length,
    small: judgeWindow(
      { f0: countsOf(cutsOf(small.reference, 0, 1), small.reference, small.window, 0, 1) },
      { ...WINDOW_DEFAULTS, windowsBetweenFalseFindings: BUDGET },
    ).verdict,
  };
}

function watch({ reference, windows }: MadeRun): { readonly ever: boolean; readonly caught: boolean } {
  const cuts = Array.from({ length: FEATURES }, (_, i) => cutsOf(reference, i, FEATURES));
  const judge = (window: number): WindowVerdict => {
    const rows = windows.subarray(window * ROWS * FEATURES, (window + 1) * ROWS * FEATURES);
    const features = cuts.map((own, i) => [`f${i}`, countsOf(own, reference, rows, i, FEATURES)] as const);
    return judgeWindow(Object.fromEntries(features), {
      ...WINDOW_DEFAULTS,
      windowsBetweenFalseFindings: BUDGET,
    });
  };
  const names = Array.from({ length: SHIFTED }, (_, i) => `f${i}`);
  return {
    ever: Array.from({ length: WINDOWS }, (_, i) => judge(i)).some(({ verdict }) => verdict === 'drift'),
    caught: [WINDOWS, WINDOWS + 1].some((window) =>
      judge(window).features.some(({ name, verdict }) => verdict === 'drift' && names.includes(name)),
    ),
  };
}

/** Column `at` of rows of `width` values. */
const columnOf = (rows: Float64Array, at: number, width: number): Float64Array =>
  rows.filter((_, i) => i % width === at);

function cutsOf(rows: Float64Array, at: number, width: number): number[] {
  const values = columnOf(rows, at, width).sort();
  return Array.from(
    { length: BINS - 1 },
    (_, bin) => values[Math.round(((bin + 1) * values.length) / BINS)]!,
  );
}

function countsOf(
  cuts: readonly number[],
  reference: Float64Array,
  window: Float64Array,
  at: number,
  width: number,
): FeatureCounts {
  const count = (rows: Float64Array): number[] => {
    const counts = Array<number>(BINS).fill(0);
    for (const value of columnOf(rows, at, width)) counts[binOf(cuts, value)]! += 1;
    return counts;
  };
  return { kind: 'numeric', reference: count(reference), window: count(window) };
}
