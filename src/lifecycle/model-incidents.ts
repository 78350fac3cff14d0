import type {
  HeldBack,
  IncidentClearance,
  IncidentInput,
  IncidentReport,
  OpenIncident,
} from '../contracts/incidents.js';
import type { IncidentOpening, IncidentSettings, Severity } from '../contracts/monitoring.js';
import type { HoldView } from '../contracts/views.js';
import { isWorse } from './incident/state.js';
import type { DecidedFinding, IncidentTask, ModelIncidents } from './incidents-state.js';
import { isFrozen, type ModelState, release } from './model-state.js';

const NONE: ModelIncidents = {
  next: 1,
  open: [],
  tasks: [],
  decided: [],
  forgottenTo: null,
  heldBack: [],
  heldBackTold: [],
  revalidatedAt: null,
  revalidationTold: { before: null, due: null },
};

/** Causes that are open at a time; what comes beyond is one incident. */
const MAX_OPEN = 50;
const FURTHER = 'further';
/** Beyond so many messages only repeats are left out: what begins and ends incidents is not lost. */
const MAX_TASKS = 200;
const MAX_DECIDED = 300;
const MAX_HELD_BACK = 20;
const MAX_TOLD = 100;

/** Of a model; states of before there were incidents have none. */
export const incidentsOf = (state: ModelState): ModelIncidents => state.incidents ?? NONE;

export const withIncidents = (state: ModelState, change: Partial<ModelIncidents>): ModelState => ({
  ...state,
  incidents: { ...incidentsOf(state), ...change },
});

/** A manifest from before there was monitoring has none. */
export const monitoringOf = ({ manifest }: ModelState) =>
  (manifest as Partial<typeof manifest>).monitoring ?? null;

/** What the manifest says of incidents; of those of a time when it still had monitoring, the least. */
export const incidentSettingsOf = (state: ModelState): IncidentSettings =>
  monitoringOf(state)?.incidents ?? { clearWindows: 1, escalation: [], reportSeconds: null };

/** What is to be an incident, or part of the one that its cause has already. */
export type Happening = Omit<IncidentOpening, 'model' | 'incident'> &
  Pick<OpenIncident, 'holds' | 'retrains'>;

/**
 * Opens an incident, or attaches what happened to the open one of the same cause.
 * @returns null where the manifest turns monitoring off: then nobody is told by incidents
 */
export function raise(
  state: ModelState,
  happening: Happening,
  now: number,
): { readonly state: ModelState; readonly incident: number; readonly isNew: boolean } | null {
  const settings = monitoringOf(state);
  if (settings === null) return null;
  const { open } = incidentsOf(state);
  const own = open.find(({ cause }) => cause === happening.cause);
  if (own !== undefined) return attach(state, own, happening);
  const count = open.filter(({ standing }) => standing === 'open').length;
  if (count < MAX_OPEN) return begin(state, happening, now);
  const further = open.find(({ cause }) => cause === FURTHER);
  const told = { ...happening, title: `${happening.cause}: ${happening.title}` };
  if (further !== undefined) return attach(state, further, told);
  const text = `More than ${MAX_OPEN} causes are open: what comes now is one incident. First: ${told.title}`;
  return begin(state, { ...told, cause: FURTHER, text }, now);
}

function begin(state: ModelState, happening: Happening, now: number) {
  const { manifest } = state;
  const settings = monitoringOf(state);
  const { next, open } = incidentsOf(state);
  const { holds, retrains = false, ...opening } = happening;
  const { cause, origin, severity, title, release } = opening;
  const known: OpenIncident = {
    incident: next,
    cause,
    origin,
    severity,
    title,
    release,
    openedAt: new Date(now).toISOString(),
    standing: 'open',
    holds,
    ...(retrains ? { retrains } : {}),
  };
  const input: IncidentInput = {
    opening: { ...opening, model: manifest.name, incident: next },
    owner: manifest.owner,
    riskTier: manifest.riskTier,
    contacts: manifest.contacts,
    settings: incidentSettingsOf(state),
    windowSeconds: settings?.windowSeconds ?? 3600,
  };
  const numbered = withIncidents(state, { next: next + 1, open: bounded([...open, known]) });
  return {
    state: withTask(numbered, { kind: 'start', incident: next, input }),
    incident: next,
    isNew: true,
  };
}

/** Open ones are bounded elsewhere; of the resolved ones the oldest are forgotten: what returns of their causes is another incident. */
const bounded = (open: readonly OpenIncident[]): readonly OpenIncident[] => {
  const tooMany = Math.max(0, open.length - 2 * MAX_OPEN);
  const oldest = open.filter(({ standing }) => standing === 'resolved').slice(0, tooMany);
  return open.filter((one) => !oldest.includes(one));
};

function attach(state: ModelState, known: OpenIncident, happening: Happening) {
  const { incident, cause } = known;
  const { findings, severity, title, detectedAt, release, holds, retrains = false } = happening;
  const next = changed(state, incident, {
    severity: isWorse(severity, known.severity) ? severity : known.severity,
    holds: known.holds || holds,
    ...(retrains ? { retrains } : {}),
    standing: 'open',
  });
  const repeat = { findings, severity, summary: title, at: detectedAt, release };
  return {
    state: withTask(next, { kind: 'repeated', incident, cause, repeat }),
    incident,
    isNew: false,
  };
}

const changed = (state: ModelState, incident: number, change: Partial<OpenIncident>): ModelState =>
  withIncidents(state, {
    open: incidentsOf(state).open.map((one) => (one.incident === incident ? { ...one, ...change } : one)),
  });

function withTask(state: ModelState, task: IncidentTask): ModelState {
  const { tasks } = incidentsOf(state);
  const isFull = tasks.length >= MAX_TASKS;
  return isFull && (task.kind === 'repeated' || task.kind === 'asked')
    ? state
    : withIncidents(state, { tasks: [...tasks, task] });
}

/** Whether the workflow of an incident is still there is found out by talking to it. */
export const askAfter = (state: ModelState, incident: number): ModelState =>
  incidentsOf(state).open.some((one) => one.incident === incident)
    ? withTask(state, { kind: 'asked', incident })
    : state;

/** The first task is done. */
export const taskDone = (state: ModelState): ModelState =>
  withIncidents(state, { tasks: incidentsOf(state).tasks.slice(1) });

/**
 * Its workflow is not there any more: it was over, or somebody ended it by hand. A repeat that was meant for it is an incident of its
 * own.
 */
export function forget(state: ModelState, task: IncidentTask, now: number): ModelState {
  const { open } = incidentsOf(state);
  const known = open.find(({ incident }) => incident === task.incident);
  const without = withIncidents(state, {
    open: open.filter(({ incident }) => incident !== task.incident),
  });
  if (task.kind !== 'repeated') return without;
  const { repeat, cause } = task;
  const again = raise(
    without,
    {
      origin: known?.origin ?? 'finding',
      cause,
      severity: repeat.severity,
      title: repeat.summary,
      text: repeat.summary,
      findings: repeat.findings,
      release: repeat.release,
      onset: null,
      detectedAt: repeat.at,
      holds: known?.holds ?? false,
      retrains: known?.retrains ?? false,
    },
    now,
  );
  return again?.state ?? without;
}

/** Users are protected from what these incidents are about. */
export const mitigated = (
  state: ModelState,
  incidents: readonly number[],
  how: string,
  now: number,
): ModelState =>
  incidents.reduce(
    (next, incident) =>
      withTask(next, { kind: 'mitigated', incident, mitigation: { how, at: new Date(now).toISOString() } }),
    state,
  );

/** What a cause was is gone; nothing when no incident of it is open. */
export function cleared(
  state: ModelState,
  isMeant: (open: OpenIncident) => boolean,
  clearance: IncidentClearance,
): ModelState {
  const meant = incidentsOf(state).open.filter((one) => one.standing === 'open' && isMeant(one));
  return meant.reduce(
    (next, { incident }) =>
      withTask(changed(next, incident, { standing: 'resolved' }), { kind: 'cleared', incident, clearance }),
    state,
  );
}

/** What an incident says of itself; of one that is not known it changes nothing. */
export function applyIncidentReport(state: ModelState, report: IncidentReport): ModelState {
  const { incident, phase, cause } = report;
  const { open } = incidentsOf(state);
  const known = open.find((one) => one.incident === incident && one.cause === cause);
  if (known === undefined) return state;
  return phase === 'over'
    ? withIncidents(state, { open: open.filter((one) => one !== known) })
    : changed(state, incident, { standing: phase });
}

/**
 * What holds promotions back: a freeze, else the oldest open incident that is to.
 * @param of the release that is to be promoted; what a retraining brought is the cure of what asked for it, and is not held back by that
 */
export function promotionHold(state: ModelState, now: number, of: number | null = null): HoldView | null {
  if (state.freeze !== null && isFrozen(state, now))
    return { reason: state.freeze.reason, until: state.freeze.until };
  const isCure = of !== null && release(state, of)?.retraining !== undefined;
  const holding = incidentsOf(state).open.find(
    ({ holds, retrains = false, standing }) => holds && standing === 'open' && !(isCure && retrains),
  );
  return holding === undefined
    ? null
    : { reason: `incident ${holding.incident} is open: ${holding.title}`.slice(0, 500), until: null };
}

/** An incident so severe is open. */
export const hasOpen = (state: ModelState, severity: Severity): boolean =>
  incidentsOf(state).open.some((one) => one.standing === 'open' && one.severity === severity);

/** These findings were decided on: none of them is again. */
export function rememberDecided(state: ModelState, findings: readonly DecidedFinding[]): ModelState {
  const { decided, forgottenTo } = incidentsOf(state);
  const all = [...decided, ...findings.map(({ id, detectedAt }) => ({ id, detectedAt }))];
  const forgotten = all.slice(0, Math.max(0, all.length - MAX_DECIDED));
  // Beyond so many, age stands in for memory.
  const newest = forgotten.reduce<string | null>(
    (latest, { detectedAt }) =>
      latest === null || Date.parse(detectedAt) > Date.parse(latest) ? detectedAt : latest,
    forgottenTo,
  );
  return withIncidents(state, { decided: all.slice(-MAX_DECIDED), forgottenTo: newest });
}

/** @returns whether it is news: the same of the same cause was not recorded before */
export function holdBack(
  state: ModelState,
  held: HeldBack,
  cause: string,
): { readonly state: ModelState; readonly isNews: boolean } {
  const { heldBack, heldBackTold } = incidentsOf(state);
  // Figures in a reason change: the words before them are what it is about.
  const key = `${cause}\n${held.action}\n${held.reason.replaceAll(/\d.*$/gs, '')}`;
  const isNews = !heldBackTold.includes(key);
  return {
    state: withIncidents(state, {
      heldBack: [held, ...heldBack].slice(0, MAX_HELD_BACK),
      heldBackTold: isNews ? [...heldBackTold, key].slice(-MAX_TOLD) : heldBackTold,
    }),
    isNews,
  };
}
