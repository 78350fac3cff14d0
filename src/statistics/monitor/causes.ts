/** Which causes are open: a cause is news once, until it was measured as gone for as many windows as the manifest asks for. */
import type { Finding, MonitorReport } from '../../contracts/monitoring.js';
import { SEVERITIES, type Based, type Draft, type OpenCause, type Standing } from './types.js';
import { timeOf } from './words.js';

/** A model with more trouble than this has all of its people's attention. */
export const MOST_OPEN = 50;
/** Features of an open cause that are remembered. */
const MOST_FEATURES = 1_000;

export interface CausesSeen {
  readonly open: readonly OpenCause[];
  /** Those that are news. */
  readonly told: readonly Based[];
  readonly cleared: MonitorReport['cleared'];
}

/**
 * One window's drafts and standings against what is open. A draft is news when its cause was not open, when it is worse than what was
 * told (it matters now, or its severity has risen), or when it is about features that were not.
 * @param at end of the window, epoch milliseconds
 */
export function takeWindow(
  before: readonly OpenCause[],
  drafts: readonly Based[],
  standing: Standing,
  at: number,
  clearWindows: number,
): CausesSeen {
  const open = new Map(before.map((one) => [one.cause, one]));
  const told: Based[] = [];
  const present = new Set<string>();
  for (const draft of drafts) {
    const known = open.get(draft.cause);
    if (known === undefined && open.size >= MOST_OPEN) continue;
    // Of a cause that mattered, `standing` says whether it does still.
    if (known?.verdict === 'found' && draft.verdict === 'immaterial') continue;
    present.add(draft.cause);
    if (known === undefined || isNews(known, draft)) told.push(draft);
    open.set(draft.cause, joined(known, draft, at));
  }
  const cleared: { cause: string; windows: number; at: string }[] = [];
  for (const [cause, state] of standing) {
    const known = open.get(cause);
    if (known === undefined || present.has(cause)) continue;
    const clear = state === 'gone' ? known.clear + 1 : 0;
    if (clear < clearWindows) {
      open.set(cause, { ...known, clear });
      continue;
    }
    open.delete(cause);
    if (known.verdict === 'found') cleared.push({ cause, windows: clear, at: timeOf(at) });
  }
  return { open: [...open.values()], told, cleared };
}

const rank = (severity: Finding['severity']): number => SEVERITIES.indexOf(severity);

export function isNews(known: OpenCause, draft: Draft): boolean {
  const matters = draft.verdict === 'found' && known.verdict === 'immaterial';
  if (matters || rank(draft.severity) > rank(known.severity)) return true;
  return draft.about.some((name) => !known.features.includes(name));
}

function joined(known: OpenCause | undefined, draft: Draft, at: number): OpenCause {
  const { cause, kind, verdict, severity, about } = draft;
  if (known === undefined || (known.verdict === 'immaterial' && verdict === 'found')) {
    return { cause, kind, verdict, severity, since: at, features: about.slice(0, MOST_FEATURES), clear: 0 };
  }
  return {
    ...known,
    severity: rank(severity) > rank(known.severity) ? severity : known.severity,
    features: [...new Set([...known.features, ...about])].slice(0, MOST_FEATURES),
    clear: 0,
  };
}
