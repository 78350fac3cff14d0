/** One feature of one window: did it change, and does it matter? */
import { categoryProblems, pairProblems, refuse, shareProblems, SIDES, total, type Pair } from './checks.js';
import {
  alignCategories,
  chiSquare,
  joinColumns,
  mergeNeighbours,
  mergeRare,
  type CategoryCounts,
} from './chi-square.js';
import { categoricalEffect, orderedEffect, type Effect } from './effect.js';
import { ksUpTo } from './kolmogorov-smirnov.js';
import { mannWhitney } from './mann-whitney.js';

/** Counts of both sides: of a numeric feature in the bins of the reference, in order; of a categorical one by name. */
export type FeatureCounts =
  | ({ readonly kind: 'numeric' } & Pair<readonly number[]>)
  | ({ readonly kind: 'categorical' } & Pair<CategoryCounts>);

export interface FeatureRule {
  /** What the p-value must not pass. It is the budget's share of this feature in this window, not .05 (see judge-window.ts). */
  readonly alpha: number;
  /** Rows that each side needs. */
  readonly minRows: number;
  /** Smallest effect that matters, a share of rows. */
  readonly material: number;
  /** Of the effect's interval. */
  readonly confidence: number;
}

export const FEATURE_DEFAULTS: Omit<FeatureRule, 'alpha'> = { minRows: 50, material: 0.05, confidence: 0.95 };

export type FeatureTest = 'kolmogorov-smirnov' | 'mann-whitney' | 'chi-square';

export interface JudgedFeature {
  readonly verdict: 'none' | 'significant-immaterial' | 'drift';
  readonly rows: Pair<number>;
  /** The test with the smallest p-value. */
  readonly test: FeatureTest;
  readonly statistic: number;
  /** Corrected for the number of tests on the feature; above .3 it may be too large, see `SAYS_NOTHING`. */
  readonly p: number;
  readonly effect: Effect;
}

/** No figures: what was counted cannot tell. */
export interface InsufficientFeature {
  readonly verdict: 'insufficient';
  readonly rows: Pair<number | null>;
  readonly reason: string;
}

export type FeatureVerdict = JudgedFeature | InsufficientFeature;

/** A p-value above this, before it is corrected. */
const SAYS_NOTHING = 0.1;
/** Asked of a feature. */
const TESTS = { numeric: 3, categorical: 1 } as const;

interface Tested {
  readonly test: FeatureTest;
  readonly statistic: number;
  readonly p: number;
}

/**
 * Never throws for what was counted: counts that are missing or impossible are `insufficient` with the reason, which is a finding
 * of its own to whoever counts, and never passes as `none`. Does not depend on who counted what: counts are added before.
 * @throws RangeError when the rule does not hold together
 */
export function judgeFeature(feature: FeatureCounts, rule: FeatureRule): FeatureVerdict {
  refuse('Feature rule', ruleProblems(rule));
  return judgeBy(rule, feature);
}

/** The same by a rule that is known to hold together. */
export function judgeBy(rule: FeatureRule, feature: FeatureCounts): FeatureVerdict {
  const problems = featureProblems(feature);
  if (problems.length > 0) {
    return { verdict: 'insufficient', rows: { reference: null, window: null }, reason: problems.join('; ') };
  }
  const counts = feature.kind === 'numeric' ? feature : alignCategories(feature);
  const rows = { reference: total(counts.reference), window: total(counts.window) };
  const few = SIDES.filter((side) => rows[side] < rule.minRows);
  if (few.length > 0) {
    const told = few.map((side) => `${rows[side]} rows in the ${side}`).join(', ');
    return { verdict: 'insufficient', rows, reason: `${told}, at least ${rule.minRows} are needed` };
  }
  const tests = feature.kind === 'numeric' ? numericTests(counts) : [categoricalTest(counts)];
  const best = tests.reduce((least, one) => (one.p < least.p ? one : least));
  const p = Math.min(1, best.p * TESTS[feature.kind]);
  const effect = (feature.kind === 'numeric' ? orderedEffect : categoricalEffect)(counts, rule.confidence);
  const significant = p <= rule.alpha;
  const verdict = !significant
    ? 'none'
    : effect.estimate >= rule.material
      ? 'drift'
      : 'significant-immaterial';
  return { verdict, rows, test: best.test, statistic: best.statistic, p, effect };
}

/** The problems of a rule, in words; none when it can be judged by. */
export function ruleProblems(rule: FeatureRule): string[] {
  const problems = [...shareProblems('alpha', rule.alpha), ...shareProblems('confidence', rule.confidence)];
  if (!(Number.isSafeInteger(rule.minRows) && rule.minRows >= 10)) {
    problems.push(`minRows is ${rule.minRows}: a whole number from 10 is needed`);
  }
  if (!(rule.material >= 0 && rule.material < 1)) {
    problems.push(`material is ${rule.material}: a share of rows from 0 to less than 1 is needed`);
  }
  return problems;
}

/** Counts come from documents that others wrote: nothing about them is taken for granted. */
function featureProblems(feature: FeatureCounts | null | undefined): string[] {
  if (feature?.kind === 'numeric') return pairProblems(feature);
  if (feature?.kind === 'categorical') {
    const problems = SIDES.flatMap((side) => categoryProblems(side, feature[side]));
    return problems.length > 0 ? problems : pairProblems(alignCategories(feature));
  }
  const kind = (feature as { readonly kind?: unknown } | null | undefined)?.kind;
  return [`kind is ${String(kind)}: numeric or categorical is needed`];
}

/**
 * Three questions: is it larger or smaller on the whole, is it elsewhere at all, does it have another shape? The second is not in the
 * list where its p-value is not the least, or says nothing: a level at which features are judged is far below it.
 */
function numericTests(counts: Pair<readonly number[]>): Tested[] {
  const others = [rankTest(counts), tableTest(joinColumns(counts, mergeNeighbours(counts)))];
  const ks = ksUpTo(Math.min(SAYS_NOTHING, ...others.map(({ p }) => p)), counts);
  if (ks === null) return others;
  return [{ test: 'kolmogorov-smirnov', statistic: ks.distance, p: ks.p }, ...others];
}

function categoricalTest(counts: Pair<readonly number[]>): Tested {
  return tableTest(joinColumns(counts, mergeRare(counts)));
}

/** With most rows on one value ranks are skewed, and the normal law too kind far out: the other two tests decide. */
function rankTest(counts: Pair<readonly number[]>): Tested {
  const { z, p, rows } = mannWhitney(counts);
  const half = (rows.reference + rows.window) / 2;
  const lumped = counts.reference.some((count, bin) => count + (counts.window[bin] ?? 0) > half);
  return { test: 'mann-whitney', statistic: z, p: lumped ? 1 : p };
}

function tableTest(counts: Pair<readonly number[]>): Tested {
  const { statistic, p, likelihoodRatioP } = chiSquare(counts);
  return { test: 'chi-square', statistic, p: Math.max(p, likelihoodRatioP) };
}
