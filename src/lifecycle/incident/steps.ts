import type {
  IncidentAct,
  IncidentClearance,
  IncidentMitigation,
  IncidentRepeat,
} from '../../contracts/incidents.js';
import { incidentWorkflowId } from '../../contracts/ids.js';
import { nextDue, reportDeadline, type Due } from './clock.js';
import { addFindings, isWorse, phaseOf, type IncidentState, type Telling } from './state.js';

/** One line of the ledger about an incident. */
export interface IncidentRecord {
  /** Last part of its id. */
  readonly step: string;
  readonly action: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  /** A person; null: the workflow. */
  readonly by: string | null;
}

/** What something leads to: the new state, what is recorded and whom it is told. */
export interface IncidentStep {
  readonly state: IncidentState;
  readonly records: readonly IncidentRecord[];
  readonly tellings: readonly Telling[];
}

const nothing = (state: IncidentState): IncidentStep => ({ state, records: [], tellings: [] });

const idOf = ({ input: { opening } }: IncidentState): string =>
  incidentWorkflowId(opening.model, opening.incident);

const isReport = (notice: string): boolean => notice.startsWith('report-');

const iso = (now: number): string => new Date(now).toISOString();

/** Something that holds: told to everybody who is meant, and remembered, so that it can be ended. */
function firing(
  state: IncidentState,
  notice: string,
  options: Pick<Telling, 'title' | 'text'> & { readonly roles?: readonly string[]; readonly now: number },
): IncidentStep {
  const { severity, reopened, told } = state;
  const known = told.some((one) => one.notice === notice && one.severity === severity);
  const round = reopened === 0 ? '' : `/again-${reopened}`;
  const telling: Telling = {
    key: `${idOf(state)}/${notice}/${severity}${round}`,
    severity,
    notice,
    state: 'firing',
    title: options.title,
    text: options.text,
    roles: options.roles ?? [],
    at: iso(options.now),
    ends: [],
  };
  const next = known ? state : { ...state, told: [...told, { severity, notice }] };
  return { state: next, records: [], tellings: [telling] };
}

/** What is over: told as the end of everything of it that holds. */
function ending(
  state: IncidentState,
  which: 'cause' | 'report',
  options: Pick<Telling, 'key' | 'title' | 'text'> & { readonly now: number },
): IncidentStep {
  const isMeant = ({ notice }: { readonly notice: string }): boolean =>
    isReport(notice) === (which === 'report');
  const ends = state.told.filter(isMeant);
  if (ends.length === 0) return nothing(state);
  const { key, title, text, now } = options;
  const telling: Telling = {
    key,
    severity: state.severity,
    notice: which === 'report' ? 'report-due' : 'opened',
    state: 'resolved',
    title,
    text,
    roles: [],
    at: iso(now),
    ends,
  };
  const told = state.told.filter((one) => !isMeant(one));
  return { state: { ...state, told }, records: [], tellings: [telling] };
}

/** The first thing that an incident does. */
export function open(state: IncidentState, now: number): IncidentStep {
  const { cause, severity, onset, detectedAt, release, findings, origin, title, text } = state.input.opening;
  const due = reportDeadline(state);
  const duty = due === null ? '' : ` To be reported by ${iso(due)}.`;
  const told = firing(state, 'opened', { title, text: `${text}${duty}`, now });
  const evidence = { cause, severity, onset, detected: detectedAt, release, findings, origin, title };
  return { ...told, records: [{ step: 'opened', action: 'incident.opened', evidence, by: null }] };
}

/** The same cause again: attached; after a resolution the incident is open again, and a worse one than before is told. */
export function repeat(before: IncidentState, again: IncidentRepeat, now: number): IncidentStep {
  if (before.over) return nothing(before);
  const worse = isWorse(again.severity, before.severity);
  const state: IncidentState = {
    ...before,
    findings: addFindings(before.findings, again.findings),
    repeats: before.repeats + 1,
    severity: worse ? again.severity : before.severity,
    criticalSince: before.criticalSince ?? (again.severity === 'critical' ? again.at : null),
  };
  if (before.resolved !== null) return reopen(state, again, now);
  const { findings, release, summary } = again;
  const evidence = { repeats: state.repeats, findings, release, severity: state.severity, summary };
  // Repeats 1, 2, 4, 8…: the findings themselves are on record; and what changes something.
  const telling = worse || release !== null || Number.isInteger(Math.log2(state.repeats));
  const records = telling
    ? [{ step: `repeated/${state.repeats}`, action: 'incident.repeated', evidence, by: null }]
    : [];
  if (!worse) return { state, records, tellings: [] };
  const { title } = state.input.opening;
  return {
    ...firing(state, 'opened', { title: `Now ${state.severity}: ${title}`, text: summary, now }),
    records,
  };
}

function reopen(before: IncidentState, again: IncidentRepeat, now: number): IncidentStep {
  const state: IncidentState = {
    ...before,
    reopened: before.reopened + 1,
    since: iso(now),
    acknowledged: null,
    mitigated: null,
    resolved: null,
    escalated: 0,
  };
  const { title } = state.input.opening;
  const { findings, release, summary } = again;
  const evidence = { reopened: state.reopened, findings, release, resolved: before.resolved?.at, summary };
  const records = [{ step: `reopened/${state.reopened}`, action: 'incident.reopened', evidence, by: null }];
  return { ...firing(state, 'opened', { title: `Again: ${title}`, text: summary, now }), records };
}

/** Users are protected. */
export function mitigate(state: IncidentState, { how, at }: IncidentMitigation): IncidentStep {
  if (state.resolved !== null || state.mitigated !== null) return nothing(state);
  const step = `mitigated/${state.reopened}`;
  return {
    state: { ...state, mitigated: { how, at } },
    records: [{ step, action: 'incident.mitigated', evidence: { how, at }, by: null }],
    tellings: [],
  };
}

/** The cause is gone. */
export function clear(
  state: IncidentState,
  clearance: IncidentClearance,
  by: string,
  now: number,
): IncidentStep {
  const { windows, reason, at } = clearance;
  return state.resolved === null
    ? resolve(
        state,
        { windows, reason, measuredAt: at, by, person: null, step: `resolved/${state.reopened}` },
        now,
      )
    : nothing(state);
}

function resolve(
  state: IncidentState,
  options: {
    readonly windows: number | null;
    readonly reason: string;
    readonly measuredAt: string | null;
    readonly by: string;
    readonly person: string | null;
    readonly step: string;
  },
  now: number,
): IncidentStep {
  const { windows, reason, measuredAt, by, person, step } = options;
  const resolved = { by, at: iso(now), reason, windows };
  const key = `${idOf(state)}/ended/${state.reopened}`;
  const { title } = state.input.opening;
  const told = ending({ ...state, resolved }, 'cause', { key, title, text: reason, now });
  const evidence = { windows, reason, measuredAt };
  return { ...told, records: [{ step, action: 'incident.resolved', evidence, by: person }] };
}

/** Why a person's act is not possible now; null when it is. */
export function refusalOf(state: IncidentState, act: IncidentAct): string | null {
  const { acknowledged, resolved, reported } = state;
  const { model, incident } = state.input.opening;
  const name = `incident ${incident} of ${model}`;
  if (act === 'report') {
    if (reportDeadline(state) === null) return `${name} need not be reported`;
    return reported === null ? null : `${name} was reported by ${reported.by} at ${reported.at}`;
  }
  if (resolved !== null)
    return `${name} is ${phaseOf(state)}: ${resolved.by} at ${resolved.at}, ${resolved.reason}`;
  return act === 'acknowledge' && acknowledged !== null
    ? `${name} was acknowledged by ${acknowledged.by} at ${acknowledged.at}`
    : null;
}

/** A person's act that is possible now. @param step last part of the id of its record */
export function act(
  state: IncidentState,
  what: IncidentAct,
  { by, reason, step }: { readonly by: string; readonly reason: string; readonly step: string },
  now: number,
): IncidentStep {
  const deed = { by, at: iso(now), reason };
  switch (what) {
    case 'acknowledge':
      return {
        state: { ...state, acknowledged: deed },
        records: [{ step, action: 'incident.acknowledged', evidence: { reason }, by }],
        tellings: [],
      };
    case 'resolve':
      return resolve(state, { windows: null, reason, measuredAt: null, by, person: by, step }, now);
    case 'report': {
      const due = reportDeadline(state);
      const inTime = due === null || now <= due;
      const key = `${idOf(state)}/reported`;
      const title = `Reported: ${state.input.opening.title}`;
      const told = ending({ ...state, reported: deed }, 'report', { key, title, text: reason, now });
      const evidence = { reason, due: due === null ? null : iso(due), inTime };
      return { ...told, records: [{ step, action: 'incident.reported', evidence, by }] };
    }
  }
}

/** The first thing that is due by the clock; null when nothing is. */
export function byTheClock(state: IncidentState, now: number): IncidentStep | null {
  const due = nextDue(state);
  return due === null || due.at > now ? null : onTime(state, due, now);
}

function onTime(state: IncidentState, due: Due, now: number): IncidentStep {
  const { title, text } = state.input.opening;
  switch (due.kind) {
    case 'escalate':
      return escalate(state, now);
    case 'remind': {
      const at = iso(reportDeadline(state) ?? now);
      const reminded = { ...state, reminded: 1 };
      return firing(reminded, 'report-due', {
        title: `To be reported by ${at}: ${title}`,
        text: `Nobody has said that it was reported. ${text}`,
        now,
      });
    }
    case 'overdue': {
      const at = iso(due.at);
      const told = firing({ ...state, reminded: 2 }, 'report-overdue', {
        title: `Not reported in time: ${title}`,
        text: `The report was due at ${at}. ${text}`,
        now,
      });
      const evidence = { due: at };
      return {
        ...told,
        records: [{ step: 'report-overdue', action: 'incident.report-overdue', evidence, by: null }],
      };
    }
    case 'end':
      return nothing({ ...state, over: true });
  }
}

function escalate(before: IncidentState, now: number): IncidentStep {
  const number = before.escalated + 1;
  const state = { ...before, escalated: number };
  const { settings, contacts, opening } = state.input;
  const { roles = [] } = settings.escalation[before.escalated] ?? {};
  const meant = contactsOf(state, roles).map(({ name }) => name);
  const told = firing(state, `escalation-${number}`, {
    title: `Nobody has acknowledged: ${opening.title}`,
    text: `Open since ${state.since}. ${opening.text}`,
    roles,
    now,
  });
  const evidence = {
    step: number,
    of: settings.escalation.length,
    roles,
    contacts: meant,
    since: state.since,
  };
  const step = `escalated/${state.reopened}.${number}`;
  return {
    ...told,
    records: [
      { step, action: 'incident.escalated', evidence: { ...evidence, known: contacts.length }, by: null },
    ],
  };
}

/** The contacts that have one of the roles; all of them where none is asked for, or nobody has one. */
export function contactsOf({ input: { contacts } }: IncidentState, roles: readonly string[]) {
  const meant = contacts.filter(({ role }) => roles.includes(role));
  return meant.length === 0 ? contacts : meant;
}
