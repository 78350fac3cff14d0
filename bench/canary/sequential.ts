/** A canary that is looked at again and again: by Tenure's judge, and by a z-test that is repeated. */
import type { ArmCounts, CanaryPlan } from '../../src/contracts/canary.js';
import { GUARDRAIL_DEFAULTS } from '../../src/manifest/tiers.js';
import { initialJudge, judge, nextLookAt } from '../../src/statistics/canary/index.js';
import { proportionZ } from '../peers/two-proportions.js';
import { addTo, Draw, empty, type Population, type Tally } from './population.js';

/** Bound on rolling a healthy candidate back: the manifest's default. */
export const ALPHA = 0.01;
export const GUARDRAILS = ['first', 'second', 'third', 'fourth'] as const;
/** A canary is kept for so many requests whatever else it shows. */
export const HORIZON = 100_000;

const { relativeMargin, absoluteMargin, hardLimit } = GUARDRAIL_DEFAULTS;

const plan = (share: number): CanaryPlan => ({
  guardrails: GUARDRAILS.map((name) => ({ name, kind: 'errors', relativeMargin, absoluteMargin, hardLimit })),
  alpha: ALPHA,
  beta: 0.05,
  judgement: 'prove',
  // No promotion before the horizon, so that a run says when it would be rolled back, and nothing else.
  steps: [{ weight: share, minKeys: HORIZON + 1, minSeconds: 0 }],
});

/** Requests of both arms at each look, as the product spaces them. */
export function looksOf(share: number, horizon = HORIZON): readonly number[] {
  const looks: number[] = [];
  for (let at = nextLookAt(0, share); at < horizon; at = nextLookAt(at, share)) looks.push(at);
  return [...looks, horizon];
}

/** A key has one request here, so that one outcome is its first, its new and its only one. */
const counts = ({ requests, bad }: Tally): ArmCounts => {
  const named = Object.fromEntries(GUARDRAILS.map((name, i) => [name, bad[i] ?? 0]));
  return { requests, keys: requests, firstBad: named, newBad: named, bad: named };
};

export interface Watched {
  /** Requests of both arms when Tenure rolled back; infinite when it did not. */
  readonly ours: number;
  /** When the repeated z-test did. */
  readonly naive: number;
}

/** One canary from its first request to the horizon, or until both have rolled back. @param critical z of the repeated test */
export function watch(seed: number, population: Population, critical: number, horizon = HORIZON): Watched {
  const { share } = population;
  const draw = new Draw(seed, population);
  const candidate = empty(GUARDRAILS.length);
  const champion = empty(GUARDRAILS.length);
  const settled = plan(share);
  let state = initialJudge(settled);
  let [ours, naive] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const total of looksOf(share, horizon)) {
    const added = draw.to(total);
    addTo(candidate, added.candidate);
    addTo(champion, added.champion);
    if (ours === Number.POSITIVE_INFINITY) {
      const generation = {
        generation: 1,
        candidateShare: share,
        candidate: counts(candidate),
        champion: counts(champion),
      };
      const moment = { step: 0, sinceGeneration: 1, seconds: total, atHorizon: false, soaking: false };
      const judged = judge(state, settled, { generations: [generation], sampleRate: 1 }, moment);
      state = judged.state;
      if (judged.look.verdict === 'roll-back') ours = total;
    }
    if (naive === Number.POSITIVE_INFINITY && worstZ(candidate, champion) >= critical) naive = total;
    if (Math.max(ours, naive) < Number.POSITIVE_INFINITY) break;
  }
  return { ours, naive };
}

export const worstZ = (candidate: Tally, champion: Tally): number =>
  Math.max(
    ...candidate.bad.map((bad, i) =>
      proportionZ(
        { bad, requests: candidate.requests },
        { bad: champion.bad[i] ?? 0, requests: champion.requests },
      ),
    ),
  );
