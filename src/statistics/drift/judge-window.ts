/** All features of one closed window, within a budget of false findings that is stated in time. */
import { refuse } from './checks.js';
import { benjaminiHochberg, bonferroni, alphaOfBudget, budgetProblems } from './corrections.js';
import { FEATURE_DEFAULTS, judgeBy, ruleProblems } from './judge-feature.js';
import type { FeatureCounts, FeatureRule, InsufficientFeature, JudgedFeature } from './judge-feature.js';

export interface WindowRule extends Omit<FeatureRule, 'alpha'> {
  /** How many windows there are, on average at least, from one false finding of the model to the next, over all its features. */
  readonly windowsBetweenFalseFindings: number;
}

/** Two years of hours. */
export const WINDOW_DEFAULTS: WindowRule = { ...FEATURE_DEFAULTS, windowsBetweenFalseFindings: 17_520 };

export type WindowFeature = { readonly name: string } & (
  | InsufficientFeature
  | (JudgedFeature & {
      /** After Bonferroni over all features of the window: this is compared with the window's alpha. */
      readonly pInWindow: number;
      /** After Benjamini and Hochberg: what to look at beside the features that drifted. Decides nothing. */
      readonly falseDiscoveryRate: number;
    })
);

export interface WindowVerdict {
  /** `insufficient` when no feature could be judged. */
  readonly verdict: 'none' | 'insufficient' | 'significant-immaterial' | 'drift';
  /** What `pInWindow` must not pass. */
  readonly alpha: number;
  /** By name. */
  readonly features: readonly WindowFeature[];
}

/**
 * Each feature has an equal share of the window's alpha, whether it could be judged or not, so that no feature's luck depends on
 * another's rows. A model without features, or with none to judge, is `insufficient`.
 * @throws RangeError when the rule does not hold together
 */
export function judgeWindow(
  features: Readonly<Record<string, FeatureCounts>>,
  rule: WindowRule = WINDOW_DEFAULTS,
): WindowVerdict {
  refuse('Window rule', [
    ...budgetProblems(rule.windowsBetweenFalseFindings),
    ...ruleProblems({ ...rule, alpha: 0.5 }),
  ]);
  const names = Object.keys(features).sort();
  const alpha = alphaOfBudget(rule.windowsBetweenFalseFindings);
  const featureRule = { ...rule, alpha: alpha / names.length };
  const verdicts = names.map((name) => ({ name, ...judgeBy(featureRule, features[name] as FeatureCounts) }));
  const ps = verdicts.map((one) => (one.verdict === 'insufficient' ? 1 : one.p));
  const inWindow = bonferroni(ps);
  const rates = benjaminiHochberg(ps);
  const all = verdicts.map((one, i): WindowFeature => {
    if (one.verdict === 'insufficient') return one;
    return { ...one, pInWindow: inWindow[i] ?? 1, falseDiscoveryRate: rates[i] ?? 1 };
  });
  return { verdict: overall(all), alpha, features: all };
}

function overall(
  features: readonly { readonly verdict: WindowVerdict['verdict'] }[],
): WindowVerdict['verdict'] {
  for (const verdict of ['drift', 'significant-immaterial', 'none'] as const) {
    if (features.some((one) => one.verdict === verdict)) return verdict;
  }
  return 'insufficient';
}
