/**
 * Kayenta's judge (NetflixACAJudge-v1.0) as its source behaves at commit a69573b: own implementation from a description of it,
 * with what it does on little and on bad data. It is a peer to measure against; Tenure uses none of it.
 */
import { classify, type Label, type MetricConfig } from './classify.js';

/** One metric's values of canary and baseline, one a time step; NaN where there was none. */
export interface Series {
  readonly canary: readonly number[];
  readonly baseline: readonly number[];
}

export interface JudgeConfig {
  readonly metrics: readonly MetricConfig[];
  /** Group -> weight in percent; groups without one share what is left. */
  readonly weights: Readonly<Record<string, number>>;
  readonly pass: number;
  readonly marginal: number;
}

export interface Judged {
  /** 0 to 100. */
  readonly score: number;
  readonly verdict: 'Pass' | 'Marginal' | 'Fail';
  readonly labels: Readonly<Record<string, Label>>;
}

const NODATA_SHARE = 0.5;

/** @param noise standard normal numbers (see classify) */
export function judgeLikeKayenta(
  series: Readonly<Record<string, Series>>,
  config: JudgeConfig,
  noise: () => number,
): Judged {
  const labelled = config.metrics.map((metric) => {
    const { canary, baseline } = series[metric.name] ?? { canary: [], baseline: [] };
    return { metric, label: classify(canary, baseline, metric, noise) };
  });
  const score = scoreOf(labelled, config.weights);
  const verdict = score >= config.pass ? 'Pass' : score >= config.marginal ? 'Marginal' : 'Fail';
  const labels = Object.fromEntries(labelled.map(({ metric, label }) => [metric.name, label]));
  return { score, verdict, labels };
}

type Labelled = { readonly metric: MetricConfig; readonly label: Label };

function scoreOf(labelled: readonly Labelled[], weights: JudgeConfig['weights']): number {
  // An error loses that the metric was critical.
  const failed = labelled.some(({ metric, label }) => metric.critical && !['Pass', 'Error'].includes(label));
  if (failed) return 0;
  const nodata = labelled.filter(({ label }) => label === 'Nodata').length;
  if (labelled.length > 0 && nodata >= NODATA_SHARE * labelled.length) return 0;
  const groups = [...new Set(labelled.map(({ metric }) => metric.group))];
  const given = groups.reduce((sum, group) => sum + (weights[group] ?? 0), 0);
  const open = groups.filter((group) => weights[group] === undefined).length;
  const total = groups.reduce((sum, group) => {
    const weight = weights[group] ?? (100 - given) / open;
    return sum + (groupScore(labelled.filter(({ metric }) => metric.group === group)) * weight) / 100;
  }, 0);
  return Math.round(total * 100) / 100;
}

/** Share of passed metrics; those without data or with an error do not count, and a group of such alone is perfect. */
function groupScore(labelled: readonly Labelled[]): number {
  const counted = labelled.filter(({ label }) => label !== 'Nodata' && label !== 'Error');
  if (counted.length === 0) return 100;
  return (100 * counted.filter(({ label }) => label === 'Pass').length) / counted.length;
}
