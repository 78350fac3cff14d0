import { ApplicationFailure } from '@temporalio/workflow';
import type { IncidentReport, Trouble } from '../../contracts/incidents.js';
import type {
  AbortRequest,
  ApplyManifestRequest,
  FreezeRequest,
  ReasonedRequest,
  ReconcileRequest,
  RegisterVersionRequest,
  Request,
  RollBackRequest,
  SubmitReleaseRequest,
} from '../../contracts/messages.js';
import { FINDING_KINDS, type FindingNotice, type MonitorReport } from '../../contracts/monitoring.js';
import { manifestProblem } from '../../lifecycle/manifest-shape.js';

/**
 * Validators of a model's updates: shape only, and synchronous. A refusal for a reason is decided in the handler, and recorded.
 * The types are what senders promise; anybody may send anything.
 */
type Fields = Readonly<Record<string, unknown>>;

const refuse = (problem: string): never => {
  throw ApplicationFailure.nonRetryable(problem, 'InvalidRequest');
};

function text(fields: Fields | null | undefined, name: string, longest: number, least = 1): void {
  const value = fields?.[name];
  if (typeof value !== 'string' || value.length < least || value.length > longest)
    refuse(`${name} must be a text of ${least} to ${longest} characters`);
}

function checkRequest(request: Request): Fields {
  const fields = request as unknown as Fields;
  text(fields, 'requestId', 200);
  text(fields, 'actor', 200);
  return fields;
}

const REASON = 2000;

export const apply =
  (model: string) =>
  (request: ApplyManifestRequest): void => {
    checkRequest(request);
    const problem = manifestProblem(request.manifest);
    if (problem !== null) refuse(`manifest${problem}`);
    if (request.manifest.name !== model)
      refuse(`manifest.name is ${request.manifest.name}: this is the workflow of ${model}`);
  };

export function register(request: RegisterVersionRequest): void {
  const fields = checkRequest(request);
  text(fields, 'version', 200);
  if (!/^[0-9a-f]{64}$/.test(String(fields['digest'])))
    refuse('digest must be 64 lower-case hexadecimal digits');
  if (typeof fields['lineage'] !== 'object' || fields['lineage'] === null)
    refuse('lineage must be an object');
}

export function submit(request: SubmitReleaseRequest): void {
  const fields = checkRequest(request);
  text(fields, 'version', 200);
  if (typeof fields['supersede'] !== 'boolean') refuse('supersede must be true or false');
}

export function rollBack(request: RollBackRequest): void {
  const fields = checkRequest(request);
  text(fields, 'reason', REASON, 0);
  if (fields['to'] !== undefined) text(fields, 'to', 200);
}

export function freeze(request: FreezeRequest): void {
  const fields = checkRequest(request);
  text(fields, 'reason', REASON, 0);
  const { until } = fields;
  if (until !== undefined && (typeof until !== 'string' || Number.isNaN(Date.parse(until))))
    refuse('until must be a time in ISO 8601, or absent');
}

export function abort(request: AbortRequest): void {
  const fields = checkRequest(request);
  text(fields, 'reason', REASON, 0);
  if (!Number.isSafeInteger(fields['release']) || (fields['release'] as number) < 1)
    refuse('release must be the number of a release');
}

export function reasoned(request: ReasonedRequest): void {
  text(checkRequest(request), 'reason', REASON, 0);
}

const MOST_FOUND = 50;

export function reconcile(request: ReconcileRequest): void {
  const fields = checkRequest(request);
  text(fields, 'reason', REASON, 0);
  const { found, lost, lostIncident } = fields;
  const isText = (one: unknown): boolean => typeof one === 'string' && one.length <= REASON;
  if (!Array.isArray(found) || found.length > MOST_FOUND || !found.every(isText))
    refuse(`found must be a list of at most ${MOST_FOUND} texts of at most ${REASON} characters`);
  if (lost !== undefined && !(Number.isSafeInteger(lost) && (lost as number) > 0))
    refuse('lost must be the number of a release, or absent');
  if (lostIncident !== undefined && !isCount(lostIncident, 1))
    refuse('lostIncident must be the number of an incident, or absent');
}

/** Signals cannot be refused: what is not of its shape is let go. */
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const isText = (value: unknown, longest: number): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= longest;

const isTime = (value: unknown): boolean =>
  isText(value, 40) && /^\d{4}-\d{2}-\d{2}T/.test(value) && !Number.isNaN(Date.parse(value));

const isCount = (value: unknown, least: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least;

const isSeverity = (value: unknown): boolean => ['info', 'warning', 'critical'].includes(String(value));

const isListOf = (value: unknown, most: number, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= most && value.every(isOne);

const MOST_FINDINGS = 20;
const MOST_CLEARED = 100;
const ID = 500;

function isNotice(value: unknown): value is FindingNotice {
  const { id, version, kind, cause, severity, summary, detectedAt, onset } = fieldsOf(value);
  const { version: name, digest } = fieldsOf(version);
  return (
    isText(id, ID) &&
    (version === null || (isText(name, 200) && isText(digest, 64))) &&
    FINDING_KINDS.some((known) => known === kind) &&
    isText(cause, 300) &&
    isSeverity(severity) &&
    isText(summary, REASON) &&
    isTime(detectedAt) &&
    (onset === null || isTime(onset))
  );
}

function isGone(value: unknown): boolean {
  const { cause, windows, at } = fieldsOf(value);
  return isText(cause, 300) && isCount(windows, 0) && isTime(at);
}

export function isMonitorReport(value: unknown): value is MonitorReport {
  const { findings, cleared } = fieldsOf(value);
  return isListOf(findings, MOST_FINDINGS, isNotice) && isListOf(cleared, MOST_CLEARED, isGone);
}

export function isTrouble(value: unknown): value is Trouble {
  const { release, origin, cause, severity, title, text: words, at, over } = fieldsOf(value);
  return (
    (release === null || isCount(release, 1)) &&
    (origin === 'failed-action' || origin === 'unverified') &&
    isText(cause, 300) &&
    isSeverity(severity) &&
    isText(title, REASON) &&
    isText(words, 10_000) &&
    isTime(at) &&
    typeof over === 'boolean'
  );
}

export function isIncidentReport(value: unknown): value is IncidentReport {
  const { incident, cause, phase, resolvedAt = null, byPerson = false, head } = fieldsOf(value);
  const { sequence, hash } = fieldsOf(head);
  return (
    isCount(incident, 1) &&
    isText(cause, 300) &&
    ['open', 'resolved', 'over'].includes(String(phase)) &&
    (resolvedAt === null || isTime(resolvedAt)) &&
    typeof byPerson === 'boolean' &&
    isCount(sequence, 0) &&
    typeof hash === 'string'
  );
}
