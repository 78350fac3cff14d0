/** Findings that ask for a retraining and were held back: a monitor tells of a cause once, so they wait. Pure. */
import { isRetiring, type ModelState } from './model-state.js';
import type { WaitingFinding } from './retraining-state.js';
import { freeFrom, retrainingOf, settingsOf, withRetraining } from './retraining.js';

const LONGEST_LOOK_MS = 3600_000;

const MOST_WAITING = 50;

/** What is kept of a finding, but for the champion that it is about. */
export type HeldBackFinding = Omit<WaitingFinding, 'champion' | 'at'>;

/** Whatever champion they are about. */
function allWaiting(state: ModelState): readonly WaitingFinding[] {
  const { waiting, wanted = null } = retrainingOf(state);
  return waiting ?? (wanted === null ? [] : [wanted]);
}

/** Those about the champion of now, the earliest change first; last what does not say when it began, since that cannot be followed. */
export const waitingFindings = (state: ModelState): readonly WaitingFinding[] =>
  allWaiting(state)
    .filter(({ champion }) => champion === state.champion?.digest)
    .toSorted((a, b) => beganAt(a.onset) - beganAt(b.onset));

/** Epoch milliseconds. */
export function beganAt(onset: string | null | undefined): number {
  const at = Date.parse(onset ?? '');
  return Number.isNaN(at) ? Number.MAX_VALUE : at;
}

/**
 * What is looked at next, at the first moment that any of them asks for: always the first, since the change that began before the
 * others has the most labels, and each look costs events of history. Null when none waits.
 */
export function nextLook(state: ModelState): (HeldBackFinding & { readonly at: number }) | null {
  const waiting = waitingFindings(state);
  const [first] = waiting;
  if (first === undefined) return null;
  const { champion: _, ...held } = first;
  return { ...held, at: Math.min(...waiting.map(({ at }) => Date.parse(at))) };
}

/**
 * Lets a finding wait: it is looked at after a window of the monitor, each time after twice as long, up to an hour; or when cooldown
 * and budget are over. Of a cause the change that began first stands, so that a later finding does not make labels count anew. Not
 * where the manifest wants none.
 */
export function letWait(state: ModelState, held: HeldBackFinding, now: number): ModelState {
  const { champion } = state;
  if (champion === null || isRetiring(state) || settingsOf(state)?.triggers.finding !== true) return state;
  const { looks = 0 } = held;
  const kept = { ...held, looks: looks + 1, champion: champion.digest, at: nextLookAt(state, looks, now) };
  // What was about another champion has waited long enough.
  const waiting = waitingFindings(state);
  const earlier = waiting.find(
    ({ cause, onset }) => cause === held.cause && beganAt(onset) <= beganAt(held.onset),
  );
  if (earlier !== undefined && earlier.finding !== held.finding) return state;
  const others = waiting.filter(({ cause }) => cause !== held.cause);
  return withWaiting(state, [...others, kept].slice(0, MOST_WAITING));
}

/** The first was looked at and is held back: no other is looked at before it, and nothing comes back that was cleared meanwhile. */
export function lookedAt(state: ModelState, finding: string, now: number): ModelState {
  const looked = waitingFindings(state).find(isOf(finding));
  if (looked === undefined) return state;
  const { looks = 0 } = looked;
  const at = nextLookAt(state, looks, now);
  return withWaiting(
    state,
    allWaiting(state).map((one) => {
      if (one === looked) return { ...one, looks: looks + 1, at };
      return Date.parse(one.at) < Date.parse(at) ? { ...one, at } : one;
    }),
  );
}

/** Those that wait no more: their cause is gone, or they ask now. */
export function waitNoMore(state: ModelState, isGone: (finding: WaitingFinding) => boolean): ModelState {
  const waiting = allWaiting(state);
  const left = waiting.filter((finding) => !isGone(finding));
  return left.length === waiting.length ? state : withWaiting(state, left);
}

export const isOf =
  (id: string) =>
  ({ finding }: WaitingFinding): boolean =>
    finding === id;

const withWaiting = (state: ModelState, waiting: readonly WaitingFinding[]): ModelState =>
  withRetraining(state, { waiting, wanted: null });

/** Labels and windows come no faster than windows do; each look costs events of history. ISO 8601. */
function nextLookAt(state: ModelState, looks: number, now: number): string {
  const { windowSeconds } = state.manifest.monitoring ?? {};
  const after =
    windowSeconds === undefined
      ? LONGEST_LOOK_MS
      : Math.min(LONGEST_LOOK_MS, windowSeconds * 1000 * 2 ** looks);
  return new Date(Math.max(now + after, freeFrom(state, now))).toISOString();
}

/** After so many looks there is an hour between them, whatever the window: as it was before they were counted. */
export const HOURLY_LOOKS = 30;
