/** What is usually done to compare two error rates: a z-test, once with a size that was planned, or again at every look. */
import { normalQuantile } from '../../src/statistics/metrics/distributions.js';

export interface PlannedTest {
  /** True bad rates of champion and candidate: the planner knows them. */
  readonly champion: number;
  readonly candidate: number;
  /** The candidate's share of the requests. */
  readonly share: number;
  /** One-sided. */
  readonly alpha: number;
  readonly power: number;
}

/**
 * Requests of both arms together that a one-sided z-test of two proportions needs, looked at once at the end
 * (J. Fleiss, Statistical Methods for Rates and Proportions, chapter 3, without continuity correction, unequal arms).
 */
export function fixedSampleSize({ champion, candidate, share, alpha, power }: PlannedTest): number {
  const pooled = share * candidate + (1 - share) * champion;
  const underNull = Math.sqrt(pooled * (1 - pooled) * (1 / share + 1 / (1 - share)));
  const underHarm = Math.sqrt(
    (candidate * (1 - candidate)) / share + (champion * (1 - champion)) / (1 - share),
  );
  const sum = normalQuantile(1 - alpha) * underNull + normalQuantile(power) * underHarm;
  return Math.ceil((sum / (candidate - champion)) ** 2);
}

/** Bad outcomes of requests, of one arm. */
export interface Arm {
  readonly bad: number;
  readonly requests: number;
}

/** z of the pooled two-proportion test, above 0 when the candidate is worse; 0 when nothing can be said. */
export function proportionZ(candidate: Arm, champion: Arm): number {
  const requests = candidate.requests + champion.requests;
  const pooled = (candidate.bad + champion.bad) / requests;
  const variance = pooled * (1 - pooled) * (1 / candidate.requests + 1 / champion.requests);
  if (!(variance > 0 && Number.isFinite(variance))) return 0;
  return (candidate.bad / candidate.requests - champion.bad / champion.requests) / Math.sqrt(variance);
}
