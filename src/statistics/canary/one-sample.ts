import type { BoundLook, BoundState, FixedBound } from '../../contracts/canary.js';
import { isCount, logSumExp, shown } from './numbers.js';

/**
 * A share of bad outcomes against a fixed bound q, at any set of looks: for a soak without a champion (service objectives)
 * and for shadow agreement against a floor (bad = disagreement, bound = 1 - floor). Mixtures of Bernoulli likelihood ratios
 * against q: alternatives above q have mean at most 1 whenever the true share is q or less, those below q whenever it is q or
 * more. Common causes are not excluded: there is no other arm.
 */

const BREACH_ODDS = [1.3, 2, 5];
const PROOF_ODDS = [1 / 1.3, 1 / 2, 1 / 5];
const WEIGHTS = [1 / 3, 1 / 3, 1 / 3];

function evidence(bad: number, total: number, bound: number, odds: readonly number[]): number {
  const terms = odds.map((o) => {
    const p = (bound * o) / (1 - bound + bound * o);
    return bad * Math.log(p / bound) + (total - bad) * Math.log((1 - p) / (1 - bound));
  });
  return logSumExp(terms, WEIGHTS);
}

/** Nothing seen yet. */
export function initialBound(): BoundState {
  return { breached: false, proven: false };
}

/**
 * Judges cumulative counts against the bound. Count routing keys with one outcome each where keys repeat. Missing or
 * impossible counts carry no evidence and give `valid: false`. A breach stays; a proof stays unless there is a breach.
 * @throws RangeError when the bound, alpha or beta is not between 0 and 1
 */
export function judgeBound(
  state: BoundState,
  plan: FixedBound,
  counts: { readonly bad: number; readonly total: number },
): { readonly state: BoundState; readonly look: BoundLook } {
  for (const field of ['bound', 'alpha', 'beta'] as const) {
    const value = plan[field];
    if (!(value > 0 && value < 1))
      throw new RangeError(`${field} is ${value}: a number between 0 and 1 is needed`);
  }
  const valid = isCount(counts?.bad) && isCount(counts?.total) && counts.bad <= counts.total;
  const bad = valid ? counts.bad : 0;
  const total = valid ? counts.total : 0;
  const breach = evidence(bad, total, plan.bound, BREACH_ODDS);
  const proof = evidence(bad, total, plan.bound, PROOF_ODDS);
  const breachThreshold = -Math.log(plan.alpha);
  const proofThreshold = -Math.log(plan.beta);
  const breached = state.breached || breach >= breachThreshold;
  const proven = !breached && (state.proven || proof >= proofThreshold);
  return {
    state: { breached, proven },
    look: {
      valid,
      bad,
      total,
      rate: total === 0 ? null : bad / total,
      breach: { lnE: shown(breach), threshold: shown(breachThreshold) },
      proof: { lnE: shown(proof), threshold: shown(proofThreshold) },
      breached,
      proven,
    },
  };
}
