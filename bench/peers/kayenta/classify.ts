/** How Kayenta's judge labels one metric: canary against baseline, by an interval and by the size of the effect. */
import { shiftInterval } from './mann-whitney.js';

export type Label = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric' | 'Error';

export interface MetricConfig {
  readonly name: string;
  readonly group: string;
  /** Which way harms. */
  readonly direction: 'increase' | 'decrease' | 'either';
  readonly critical: boolean;
  readonly mustHaveData: boolean;
  /** What becomes of values that are no numbers; `remove` by default. */
  readonly nan: 'remove' | 'replace';
  readonly removeOutliers: boolean;
  /** Ratios of means from which (up, down) an effect counts; 1 by default. */
  readonly allowedIncrease: number;
  readonly allowedDecrease: number;
}

export const METRIC_DEFAULTS: Omit<MetricConfig, 'name' | 'group'> = {
  direction: 'either',
  critical: false,
  mustHaveData: false,
  nan: 'remove',
  removeOutliers: false,
  allowedIncrease: 1,
  allowedDecrease: 1,
};

/** Both are fixed in the judge, whatever its configuration says. */
const CONFIDENCE = 0.98;
const TOLERANCE = 0.25;
const OUTLIER_FACTOR = 3;

/** Spread of the noise on a constant series, relative to its value. */
const NOISE = 1e-5;

/**
 * @param noise standard normal numbers: where both sides are constant and differ, the judge spreads them a little, by chance
 */
export function classify(
  canarySeries: readonly number[],
  baselineSeries: readonly number[],
  metric: MetricConfig,
  noise: () => number,
): Label {
  const prepare = (series: readonly number[]): readonly number[] => {
    const numbers =
      metric.nan === 'replace'
        ? series.map((value) => (Number.isNaN(value) ? 0 : value))
        : series.filter((value) => !Number.isNaN(value));
    return metric.removeOutliers ? withoutOutliers(numbers) : numbers;
  };
  let [canary, baseline] = [prepare(canarySeries), prepare(baselineSeries)];
  if (canary.length === 0 || baseline.length === 0) {
    if (metric.nan === 'replace') return 'Pass';
    return metric.mustHaveData && !metric.critical ? 'NodataFailMetric' : 'Nodata';
  }
  if (isSame(canary, baseline)) return 'Pass';
  if (isConstant(canary) && isConstant(baseline)) {
    const spread = (value: number): number => value + value * NOISE * noise();
    [canary, baseline] = [canary.map(spread), baseline.map(spread)];
  }
  try {
    return label(canary, baseline, metric);
  } catch (error) {
    // The judge catches whatever its search for roots throws, and the metric is left out of the score.
    if (error instanceof RangeError) return 'Error';
    throw error;
  }
}

function label(canary: readonly number[], baseline: readonly number[], metric: MetricConfig): Label {
  const { low, high, estimate } = shiftInterval(canary, baseline, CONFIDENCE);
  // No ratio where a mean is 0; the size of the effect then does not count.
  const [ours, theirs] = [mean(canary), mean(baseline)];
  const effect = ours === 0 || theirs === 0 ? null : ours / theirs;
  const tolerance = TOLERANCE * Math.abs(estimate);
  const isLarge = effect === null || effect >= metric.allowedIncrease;
  const isSmall = effect === null || effect <= metric.allowedDecrease;
  if (metric.direction !== 'decrease' && low > tolerance && isLarge) return 'High';
  if (metric.direction !== 'increase' && high < -tolerance && isSmall) return 'Low';
  return 'Pass';
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const sorted = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);
const isConstant = (values: readonly number[]): boolean => values.every((value) => value === values[0]);

/** The same values on both sides, or one value in all. */
function isSame(canary: readonly number[], baseline: readonly number[]): boolean {
  const [ours, theirs] = [sorted(canary), sorted(baseline)];
  const same = ours.length === theirs.length && ours.every((value, i) => value === theirs[i]);
  return same || isConstant([...canary, ...baseline]);
}

/** Keeps what lies within both the percentiles and three times the interquartile range, whichever is wider. */
function withoutOutliers(values: readonly number[]): readonly number[] {
  if (values.length === 0) return values;
  const inOrder = sorted(values);
  const at = (q: number): number => {
    const place = q * (inOrder.length - 1);
    const below = inOrder[Math.floor(place)] ?? NaN;
    return below + (place - Math.floor(place)) * ((inOrder[Math.ceil(place)] ?? NaN) - below);
  };
  const range = at(0.75) - at(0.25);
  const least = Math.min(at(0.01), at(0.25) - OUTLIER_FACTOR * range);
  const most = Math.max(at(0.99), at(0.75) + OUTLIER_FACTOR * range);
  return values.filter((value) => value >= least && value <= most);
}
