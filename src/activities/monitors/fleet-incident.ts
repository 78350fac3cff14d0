/**
 * The incident of monitors that are silent. A model's workflow opens the incidents of the model; here it is whichever monitor notices. So
 * none of them remembers what it has said: each looks at what is silent and at what the incident's workflow says of itself, and does
 * what brings them together. Whoever dies, or comes too late, is made up for by the next tick of any of them.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { incidentWorkflowId } from '../../contracts/ids.js';
import type { IncidentInput, IncidentRepeat } from '../../contracts/incidents.js';
import { FLEET_STREAM } from '../../contracts/ledger.js';
import { incidentCleared, incidentRepeated } from '../../contracts/messages.js';
import type { Finding } from '../../contracts/monitoring.js';
import { TenureStage } from '../../contracts/search-attributes.js';
import { incidentStart } from '../../contracts/starting.js';
import { effect } from '../../fail-points/index.js';
import { lostIncident } from '../../lifecycle/lost-incident.js';
import type { FleetIncident, FleetIncidents } from '../../platform/monitors/index.js';
import { sendAlert } from './alert.js';
import { recordEntry, type Delivering } from './deliver.js';
import type { MonitorDeps } from './deps.js';

export interface FleetDesk
  extends Pick<MonitorDeps, 'client' | 'taskQueue' | 'alerts' | 'fleet'>, Pick<Delivering, 'ledger'> {
  readonly incidents: FleetIncidents;
}

/** What there is to tell. */
export interface Silence {
  /** One a monitor that is silent; none: all are here. */
  readonly findings: readonly Finding[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Numbers that are tried at a time where others are taken; the next tick goes on. */
const MOST_NUMBERS = 20;
/** Who acts: whichever monitor it is. */
const MONITOR = 'monitor';
/** A monitor that is back is watched for so long: silence in that time is the same incident. */
const STAYS_SECONDS = 3_600;
const SUMMARY_MOST = 1_000;
/** What a message to its workflow holds; the others are on record as findings. */
const TOLD_MOST = 20;
/** It holds whichever they are, as they come and go. */
const TITLE = 'Monitors are silent, and their models are not watched';

/** The newest incident, and what its workflow says of itself; null where it has none any more, or none yet. */
export interface SeenIncident extends FleetIncident {
  readonly phase: Described['phase'] | null;
}

export async function lookAtIncident(
  desk: Pick<FleetDesk, 'client' | 'incidents'>,
): Promise<SeenIncident | null> {
  const newest = await desk.incidents.newest();
  if (newest === null) return null;
  const isThere = newest.started && !newest.over;
  return { ...newest, phase: isThere ? (await describe(handleOf(desk, newest))).phase : null };
}

/**
 * While a monitor is silent there is an open incident, with a finding of each; when all are here there is none.
 * @param newest looked at before it was looked who is silent: what another monitor did since then is not undone
 */
export async function settle(desk: FleetDesk, newest: SeenIncident | null, silence: Silence): Promise<void> {
  const { findings, now } = silence;
  if (newest === null || newest.over) {
    if (findings.length > 0) await open(desk, newest?.incident ?? 0, findings);
    return;
  }
  // Whoever began it died before it was started: it is on record all the same.
  if (!newest.started) return startNewest(desk);
  const { phase } = newest;
  const handle = handleOf(desk, newest);
  if (phase === 'lost') await tellLost(desk, newest);
  if (phase === 'lost' || phase === 'over') {
    await desk.incidents.over(newest);
    return settle(desk, { ...newest, over: true }, silence);
  }
  if (findings.length === 0) {
    const reason = 'Every monitor is here. What closed meanwhile is evaluated';
    const gone = { windows: null, reason, at: new Date(now).toISOString() };
    if (phase === 'open') await say(() => effect('fleet.clear', () => handle.signal(incidentCleared, gone)));
    return;
  }
  const fresh = findings.filter(({ id }) => !newest.findings.includes(id));
  const told = phase === 'resolved' ? findings : fresh;
  if (told.length === 0) return;
  await say(() => effect('fleet.repeat', () => handle.signal(incidentRepeated, repeatOf(told, now))));
  await desk.incidents.attach(newest, idsOf(told));
}

async function open(desk: FleetDesk, after: number, findings: readonly Finding[]): Promise<void> {
  const { owner, contacts, settings } = desk.fleet;
  const [first] = findings;
  if (first === undefined) return;
  const input = {
    owner,
    // Nobody knows what the models are for that it is about.
    riskTier: 'high' as const,
    contacts,
    settings,
    windowSeconds: STAYS_SECONDS,
  };
  const opening: Omit<IncidentInput['opening'], 'incident'> = {
    model: FLEET_STREAM,
    origin: 'monitor-silent',
    cause: 'monitor-silent',
    severity: 'critical',
    title: TITLE,
    text: `When it was opened: ${inWords(findings)}`,
    findings: idsOf(findings).slice(0, TOLD_MOST),
    release: null,
    onset: earliest(findings),
    detectedAt: first.detectedAt,
  };
  await desk.incidents.begin(after, input, opening);
  await startNewest(desk);
}

const idsOf = (findings: readonly Finding[]): readonly string[] => findings.map(({ id }) => id);

const inWords = (findings: readonly Finding[]): string =>
  findings
    .map(({ summary }) => summary)
    .join('. ')
    .slice(0, SUMMARY_MOST);

function earliest(findings: readonly Finding[]): string | null {
  const onsets = findings.flatMap(({ onset }) => (onset?.estimate == null ? [] : [onset.estimate]));
  return onsets.toSorted()[0] ?? null;
}

const repeatOf = (findings: readonly Finding[], now: number): IncidentRepeat => ({
  findings: idsOf(findings).slice(0, TOLD_MOST),
  severity: 'critical',
  summary: inWords(findings),
  at: new Date(now).toISOString(),
  release: null,
});

/** Of an incident that was ended by hand, and cannot say so itself. */
async function tellLost(desk: FleetDesk, { input }: FleetIncident): Promise<void> {
  const { opening, settings } = input;
  const { entry, alert } = lostIncident(
    { model: FLEET_STREAM, by: MONITOR, settings },
    { ...opening, openedAt: opening.detectedAt, standing: 'open', holds: false },
    Date.now(),
  );
  await recordEntry(desk.ledger, entry);
  await sendAlert(desk.alerts, alert);
}

async function startNewest(desk: FleetDesk): Promise<void> {
  for (let tried = 0; tried < MOST_NUMBERS; tried += 1) {
    const incident = await desk.incidents.newest();
    if (incident === null || incident.started) return;
    if (await isStarted(desk, incident)) return desk.incidents.started(incident);
    await desk.incidents.renumber(incident);
  }
}

/** @returns false where its number is taken: by another installation in this namespace, or since MongoDB was put back to a time before */
async function isStarted(desk: FleetDesk, incident: FleetIncident): Promise<boolean> {
  const handle = handleOf(desk, incident);
  try {
    await effect('fleet.start', () => start(desk, incident));
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  const { finding, taskQueue, phase } = await describe(handle);
  if (taskQueue !== desk.taskQueue) return false;
  if (finding === incident.findings[0]) return true;
  // Nobody else would ever end it.
  const reason = 'It is not known to the database any more, which was put back to a time before it';
  const gone = { windows: null, reason, at: new Date().toISOString() };
  if (phase === 'open') await say(() => handle.signal(incidentCleared, gone));
  return false;
}

async function start({ client, taskQueue }: FleetDesk, { input, findings }: FleetIncident): Promise<void> {
  const how = incidentStart(input, { version: 'none', openedAt: new Date().toISOString() });
  const memo = { ...how.memo, finding: findings[0] ?? null };
  await client.workflow.start('incident', { ...how, memo, taskQueue, args: [input] });
}

/** One that has ended meanwhile hears nothing: the next tick sees that. */
async function say(signal: () => Promise<void>): Promise<void> {
  try {
    await signal();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

const handleOf = ({ client }: Pick<FleetDesk, 'client'>, { incident }: FleetIncident): WorkflowHandle =>
  client.workflow.getHandle(incidentWorkflowId(FLEET_STREAM, incident));

interface Described {
  /** `over`: it heeds no cause any more. `lost`: it was ended by hand while it was open. */
  readonly phase: 'open' | 'resolved' | 'over' | 'lost';
  /** The finding that it was opened for. */
  readonly finding: unknown;
  readonly taskQueue: string | null;
}

/** Statuses in which a workflow lives; PAUSED is not in all servers. */
const LIVES: readonly string[] = ['RUNNING', 'PAUSED'];

async function describe(handle: WorkflowHandle): Promise<Described> {
  try {
    const { status, memo, taskQueue, typedSearchAttributes } = await handle.describe();
    const stage = typedSearchAttributes.get(TenureStage);
    const said = { finding: memo?.['finding'], taskQueue };
    // It may wait for a receiver that is away, long after it is over.
    if (stage === 'over' || status.name === 'COMPLETED') return { phase: 'over', ...said };
    const isResolved = stage === 'resolved';
    if (LIVES.includes(status.name)) return { phase: isResolved ? 'resolved' : 'open', ...said };
    return { phase: isResolved ? 'over' : 'lost', ...said };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return { phase: 'lost', finding: null, taskQueue: null };
  }
}
