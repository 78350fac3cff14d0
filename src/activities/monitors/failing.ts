/** A model whose evaluation fails is not watched: that is told, as a finding of its own. */
import type { Finding, HealthRecord, MonitorReport } from '../../contracts/monitoring.js';
import { canonicalHash } from '../../ledger/index.js';
import type { Detector, WatchedModel } from '../../platform/monitors/index.js';
import { deliver, type Delivering } from './deliver.js';

/** Ticks in a row after which people are told: something that passes by itself is no news. */
const TOLD_AFTER = 3;
const REASON_MOST = 500;
const CAUSE = 'monitor-silent';

/** Notes the failure; at the third in a row the model is told. @param now epoch milliseconds */
export async function afterFailure(
  deps: Delivering,
  { model, champion }: WatchedModel,
  before: Detector | null,
  reason: string,
  now: number,
): Promise<{ readonly told: boolean; readonly health: HealthRecord }> {
  const at = new Date(now).toISOString();
  const since = before?.failed?.since ?? at;
  const ticks = (before?.failed?.ticks ?? 0) + 1;
  const told = before?.failed?.told ?? false;
  const isNews = !told && ticks >= TOLD_AFTER;
  const short = reason.slice(0, REASON_MOST);
  const finding: Finding = {
    id: `${model}/${CAUSE}/${Date.parse(since)}`,
    model,
    version: champion,
    kind: 'monitor-silent',
    cause: CAUSE,
    verdict: 'found',
    severity: 'warning',
    summary: `The model cannot be evaluated since ${since}: ${short}`,
    features: [],
    rows: 0,
    onset: { estimate: since, from: since, to: since },
    window: { from: since, to: at, digest: canonicalHash({ reason: short }) },
    profile: before?.state?.profile ?? null,
    detectedAt: at,
  };
  // Begun in the same place by the next tick: nothing that could not be evaluated is left out.
  const detector: Detector = {
    _id: model,
    revision: (before?.revision ?? 0) + 1,
    evaluatedTo: before?.evaluatedTo ?? now,
    slotsTo: before?.slotsTo ?? now,
    state: before?.state ?? null,
    outbox: isNews ? { findings: [finding], cleared: [] } : null,
    failed: { since, ticks, reason: short, told: told || isNews },
  };
  const carried = (await deps.detectors.carry([detector])).has(model);
  const open = before?.state?.open.filter(({ verdict }) => verdict === 'found') ?? [];
  return {
    told: carried && (await deliver(deps, detector)),
    health: {
      model,
      version: champion,
      evaluatedTo: before?.state == null ? null : new Date(before.evaluatedTo).toISOString(),
      seenAt: at,
      state: told || isNews || open.length > 0 ? 'alarm' : 'waiting',
      waitingFor: [`an evaluation that does not fail: ${short}`],
      open: [
        ...(told || isNews ? [{ cause: CAUSE, since, clear: 0 }] : []),
        ...open.map(({ cause, since: opened, clear }) => ({
          cause,
          since: new Date(opened).toISOString(),
          clear,
        })),
      ],
    },
  };
}

/** What is over with an evaluation that did not fail. */
export function afterSuccess(before: Detector | null, now: number): MonitorReport['cleared'] {
  return before?.failed?.told === true ? [{ cause: CAUSE, windows: 1, at: new Date(now).toISOString() }] : [];
}
