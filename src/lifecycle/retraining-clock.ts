/** What the clock asks a model to be trained for, and when it is looked at again. Pure. */
import { isRetiring, type ModelState } from './model-state.js';
import { retrainingOf, settingsOf } from './retraining.js';
import { type HeldBackFinding, nextLook } from './waiting-findings.js';

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
  const look = settings.triggers.finding ? nextLook(state) : null;
  if (look !== null) triggers.push({ kind: 'finding', ...look });
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
