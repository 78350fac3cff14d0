/**
 * The incident of what belongs to no model. A model's workflow opens the incidents of the model; here it is whichever monitor notices, so
 * what was said and what is still to be said stands in MongoDB, and every step is the same in every try.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { incidentWorkflowId } from '../../contracts/ids.js';
import type { IncidentInput } from '../../contracts/incidents.js';
import { FLEET_STREAM } from '../../contracts/ledger.js';
import { incidentCleared, incidentRepeated } from '../../contracts/messages.js';
import type { Finding } from '../../contracts/monitoring.js';
import {
  TenureHealth,
  TenureModel,
  TenureOwner,
  TenureRiskTier,
  TenureStage,
  TenureVersion,
} from '../../contracts/search-attributes.js';
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

/** What happened; findings of one cause are one incident. */
export interface FleetHappening {
  readonly cause: string;
  readonly finding: Finding;
  readonly title: string;
}

/** Each moves it one step on, and several monitors may be at it at once. */
const MOST_STEPS = 20;
/** Who acts: whichever monitor it is. */
const MONITOR = 'monitor';

/** Opens an incident, or attaches the finding to the one that its cause has. A finding that it knows changes nothing. */
export async function raise(desk: FleetDesk, happening: FleetHappening): Promise<void> {
  await letGo(desk, happening.cause);
  for (let step = 0; step < MOST_STEPS; step += 1) if (await isRaised(desk, happening)) return;
  throw new Error(
    `The incident of ${happening.finding.id} changes as fast as it is looked at: the next tick tries again`,
  );
}

async function isRaised(desk: FleetDesk, { cause, finding, title }: FleetHappening): Promise<boolean> {
  const { incidents } = desk;
  const newest = await incidents.newest(cause);
  const known = newest?.findings.includes(finding.id) === true;
  if (newest === null || newest.standing === 'over') {
    // One that somebody ended by hand while its cause was there.
    if (known) return true;
    await incidents.begin(cause, finding.id, (incident) => inputOf(desk, incident, cause, finding, title));
    return false;
  }
  if (!known) {
    await incidents.attach(newest, finding.id);
    return false;
  }
  if (newest.told.includes(finding.id)) return true;
  if (!(await isStarted(desk, newest)) || newest.findings[0] === finding.id) return false;
  const { id, severity, summary, detectedAt } = finding;
  const again = { findings: [id], severity, summary, at: detectedAt, release: null };
  const isThere = await said(() =>
    effect('fleet.repeat', () => handleOf(desk, newest).signal(incidentRepeated, again)),
  );
  if (isThere) await incidents.told(newest, id);
  else await letGo(desk, cause);
  return isThere;
}

/** The cause is gone: it is resolved, unless it is by now. @param now epoch milliseconds */
export async function clear(desk: FleetDesk, cause: string, reason: string, now: number): Promise<void> {
  await letGo(desk, cause);
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const newest = await desk.incidents.newest(cause);
    if (newest?.standing !== 'open') return;
    // One that nobody came to start is on record all the same.
    if (newest.told.length === 0) {
      await isStarted(desk, newest);
      continue;
    }
    const gone = { windows: null, reason, at: new Date(now).toISOString() };
    const isThere = await said(() =>
      effect('fleet.clear', () => handleOf(desk, newest).signal(incidentCleared, gone)),
    );
    if (isThere) await desk.incidents.resolved(newest);
    else await letGo(desk, cause);
    return;
  }
}

/** Notes that its workflow has ended; one that was ended by hand cannot say so itself. */
async function letGo(desk: FleetDesk, cause: string): Promise<void> {
  const newest = await desk.incidents.newest(cause);
  if (newest === null || newest.standing === 'over' || newest.told.length === 0) return;
  const { status } = await describe(handleOf(desk, newest));
  if (status === 'RUNNING') return;
  const { findings, told, standing } = newest;
  // One that was resolved may simply be over.
  if (standing === 'open' && status !== 'COMPLETED') await tellLost(desk, newest);
  await desk.incidents.over(
    newest,
    findings.filter((finding) => !told.includes(finding)),
  );
}

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

/** @returns false where its number turned out to be somebody else's, and it has another now */
async function isStarted(desk: FleetDesk, incident: FleetIncident): Promise<boolean> {
  const [first] = incident.findings;
  if (first === undefined || incident.told.includes(first)) return true;
  try {
    await effect('fleet.start', () => start(desk, incident, first));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Another installation in this namespace, or one whose database was put back to a time before.
    const { finding, taskQueue } = await describe(handleOf(desk, incident));
    if (finding !== first || taskQueue !== desk.taskQueue) {
      await desk.incidents.renumber(incident);
      return false;
    }
  }
  await desk.incidents.told(incident, first);
  return true;
}

async function start(
  { client, taskQueue }: FleetDesk,
  { incident, input }: FleetIncident,
  finding: string,
): Promise<void> {
  const { opening, owner, riskTier } = input;
  await client.workflow.start('incident', {
    workflowId: incidentWorkflowId(FLEET_STREAM, incident),
    taskQueue,
    args: [input],
    // One that was over before this was noted is not opened a second time.
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: `${FLEET_STREAM}: ${opening.title}`.slice(0, 200),
    memo: { title: opening.title.slice(0, 500), openedAt: new Date().toISOString(), finding },
    typedSearchAttributes: [
      { key: TenureModel, value: FLEET_STREAM },
      { key: TenureStage, value: 'open' },
      { key: TenureVersion, value: 'none' },
      { key: TenureRiskTier, value: riskTier },
      { key: TenureOwner, value: owner },
      { key: TenureHealth, value: opening.severity },
    ],
  });
}

/** @returns false when the workflow is not there any more */
async function said(signal: () => Promise<void>): Promise<boolean> {
  try {
    await signal();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

const handleOf = ({ client }: FleetDesk, { incident }: FleetIncident): WorkflowHandle =>
  client.workflow.getHandle(incidentWorkflowId(FLEET_STREAM, incident));

interface Described {
  /** `none`: Temporal knows nothing of it. */
  readonly status: string;
  /** The finding that it was opened for. */
  readonly finding: unknown;
  readonly taskQueue: string | null;
}

async function describe(handle: WorkflowHandle): Promise<Described> {
  try {
    const { status, memo, taskQueue } = await handle.describe();
    return { status: status.name, finding: memo?.['finding'], taskQueue };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { status: 'none', finding: null, taskQueue: null };
    throw error;
  }
}

function inputOf(
  { fleet }: FleetDesk,
  incident: number,
  cause: string,
  finding: Finding,
  title: string,
): IncidentInput {
  const { owner, contacts, settings } = fleet;
  const { id, severity, summary, detectedAt, onset } = finding;
  return {
    opening: {
      model: FLEET_STREAM,
      incident,
      origin: 'monitor-silent',
      cause,
      severity,
      title,
      text: summary,
      findings: [id],
      release: null,
      onset: onset?.estimate ?? null,
      detectedAt,
    },
    owner,
    // Nobody knows what the models are for that it is about.
    riskTier: 'high',
    contacts,
    settings,
    windowSeconds: STAYS_SECONDS,
  };
}

/** A monitor that is back is watched for so long: silence in that time is the same incident. */
const STAYS_SECONDS = 3_600;
