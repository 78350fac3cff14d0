import {
  INCIDENT_ACTS,
  type IncidentClearance,
  type IncidentMitigation,
  type IncidentRepeat,
} from '../../contracts/incidents.js';

/** Signals cannot be refused, and anybody who may signal can send anything: what is not of the shape is let go. */
type Fields = Readonly<Record<string, unknown>>;

const TEXT = 2_000;
const MAX_FINDINGS = 20;

const isText = (value: unknown, longest = TEXT): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= longest;

const isTime = (value: unknown): value is string =>
  isText(value, 40) && /^\d{4}-\d{2}-\d{2}T/.test(value) && !Number.isNaN(Date.parse(value));

const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null ? (value as Fields) : null;

const isNumberOrNull = (value: unknown, least: number): boolean =>
  value === null || (Number.isSafeInteger(value) && (value as number) >= least);

export function isRepeat(value: unknown): value is IncidentRepeat {
  const fields = fieldsOf(value);
  if (fields === null) return false;
  const { findings, severity, summary, at, release } = fields;
  return (
    Array.isArray(findings) &&
    findings.length <= MAX_FINDINGS &&
    findings.every((finding) => isText(finding, 500)) &&
    ['info', 'warning', 'critical'].includes(String(severity)) &&
    isText(summary) &&
    isTime(at) &&
    isNumberOrNull(release, 1)
  );
}

export function isMitigation(value: unknown): value is IncidentMitigation {
  const fields = fieldsOf(value);
  return fields !== null && isText(fields['how']) && isTime(fields['at']);
}

export function isClearance(value: unknown): value is IncidentClearance {
  const fields = fieldsOf(value);
  return (
    fields !== null &&
    isNumberOrNull(fields['windows'], 0) &&
    isText(fields['reason']) &&
    isTime(fields['at'])
  );
}

/** What is wrong with a person's request; null when it is one. Whether it is possible now is decided elsewhere. */
export function requestProblem(value: unknown): string | null {
  const { requestId, actor, act, reason } = fieldsOf(value) ?? {};
  if (!isText(requestId, 200)) return 'requestId must be a text of 1 to 200 characters';
  if (!isText(actor, 200)) return 'actor must be a text of 1 to 200 characters';
  if (!INCIDENT_ACTS.some((known) => known === act)) return `act must be one of ${INCIDENT_ACTS.join(', ')}`;
  if (typeof reason !== 'string' || reason.length > TEXT)
    return `reason must be a text of at most ${TEXT} characters`;
  return act === 'acknowledge' || reason.trim() !== ''
    ? null
    : `reason must not be empty: it is for the record`;
}
