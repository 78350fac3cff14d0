/**
 * Promote side: is the candidate not worse by the margin?
 *
 * Null hypothesis: p_candidate >= f(p_champion), f(c) = max(relative c, c + absolute). That set is convex, so the likelihood
 * ratio of "both arms at the estimated base rate" against its reverse information projection on the set is an e-variable
 * (safe two-proportion test of Turner and Gruenwald, per key). The base rate is estimated from earlier intervals only, which
 * keeps the product an e-process; a poor estimate costs time, not validity.
 */

/** Margin of non-inferiority; the wider part counts. */
export interface Margin {
  readonly relativeMargin: number;
  readonly absoluteMargin: number;
}

/** ln E added by one key of each sort, and the projection (champion rate c, candidate rate d) it comes from. */
export interface PromoteIncrements {
  readonly c: number;
  readonly d: number;
  readonly badCandidate: number;
  readonly badChampion: number;
  readonly okCandidate: number;
  readonly okChampion: number;
}

/**
 * An interval earns evidence only when this many keys were seen before it, in earlier intervals or in the champion's history;
 * until then intervals seed the base rate. A poor first estimate costs dearly, and more so with few, large looks.
 */
export const SEED_KEYS = 100;

/** History counts for at most this many keys: base rates move. */
export const HISTORY_KEYS_MAX = 20_000;

const BISECTIONS = 60;

/** The lowest candidate rate that counts as worse by the margin when the champion's is c. */
export function worseRate(c: number, margin: Margin): number {
  return Math.max(margin.relativeMargin * c, c + margin.absoluteMargin);
}

/** Estimated base rate from what was seen before: (bad + 0.5) / (keys + 50). */
export function baseRate(bad: number, keys: number): number {
  return (bad + 0.5) / (keys + 50);
}

/**
 * Projects "both arms at rate p" on the null: the c that minimises (1 - share) KL(p || c) + share KL(p || f(c)). The cost falls,
 * then rises, so bisecting the sign of its slope finds the least point to the last bit (a search by values would stop at the
 * root of that precision), also where it is the corner between the two margins.
 */
export function promoteIncrements(p: number, share: number, margin: Margin): PromoteIncrements {
  const slope = (c: number): number => {
    const d = worseRate(c, margin);
    const steep = margin.relativeMargin * c > c + margin.absoluteMargin ? margin.relativeMargin : 1;
    return ((1 - share) * (c - p)) / (c * (1 - c)) + (share * steep * (d - p)) / (d * (1 - d));
  };
  let low = 0;
  // Above this champion rate nothing can be worse by the margin.
  let high = Math.min(p, 1 / margin.relativeMargin, 1 - margin.absoluteMargin);
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) high = middle;
    else low = middle;
  }
  const c = (low + high) / 2;
  const d = worseRate(c, margin);
  return {
    c,
    d,
    badCandidate: Math.log(p / d),
    badChampion: Math.log(p / c),
    okCandidate: Math.log((1 - p) / (1 - d)),
    okChampion: Math.log((1 - p) / (1 - c)),
  };
}

/** One interval of one constant split: first-seen keys of each arm and how many had a bad first outcome. */
export interface PromoteInterval {
  readonly share: number;
  readonly candidateKeys: number;
  readonly candidateBad: number;
  readonly championKeys: number;
  readonly championBad: number;
}

/** ln E that an interval adds, given bad outcomes and keys seen before it; 0 while seeding and for splits of width 0. */
export function promoteEvidence(
  interval: PromoteInterval,
  priorBad: number,
  priorKeys: number,
  margin: Margin,
): number {
  const { share, candidateKeys: n, candidateBad: x, championKeys: m, championBad: y } = interval;
  if (!(share > 0 && share < 1) || n + m === 0 || priorKeys < SEED_KEYS) return 0;
  const add = promoteIncrements(baseRate(priorBad, priorKeys), share, margin);
  return x * add.badCandidate + (n - x) * add.okCandidate + y * add.badChampion + (m - y) * add.okChampion;
}

/** ln(1 / beta): the evidence that proves one guardrail. All must be proven, so beta is not divided among them. */
export function promoteThreshold(beta: number): number {
  return -Math.log(beta);
}
