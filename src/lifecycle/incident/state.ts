import type { AlertTold } from '../../contracts/activities.js';
import type { IncidentDeed, IncidentInput, IncidentPhase } from '../../contracts/incidents.js';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead } from '../../contracts/ledger.js';
import type { Severity } from '../../contracts/monitoring.js';

/** An alert that not every receiver has taken. */
export interface Untold {
  readonly key: string;
  readonly tries: number;
  readonly why: string;
  /** ISO 8601. */
  readonly retryAt: string;
  readonly telling: Telling;
}

/** What people are to be told. */
export interface Telling {
  readonly key: string;
  readonly severity: Severity;
  readonly notice: string;
  readonly state: 'firing' | 'resolved';
  readonly title: string;
  readonly text: string;
  /** Roles of the contacts who are meant; none: all of them. */
  readonly roles: readonly string[];
  readonly at: string;
  readonly ends: readonly AlertTold[];
}

/** The answer that a request got: the same request again gets it again. */
export interface IncidentAnswer {
  readonly requestId: string;
  readonly refusal: string | null;
}

/** Everything that an incident's workflow knows; plain JSON, carried over continue-as-new. Times are ISO 8601. */
export interface IncidentState {
  readonly input: IncidentInput;
  readonly severity: Severity;
  readonly openedAt: string;
  /** When it was opened, or reopened last: the escalation counts from then. */
  readonly since: string;
  /** From when on it has been critical: the time for its report runs from then. */
  readonly criticalSince: string | null;
  readonly acknowledged: IncidentDeed | null;
  readonly mitigated: { readonly how: string; readonly at: string } | null;
  readonly resolved: (IncidentDeed & { readonly windows: number | null }) | null;
  readonly over: boolean;
  readonly reported: IncidentDeed | null;
  readonly escalated: number;
  /** Reminders of the report that were given. */
  readonly reminded: number;
  readonly findings: readonly string[];
  readonly repeats: number;
  readonly reopened: number;
  /** Alerts that hold at the receivers. */
  readonly told: readonly AlertTold[];
  readonly untold: readonly Untold[];
  readonly junk: number;
  /** Acts of people that came as signals: numbers their records. */
  readonly acts: number;
  readonly answered: readonly IncidentAnswer[];
  readonly head: LedgerHead;
  readonly unrecorded: readonly LedgerEntry[];
}

/** Findings that are listed: the first ones, and beyond so many the newest. */
const FIRST_FINDINGS = 10;
const NEWEST_FINDINGS = 40;
const MAX_ANSWERS = 100;

export const initialIncidentState = (input: IncidentInput, now: number): IncidentState => {
  const { severity, findings, detectedAt } = input.opening;
  const at = new Date(now).toISOString();
  return {
    input,
    severity,
    openedAt: at,
    since: at,
    criticalSince: severity === 'critical' ? detectedAt : null,
    acknowledged: null,
    mitigated: null,
    resolved: null,
    over: false,
    reported: null,
    escalated: 0,
    reminded: 0,
    findings: addFindings([], findings),
    repeats: 0,
    reopened: 0,
    told: [],
    untold: [],
    junk: 0,
    acts: 0,
    answered: [],
    head: EMPTY_HEAD,
    unrecorded: [],
  };
};

/** Each once, in the order in which they came. */
export function addFindings(known: readonly string[], more: readonly string[]): readonly string[] {
  const all = [...new Set([...known, ...more])];
  if (all.length <= FIRST_FINDINGS + NEWEST_FINDINGS) return all;
  return [...all.slice(0, FIRST_FINDINGS), ...all.slice(-NEWEST_FINDINGS)];
}

export const rememberAnswer = (state: IncidentState, answer: IncidentAnswer): IncidentState => ({
  ...state,
  answered: [...state.answered, answer].slice(-MAX_ANSWERS),
});

export function phaseOf({ over, resolved, mitigated, acknowledged }: IncidentState): IncidentPhase {
  if (over) return 'over';
  if (resolved !== null) return 'resolved';
  if (mitigated !== null) return 'mitigated';
  return acknowledged === null ? 'open' : 'acknowledged';
}

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

export const isWorse = (one: Severity, other: Severity): boolean =>
  SEVERITIES.indexOf(one) > SEVERITIES.indexOf(other);
