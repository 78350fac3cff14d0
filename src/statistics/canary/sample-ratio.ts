import { lnBeta, logSumExp } from './numbers.js';

/**
 * Sequential sample-ratio check: do first-seen keys fall to the arms as configured? Both sides of the judge trust the
 * configured share, so a wrong one voids the verdict. In each generation the configured share is tested against Beta mixtures
 * around it (Lindon and Malek 2022, two categories), one wide for gross faults and one narrow for small ones.
 *
 * Generations are combined half as a product (a fault that runs through all of them) and half as a weighted sum (a fault in
 * one, not diluted by many good ones before it). Both are averages of e-processes, hence one again.
 */

/** Bound on voiding a right split. */
const SAMPLE_RATIO_ALPHA = 0.001;

const CONCENTRATIONS = [20, 500];
const CONCENTRATION_WEIGHTS = [0.5, 0.5];

/** First-seen keys of one generation. */
export interface SplitKeys {
  readonly share: number;
  readonly candidate: number;
  readonly champion: number;
}

/** ln E of one generation. */
function generationSampleRatio(split: SplitKeys): number {
  const { share, candidate: n, champion: m } = split;
  if (!(share > 0 && share < 1) || n + m === 0) return 0;
  const terms = CONCENTRATIONS.map((k) => {
    const a = k * share;
    const b = k * (1 - share);
    return lnBeta(a + n, b + m) - lnBeta(a, b) - n * Math.log(share) - m * Math.log(1 - share);
  });
  return logSumExp(terms, CONCENTRATION_WEIGHTS);
}

/** ln E over all generations, in their order. */
export function sampleRatioEvidence(splits: readonly SplitKeys[]): number {
  const each = splits.filter((s) => s.share > 0 && s.share < 1).map(generationSampleRatio);
  if (each.length === 0) return 0;
  const product = each.reduce((sum, lnE) => sum + lnE, 0);
  // 1/(j(j+1)) sums to 1 - 1/(J+1); the rest stays at 1 for generations to come.
  const weights = each.map((_, i) => 0.5 / ((i + 1) * (i + 2)));
  return logSumExp([product, ...each, 0], [0.5, ...weights, 0.5 / (each.length + 1)]);
}

/** ln(1 / alpha). */
export function sampleRatioThreshold(): number {
  return -Math.log(SAMPLE_RATIO_ALPHA);
}
