import type { CanaryHistory, CanaryPlan, LookResult, RecordedLook } from '../../contracts/canary.js';
import { initialJudge, judge } from './judge.js';

export interface Recomputed {
  /** Every recorded look comes out byte for byte (keys sorted, as RFC 8785 does). */
  readonly same: boolean;
  /** Index of the first look that does not, or -1. */
  readonly firstDifference: number;
  /** The looks as recomputed. */
  readonly looks: readonly LookResult[];
}

/** JSON with sorted keys: equal values give equal text, whatever order a store gave the keys. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/**
 * Recomputes all verdicts of a canary from the inputs that the ledger recorded, in their order from the first look.
 * @throws RangeError when the plan cannot be judged
 */
export function recompute(
  plan: CanaryPlan,
  history: CanaryHistory,
  recorded: readonly RecordedLook[],
): Recomputed {
  let state = initialJudge(plan, history);
  const looks = recorded.map((entry) => {
    const result = judge(state, plan, entry.counts, entry.moment);
    state = result.state;
    return result.look;
  });
  const firstDifference = looks.findIndex((look, i) => sortedJson(look) !== sortedJson(recorded[i]?.look));
  return { same: firstDifference < 0, firstDifference, looks };
}
