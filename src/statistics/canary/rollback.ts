import { logSumExp } from './numbers.js';

/**
 * Roll-back side: is the candidate worse than the champion?
 *
 * Under the null hypothesis (candidate no worse) a key that turns bad is the candidate's with probability at most the
 * configured share. The alternative is a mixture over the risk ratio r, so that splits of any size add up. Each factor has
 * mean at most 1 under the null, hence P(evidence ever reaches G / alpha) <= alpha / G at any set of looks (Ville), whatever
 * the base rate does over time as long as both arms share it.
 */

/** Risk ratios that the candidate is suspected of, and their weights. */
export const RISK_RATIOS: readonly number[] = [1.8, 3, 6];
const RISK_RATIO_WEIGHTS: readonly number[] = [0.5, 0.3, 0.2];

/** ln M(r) of no data, for each risk ratio. */
export const NO_ROLLBACK_EVIDENCE: readonly number[] = RISK_RATIOS.map(() => 0);

/**
 * Adds one interval of one constant split: x ln r - b ln(1 - share + share r) with b = x + y.
 * @param x keys of the candidate that turned bad
 * @param y keys of the champion that turned bad
 * @param share configured share of the candidate; 0 and 1 compare nothing and add nothing
 */
export function addRollbackInterval(
  lnM: readonly number[],
  x: number,
  y: number,
  share: number,
): readonly number[] {
  if (!(share > 0 && share < 1)) return lnM;
  return RISK_RATIOS.map(
    (r, i) => (lnM[i] ?? 0) + x * Math.log(r) - (x + y) * Math.log(1 - share + share * r),
  );
}

/** ln E: the mixture, taken after all intervals are summed. */
export function rollbackEvidence(lnM: readonly number[]): number {
  return logSumExp(lnM, RISK_RATIO_WEIGHTS);
}

/** ln(G / alpha): the evidence at which one of G guardrails rolls back. */
export function rollbackThreshold(guardrails: number, alpha: number): number {
  return Math.log(guardrails / alpha);
}
