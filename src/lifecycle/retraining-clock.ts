/** What the clock asks a model to be trained for, and when it is looked at again. Pure. */
import { isRetiring, type ModelState } from './model-state.js';
import type { WaitingFinding } from './retraining-state.js';
import { freeFrom, retrainingOf, settingsOf, withRetraining } from './retraining.js';

/** Between two looks at what was held back, or at labels, milliseconds. */
const SHORTEST_LOOK_MS = 3600_000;
const LONGEST_LOOK_MS = 24 * 3600_000;

/** When labels are to be counted again, if they go on coming as they did. Each count costs nine events of history. */
export function nextLabelCount({
  labels,
  wanted,
  since,
  now,
}: {
  labels: number;
  wanted: number;
  since: number;
  now: number;
}): string {
  const left = labels === 0 ? LONGEST_LOOK_MS : ((now - since) / labels) * (wanted - labels);
  return new Date(now + Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, left))).toISOString();
}

/** A finding that was held back: what is kept of it, but for the champion that it is about. */
export type HeldBackFinding = Omit<WaitingFinding, 'champion' | 'at'>;

/** What the clock asks for. */
export type ClockTrigger = {
  /** Epoch milliseconds. */
  readonly at: number;
} &
  /** The next moment of the schedule is not known. */
  (
    | { readonly kind: 'read-schedule' }
    | { readonly kind: 'schedule'; readonly evidence: string }
    | { readonly kind: 'count-labels'; readonly evidence: string }
    | { readonly kind: 'age'; readonly evidence: string }
    | ({ readonly kind: 'finding' } & HeldBackFinding)
  );

/** All that the clock will ask for, the first before the others; it may be due. */
export function clockTriggers(state: ModelState, now: number): readonly ClockTrigger[] {
  const settings = settingsOf(state);
  const known = retrainingOf(state);
  if (settings === null || isRetiring(state) || state.champion === null || known.running !== null) return [];
  const { schedule, newLabels, maxAgeSeconds } = settings.triggers;
  const triggers: ClockTrigger[] = [];
  if (schedule !== null) {
    if (known.schedule?.key !== scheduleKey(schedule)) triggers.push({ kind: 'read-schedule', at: 0 });
    else if (known.schedule.at !== null)
      triggers.push({
        kind: 'schedule',
        at: Date.parse(known.schedule.at),
        evidence: `schedule/${known.schedule.at}`,
      });
  }
  if (newLabels !== null)
    triggers.push({
      kind: 'count-labels',
      at: known.labelsAt === null ? now : Date.parse(known.labelsAt),
      evidence: `labels/${known.next}`,
    });
  const age = maxAgeSeconds === null ? null : ageTrigger(state, maxAgeSeconds * 1000, now);
  if (age !== null) triggers.push(age);
  // The first alone: the change that began before the others has the most labels, and each look costs events of history.
  const [first] = settings.triggers.finding ? waitingFindings(state) : [];
  if (first !== undefined) {
    const { champion: _, at, ...held } = first;
    triggers.push({ kind: 'finding', at: Date.parse(at), ...held });
  }
  return triggers.sort((a, b) => a.at - b.at);
}

/** The first of them; null when there is none. */
export const nextClockTrigger = (state: ModelState, now: number): ClockTrigger | null =>
  clockTriggers(state, now)[0] ?? null;

export const scheduleKey = ({ cron, timeZone }: { cron: string; timeZone: string }): string =>
  `${cron} ${timeZone}`;

/** Each full age of a champion is one piece of evidence. */
function ageTrigger(state: ModelState, maxAgeMs: number, now: number): ClockTrigger | null {
  const [champion] = state.champions;
  if (champion === undefined || champion.until !== null) return null;
  const since = Date.parse(champion.since);
  const { evidence, ageAt } = retrainingOf(state);
  const idOf = (times: number): string => `age/${champion.digest.slice(0, 12)}/${champion.since}/${times}`;
  const ages = Math.max(1, Math.floor((now - since) / maxAgeMs));
  const due = evidence.includes(idOf(ages)) ? ages + 1 : ages;
  const at = Math.max(since + due * maxAgeMs, ageAt === null ? 0 : Date.parse(ageAt));
  return { kind: 'age', at, evidence: idOf(due) };
}

/** After the age was held back: looked at again later. */
export const laterLook = (now: number): string => new Date(now + SHORTEST_LOOK_MS).toISOString();

/** Those about the champion of now, the earliest change first; last what does not say when it began, since that cannot be followed. */
export function waitingFindings(state: ModelState): readonly WaitingFinding[] {
  const { waiting, wanted = null } = retrainingOf(state);
  return (waiting ?? (wanted === null ? [] : [wanted])).filter(
    ({ champion }) => champion === state.champion?.digest,
  );
}

/**
 * Keeps a finding that was held back, since a monitor tells of a cause once: it is looked at again after a window of the monitor,
 * each time after twice as long, up to an hour; or when cooldown and budget are over. Not where the manifest wants none. Those that
 * wait already go on waiting: a later finding must not make its change's labels count anew.
 */
export function letWait(state: ModelState, held: HeldBackFinding, now: number): ModelState {
  const { champion } = state;
  if (champion === null || isRetiring(state) || settingsOf(state)?.triggers.finding !== true) return state;
  const { looks = 0 } = held;
  const at = new Date(Math.max(now + lookAfter(state, looks), freeFrom(state, now))).toISOString();
  const kept = { ...held, looks: looks + 1, champion: champion.digest, at };
  const waiting = [...waitingFindings(waitNoMore(state, isOf(held.finding))), kept]
    .toSorted(byBegin)
    .slice(0, MOST_WAITING);
  return withWaiting(state, waiting);
}

const MOST_WAITING = 20;

const withWaiting = (state: ModelState, waiting: readonly WaitingFinding[]): ModelState =>
  withRetraining(state, { waiting, wanted: null });

/** Of changes that began at the same time the one that was looked at more often, or they would be looked at in turn. */
const byBegin = (a: WaitingFinding, b: WaitingFinding): number =>
  beganAt(a) - beganAt(b) || (b.looks ?? 0) - (a.looks ?? 0);

/** Epoch milliseconds. */
function beganAt({ onset }: WaitingFinding): number {
  const at = Date.parse(onset ?? '');
  return Number.isNaN(at) ? Number.MAX_VALUE : at;
}

/** Labels and windows come no faster than windows do; each look costs events of history. Milliseconds. */
function lookAfter({ manifest }: ModelState, looks: number): number {
  const { windowSeconds } = manifest.monitoring ?? {};
  return windowSeconds === undefined
    ? SHORTEST_LOOK_MS
    : Math.min(SHORTEST_LOOK_MS, windowSeconds * 1000 * 2 ** looks);
}

/** After so many looks there is an hour between them, whatever the window: as it was before they were counted. */
export const HOURLY_LOOKS = 30;

/** Those that wait no more: their cause is gone, or they ask now. */
export function waitNoMore(state: ModelState, isGone: (finding: WaitingFinding) => boolean): ModelState {
  const waiting = waitingFindings(state);
  const left = waiting.filter((finding) => !isGone(finding));
  return left.length === waiting.length ? state : withWaiting(state, left);
}

export const isOf =
  (id: string) =>
  ({ finding }: WaitingFinding): boolean =>
    finding === id;
