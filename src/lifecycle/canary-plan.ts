import type { CanaryHistory, CanaryPlan, FixedBound, LookResult } from '../contracts/canary.js';
import type { Baseline } from '../contracts/activities.js';
import type { Manifest } from '../contracts/manifest.js';

/** The judge's plan from a manifest. */
export const canaryPlan = ({ canary }: Manifest): CanaryPlan => ({
  alpha: canary.alpha,
  beta: canary.beta,
  judgement: canary.judgement,
  steps: canary.steps,
  guardrails: canary.guardrails.map(({ name, kind, relativeMargin, absoluteMargin, hardLimit }) => ({
    name,
    kind,
    relativeMargin,
    absoluteMargin,
    ...(hardLimit === null ? {} : { hardLimit }),
  })),
});

export const guardrailNames = ({ canary }: Manifest): readonly string[] =>
  canary.guardrails.map(({ name }) => name);

/** The champion's past tunes the judge when it has enough of it to mean something. */
export function canaryHistory(manifest: Manifest, baseline: Baseline): CanaryHistory | null {
  if (baseline.requests < MIN_HISTORY) return null;
  return Object.fromEntries(
    guardrailNames(manifest).map((name) => [name, { bad: baseline.bad[name] ?? 0, keys: baseline.requests }]),
  );
}
const MIN_HISTORY = 1000;

export type NextMove =
  | { readonly kind: 'look-again' }
  | { readonly kind: 'roll-back'; readonly reason: string }
  | { readonly kind: 'next-step' }
  /** A person must decide; the canary stays at its weight and is judged on. */
  | { readonly kind: 'hold'; readonly as: 'inconclusive' | 'void' }
  | { readonly kind: 'promote' };

/** Why a look says to roll back, as words that stand after a colon: the sentence without its verdict. */
export const rollBackReason = ({ sentence }: LookResult): string =>
  sentence.replace(/^Roll back: /, 'guardrail ').replace(/\.$/, '');

/**
 * What a look asks the release to do.
 * All traffic is an act of promotion: a step of weight 1 is entered only under the conditions of a promotion. In it there is
 * nobody to compare with, so it lasts for its minimum unless something rolls it back; if the minimum has not come by the end of
 * the canary's time, a person decides.
 * @param seconds since the step began
 * @param late the canary's time is over
 */
export function nextMove(
  plan: CanaryPlan,
  step: number,
  look: LookResult,
  seconds: number,
  late = false,
): NextMove {
  if (look.verdict === 'roll-back') return { kind: 'roll-back', reason: rollBackReason(look) };
  const current = plan.steps[step];
  if (current !== undefined && current.weight >= 1) {
    const done = look.keysInStep >= current.minKeys && seconds >= current.minSeconds;
    if (done) return { kind: 'promote' };
    return late ? { kind: 'hold', as: 'inconclusive' } : { kind: 'look-again' };
  }
  if (look.hold) return { kind: 'hold', as: look.state === 'void' ? 'void' : 'inconclusive' };
  if (look.verdict === 'promote') return { kind: 'promote' };
  if (!look.advance) return { kind: 'look-again' };
  if (!takesAllTraffic(plan.steps, step + 1)) return { kind: 'next-step' };
  return plan.judgement === 'watch' || look.proven ? { kind: 'promote' } : { kind: 'look-again' };
}

/** Whether a step sends every request to the candidate. */
export const takesAllTraffic = (steps: CanaryPlan['steps'], step: number): boolean =>
  (steps[step]?.weight ?? 0) >= 1;

/** Service objectives as fixed bounds, for a soak without anybody to compare with. Error budgets are shared among them. */
export function soakBounds(
  manifest: Manifest,
): readonly { readonly guardrail: string; readonly bound: FixedBound }[] {
  const { objectives, canary } = manifest;
  const bounds = canary.guardrails.flatMap(({ name, kind }) => {
    if (kind === 'errors') return [{ guardrail: name, share: 1 - objectives.availability }];
    return kind === 'slow' ? [{ guardrail: name, share: objectives.slowShare }] : [];
  });
  return bounds.map(({ guardrail, share }) => ({
    guardrail,
    bound: {
      bound: Math.min(Math.max(share, 1e-6), 1 - 1e-6),
      alpha: canary.alpha / bounds.length,
      beta: canary.beta,
    },
  }));
}
