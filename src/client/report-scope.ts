import type { ReportScope } from '../contracts/report.js';
import { TenureError } from './errors.js';

const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { d: DAY_MS, h: 3_600_000 };
const DEFAULT_DAYS = 30;
const MOST_DAYS = 3_660;

export interface AskedScope {
  readonly since?: string;
  readonly until?: string;
  readonly model?: string;
  readonly team?: string;
}

/**
 * A report's scope from what somebody typed: dates are midnight UTC, `30d` and `12h` are so long before the end.
 * @param now epoch milliseconds: the end when none is named
 * @throws TenureError `invalid`
 */
export function reportScope({ since, until, model, team }: AskedScope, now: number): ReportScope {
  const end = until === undefined ? now : timeIn('--until', until, now);
  const start = since === undefined ? end - DEFAULT_DAYS * DAY_MS : timeIn('--since', since, end);
  if (end > now)
    throw new TenureError(
      'invalid',
      `--until is ${iso(end)}: it must not be in the future, which has no figures`,
    );
  if (!(start < end))
    throw new TenureError('invalid', `--since is ${iso(start)}: it must be before --until, ${iso(end)}`);
  if (end - start > MOST_DAYS * DAY_MS)
    throw new TenureError(
      'invalid',
      `--since is ${iso(start)}: at most ${MOST_DAYS} days before --until are reported`,
    );
  return { since: iso(start), until: iso(end), model: model ?? null, team: team ?? null };
}

const iso = (time: number): string => new Date(time).toISOString();

function timeIn(option: string, text: string, before: number): number {
  const [, amount, unit = ''] = /^(\d{1,5})([dh])$/.exec(text) ?? [];
  if (amount !== undefined) return before - Number(amount) * (UNIT_MS[unit] ?? 0);
  // Without a zone a time would mean another moment on each machine.
  const isPlain = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const value = isPlain ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(value))
    throw new TenureError(
      'invalid',
      `${option} is ${JSON.stringify(text)}: a date like 2026-11-01 (midnight UTC), a time like 2026-11-01T12:00:00Z, or 30d or 12h is needed`,
    );
  return value;
}
