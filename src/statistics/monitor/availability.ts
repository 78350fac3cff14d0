/**
 * Availability against the objective: burn rates over two windows each, as in "The Site Reliability Workbook", Beyer et al. (2018),
 * chapter 5, table 5-8, and the same chapter's addition of 1x over three days. The long one says that it matters, the short one that
 * it goes on.
 */
import type { Objectives } from '../../contracts/manifest.js';
import type { MonitoringSettings, Severity } from '../../contracts/monitoring.js';
import { SHARES } from './budget.js';
import { binomialGreater, shareOf, type Share } from './exact.js';
import { shareInterval } from './intervals.js';
import type {
  CarriedRequests,
  Draft,
  Judged,
  MonitoredWindow,
  OpenCause,
  SlotSum,
  TrafficHistory,
  TrafficSlot,
} from './types.js';
import { figure, percent, timeOf } from './words.js';

/** The finest stretch that is kept, seconds. */
export const SLOT_SECONDS = 300;
const SLOT = SLOT_SECONDS * 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** As long as the longest window in slots, and in hours. */
const SLOTS_FOR = 6 * HOUR;
const HOURS_FOR = 72 * HOUR;

interface BurnRate {
  readonly factor: number;
  readonly long: number;
  readonly short: number;
  readonly severity: Severity;
}

/** The fastest first: of those that burn, it is told. The error budget is that of 30 days. */
const BURN_RATES: readonly BurnRate[] = [
  { factor: 14.4, long: HOUR, short: 5 * MINUTE, severity: 'critical' },
  { factor: 6, long: 6 * HOUR, short: 30 * MINUTE, severity: 'critical' },
  { factor: 3, long: 24 * HOUR, short: 2 * HOUR, severity: 'warning' },
  { factor: 1, long: 72 * HOUR, short: 6 * HOUR, severity: 'warning' },
];

export const NO_TRAFFIC: TrafficHistory = { slots: [], hours: [] };
/** Requests that have no more errors than this chance allows are as they should be. */
const GONE_ABOVE = 0.05;

/** Adds a slot; hours are made of whole ones. */
export function addSlot(
  { slots, hours }: TrafficHistory,
  { to, requests, bad }: TrafficSlot,
): TrafficHistory {
  const all: readonly SlotSum[] = [...slots, [to, requests, bad]];
  const kept = all.filter(([end]) => end > to - SLOTS_FOR);
  if (to % HOUR !== 0) return { slots: kept, hours };
  const { hits, rows } = sumOf(all, to - HOUR);
  return {
    slots: kept,
    hours: [...hours, [to, rows, hits] as const].filter(([end]) => end > to - HOURS_FOR),
  };
}

function sumOf(sums: readonly SlotSum[], after: number): Share {
  let [rows, hits] = [0, 0];
  for (const [to, requests, bad] of sums) {
    if (to <= after) continue;
    rows += requests;
    hits += bad;
  }
  return { hits, rows };
}

/** Of the last so many milliseconds; what was before the monitor came counts as nothing. */
function last({ slots, hours }: TrafficHistory, at: number, length: number): Share {
  if (length <= SLOTS_FOR) return sumOf(slots, at - length);
  const hour = at - (at % HOUR);
  const whole = sumOf(hours, at - length);
  const rest = sumOf(slots, hour);
  return { hits: whole.hits + rest.hits, rows: whole.rows + rest.rows };
}

/**
 * After each slot, from the first one on: no work before is needed. A burn rate from few requests is luck, so the errors of the long
 * window must also be more than the objective allows by an exact test, at this kind's share of the budget.
 */
export function judgeBurn(
  settings: MonitoringSettings,
  { availability }: Objectives,
  history: TrafficHistory,
  at: number,
): readonly Draft[] {
  const allowed = 1 - availability;
  if (!(allowed > 0)) return [];
  const alpha = (SHARES.availability * SLOT_SECONDS) / settings.falseFindingSeconds / BURN_RATES.length;
  for (const { factor, long, short, severity } of BURN_RATES) {
    const [over, now] = [last(history, at, long), last(history, at, short)];
    if (shareOf(over) < factor * allowed || shareOf(now) < factor * allowed || now.rows === 0) continue;
    const p = binomialGreater(over, allowed);
    if (p > alpha) continue;
    const [least, most] = shareInterval(over);
    const from = Math.min(
      ...history.slots.filter(([to]) => to > at - long).map(([to]) => to - SLOT),
      at - SLOT,
    );
    const began = history.slots.find(
      ([to, requests, bad]) => to > at - long && bad > 0 && bad >= factor * allowed * requests,
    );
    const onset = (began?.[0] ?? at) - SLOT;
    return [
      {
        kind: 'availability',
        cause: 'availability',
        verdict: 'found',
        severity,
        summary: `${percent(shareOf(over))} of ${over.rows} requests were not answered in ${hours(long)}: ${figure(shareOf(over) / allowed)} times what the objective of ${figure(100 * availability)} % allows`,
        features: [
          {
            name: 'errors',
            what: `burns ${factor} times too fast over ${hours(long)} and ${hours(short)}`,
            effect: shareOf(over) - allowed,
            interval: [least - allowed, most - allowed],
            p: Math.min(1, p / alpha / (settings.falseFindingSeconds / settings.windowSeconds)),
            rows: over.rows,
          },
        ],
        rows: over.rows,
        onset: { estimate: timeOf(onset), from: timeOf(onset), to: timeOf(onset + SLOT) },
        about: ['errors'],
        from,
        to: at,
      },
    ];
  }
  return [];
}

const hours = (length: number): string => (length < HOUR ? `${length / MINUTE} min` : `${length / HOUR} h`);

/**
 * Whether there are no more errors than the objective allows. Too few requests say nothing: they are judged together with those of the next
 * windows, or an outage of a model that is seldom asked would never be over. Each request is judged once.
 * @param carried what earlier windows of the open cause left
 */
export function availabilityStanding(
  settings: MonitoringSettings,
  { availability }: Objectives,
  window: MonitoredWindow,
  open: readonly OpenCause[],
  carried: CarriedRequests | null,
): Judged & { readonly carried: CarriedRequests | null } {
  const known = open.find(({ kind }) => kind === 'availability');
  if (known === undefined) return { drafts: [], standing: new Map(), waiting: [], carried: null };
  const requests = (carried?.requests ?? 0) + window.requests;
  const bad = (carried?.bad ?? 0) + window.bad;
  if (requests < settings.minRows) {
    const waiting = [`availability: ${requests} of ${settings.minRows} requests to say whether it is over`];
    return { drafts: [], standing: new Map(), waiting, carried: { requests, bad } };
  }
  const p = binomialGreater({ hits: bad, rows: requests }, 1 - availability);
  const standing = new Map([[known.cause, p > GONE_ABOVE ? ('gone' as const) : ('present' as const)]]);
  return { drafts: [], standing, waiting: [], carried: null };
}
