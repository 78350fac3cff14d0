import { baseRate, promoteIncrements, SEED_KEYS, type Margin } from './promote.js';

/** Keys that the smaller arm should have at the first look. */
const FIRST_LOOK_KEYS = 50;
const LOOK_GROWTH = 1.1;
/** Beyond this an estimate says nothing but "not at these rates". */
const KEYS_MAX = 1e9;

/**
 * Total first-seen keys (both arms) at which the next look is due: each look needs a tenth more than the last, so a canary of
 * any length costs some tens of looks (57 to 100,000 keys at 10 %).
 * @param share the candidate's configured share; 0 and 1 count as an even split
 */
export function nextLookAt(keys: number, share: number): number {
  const smaller = share > 0 && share < 1 ? Math.min(share, 1 - share) : 0.5;
  const first = Math.ceil(FIRST_LOOK_KEYS / smaller);
  return keys < first ? first : Math.max(keys + 1, Math.ceil(keys * LOOK_GROWTH));
}

/** What is known of one guardrail when its proof is still open. */
export interface OpenProof {
  readonly lnE: number;
  readonly threshold: number;
  readonly share: number;
  readonly priorBad: number;
  readonly priorKeys: number;
  readonly candidateKeys: number;
  readonly candidateBad: number;
  readonly championKeys: number;
  readonly championBad: number;
}

/**
 * Keys (both arms) still needed to prove: at the rates seen so far, each drawn towards the common base rate by 50 keys, or
 * with both arms `alike` at the base rate. Null when evidence would not grow at those rates. An expectation, not a promise:
 * half of all canaries need more.
 */
export function keysToProve(proof: OpenProof, margin: Margin, alike = false): number | null {
  const { share } = proof;
  if (proof.lnE >= proof.threshold) return 0;
  if (!(share > 0 && share < 1)) return null;
  const p = baseRate(proof.priorBad, proof.priorKeys);
  const add = promoteIncrements(p, share, margin);
  const rate = (bad: number, keys: number): number => (alike ? p : (bad + 50 * p) / (keys + 50));
  const candidate = rate(proof.candidateBad, proof.candidateKeys);
  const champion = rate(proof.championBad, proof.championKeys);
  const growth =
    share * (candidate * add.badCandidate + (1 - candidate) * add.okCandidate) +
    (1 - share) * (champion * add.badChampion + (1 - champion) * add.okChampion);
  if (!(growth > 0)) return null;
  const keys = Math.ceil((proof.threshold - proof.lnE) / growth) + Math.max(0, SEED_KEYS - proof.priorKeys);
  return keys <= KEYS_MAX ? keys : null;
}
