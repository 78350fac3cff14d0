import type { CanaryHistory, CanaryPlan, RecordedLook } from '../contracts/canary.js';
import type { LedgerEvent } from '../contracts/ledger.js';
import { readStream } from '../ledger/index.js';
import { CANARY_JUDGE_VERSION, recompute } from '../statistics/canary/index.js';
import { explainStorage } from './errors.js';
import { requireOnRecord } from './on-record.js';
import type { Session } from './session.js';

/** Whether the verdicts of one release's canary follow from their recorded inputs. */
export interface RecomputedVerdicts {
  readonly release: number;
  readonly looks: number;
  /** `other-code`: decided by another version of the deciding code than this build has; nothing is said about it. */
  readonly result: 'same' | 'different' | 'other-code';
  /** Sequence of the first event whose verdict does not follow from its inputs; null when all do. */
  readonly firstDifference: number | null;
  /** Versions of the deciding code that the looks name. */
  readonly judges: readonly string[];
}

interface Canary {
  readonly plan: CanaryPlan;
  readonly history: CanaryHistory | null;
  readonly looks: { readonly sequence: number; readonly recorded: RecordedLook }[];
}

/**
 * Recomputes every verdict of a model's canaries from the ledger alone: plan, history, counts and moments in, verdicts out.
 * @throws TenureError `not-found` for a model that is not on record
 */
export async function recomputeVerdicts(
  session: Session,
  model: string,
): Promise<readonly RecomputedVerdicts[]> {
  const { collections } = await session.database();
  const canaries = new Map<number, Canary>();
  try {
    for await (const event of readStream(collections.ledger, model)) collect(canaries, event);
  } catch (error) {
    throw explainStorage(error);
  }
  if (canaries.size === 0) await requireOnRecord(session, model);
  return [...canaries].map(([release, canary]) => recomputeOne(release, canary));
}

/** Takes what belongs to a canary out of an event of its stream. */
export function collect(
  canaries: Map<number, Canary>,
  { action, subject, evidence, sequence }: LedgerEvent,
): void {
  const release = subject['release'];
  if (typeof release !== 'number') return;
  if (action === 'canary.planned') {
    const { plan, history } = evidence as unknown as Pick<Canary, 'plan' | 'history'>;
    canaries.set(release, { plan, history, looks: [] });
  } else if (action === 'canary.look' || (action === 'release.soak-look' && 'moment' in evidence)) {
    const { counts, moment, look } = evidence as unknown as RecordedLook;
    canaries.get(release)?.looks.push({ sequence, recorded: { counts, moment, look } });
  }
}

export function recomputeOne(release: number, { plan, history, looks }: Canary): RecomputedVerdicts {
  const judges = [...new Set(looks.map(({ recorded }) => recorded.look.judge))];
  const known = { release, looks: looks.length, judges, firstDifference: null };
  if (judges.some((judge) => judge !== CANARY_JUDGE_VERSION)) return { ...known, result: 'other-code' };
  const recorded = looks.map((look) => look.recorded);
  const { same, firstDifference } = recompute(plan, history ?? {}, recorded);
  if (same) return { ...known, result: 'same' };
  return { ...known, result: 'different', firstDifference: looks[firstDifference]?.sequence ?? null };
}
