/** What the second part of the story promises of findings: where they lie, and what they led to. Pure. */
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import type { Finding, FindingKind } from '../../../src/contracts/monitoring.js';

/** Of inputs, of inputs from the first windows on, of scores. */
export const DRIFT: readonly FindingKind[] = ['data-drift', 'skew', 'prediction-drift'];
/** What the survey's policy asks to retrain for, and nothing else. */
const PERFORMANCE: readonly FindingKind[] = ['estimated-performance', 'measured-performance'];

export const isFound = ({ verdict }: Finding): boolean => verdict === 'found';

/** Something is made to change when a window begins, which is known so exactly. */
const SLACK_MS = 1_000;

/** Where a stretch lies that was judged, seen from a change. */
export interface Place {
  /** In the window in which the change began, or in the one after it. */
  readonly isFirst: boolean;
  readonly words: string;
}

/**
 * Where the earliest of these kinds was found. A window with too few rows is judged together with the next one: such a stretch may
 * begin before the change, if the change lies in it.
 * @param changed epoch milliseconds
 */
export function firstPlace(
  findings: readonly Finding[],
  kinds: readonly FindingKind[],
  changed: number,
  windowSeconds: number,
): Place {
  const [first] = findings
    .filter((finding) => isFound(finding) && kinds.includes(finding.kind))
    .map(({ window }) => window)
    .toSorted((a, b) => Date.parse(a.from) - Date.parse(b.from));
  if (first === undefined) return { isFirst: false, words: 'nowhere' };
  const after = Date.parse(first.from) - changed;
  if (!reaches(first, changed))
    return { isFirst: false, words: `in a window that ended before it, at ${first.to}` };
  if (after <= SLACK_MS) return { isFirst: true, words: 'in the window of the fault' };
  return after <= windowSeconds * 1_000 + SLACK_MS
    ? { isFirst: true, words: 'in the first window after the fault' }
    : { isFirst: false, words: `in a window that began ${Math.round(after / 1_000)} s after the fault` };
}

/** Whether something of the stretch came after the change. */
const reaches = ({ to }: Finding['window'], changed: number): boolean => Date.parse(to) - changed > SLACK_MS;

/**
 * The finding that asked for the retraining that has ended.
 * @param events of retrainings, up to the end of that one
 * @returns undefined when anything else asked for it than a fallen performance that was found after the change
 */
export function askedBy(
  events: readonly LedgerEvent[],
  findings: readonly Finding[],
  changed: number,
): Finding | undefined {
  const retraining = events.at(-1)?.subject['retraining'];
  const requested = events.find(
    ({ action, subject }) => action === 'retraining.requested' && subject['retraining'] === retraining,
  );
  if (requested?.evidence['trigger'] !== 'finding') return undefined;
  return findings.find(
    (finding) =>
      finding.id === requested.evidence['finding'] &&
      isFound(finding) &&
      PERFORMANCE.includes(finding.kind) &&
      reaches(finding.window, changed),
  );
}
