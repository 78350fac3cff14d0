import type {
  ArmCounts,
  CanaryCounts,
  CanaryPlan,
  GenerationCounts,
  Guardrail,
  JudgeState,
  LookMoment,
  LookResult,
} from '../../../../src/contracts/canary.js';
import { initialJudge, judge } from '../../../../src/statistics/canary/index.js';
import { createRandom } from '../../../support/random.js';
import { geometricLooks } from './simulate.js';

export function guardrail(name: string, more: Partial<Guardrail> = {}): Guardrail {
  return { name, kind: 'errors', relativeMargin: 1.5, absoluteMargin: 0.005, ...more };
}

export const PLAN: CanaryPlan = {
  guardrails: [guardrail('errors', { hardLimit: 0.2 }), guardrail('slow', { kind: 'slow' })],
  alpha: 0.01,
  beta: 0.05,
  steps: [{ weight: 0.1, minKeys: 500, minSeconds: 60 }],
  judgement: 'prove',
};

/** An arm whose every key made one request. */
export function arm(keys: number, bad: Readonly<Record<string, number>>): ArmCounts {
  return { requests: keys, keys, firstBad: { ...bad }, newBad: { ...bad }, bad: { ...bad } };
}

export function generation(
  number: number,
  candidateShare: number,
  candidate: ArmCounts,
  champion: ArmCounts,
): GenerationCounts {
  return { generation: number, candidateShare, candidate, champion };
}

export function counts(...generations: GenerationCounts[]): CanaryCounts {
  return { generations, sampleRate: 1 };
}

export function moment(more: Partial<LookMoment> = {}): LookMoment {
  return { step: 0, sinceGeneration: 1, seconds: 3600, atHorizon: false, soaking: false, ...more };
}

/** Judges a sequence of looks; gives the last one and the state after it. */
export function judgeAll(
  plan: CanaryPlan,
  looks: readonly (readonly [CanaryCounts, LookMoment])[],
  from: JudgeState = initialJudge(plan),
): { readonly state: JudgeState; readonly look: LookResult } {
  let last: { state: JudgeState; look: LookResult } | undefined;
  for (const [c, m] of looks) last = judge(last?.state ?? from, plan, c, m);
  if (last === undefined) throw new RangeError('looks is empty: at least one is needed');
  return last;
}

/** Cumulative counts of a simulated canary at geometric looks; each guardrail has its own rates. */
export function simulated(
  seed: number,
  share: number,
  rates: Readonly<Record<string, readonly [candidate: number, champion: number]>>,
  horizon: number,
): CanaryCounts[] {
  const random = createRandom(seed);
  const names = Object.keys(rates);
  const keys = [0, 0];
  const bad = [0, 1].map(() => Object.fromEntries(names.map((name) => [name, 0])));
  let total = 0;
  return geometricLooks(share, horizon).map((look) => {
    const n = random.binomial(look - total, share);
    [n, look - total - n].forEach((fresh, a) => {
      keys[a] = (keys[a] ?? 0) + fresh;
      const row = bad[a] ?? {};
      for (const name of names) row[name] = (row[name] ?? 0) + random.binomial(fresh, rates[name]?.[a] ?? 0);
    });
    total = look;
    return counts(generation(1, share, arm(keys[0] ?? 0, bad[0] ?? {}), arm(keys[1] ?? 0, bad[1] ?? {})));
  });
}
