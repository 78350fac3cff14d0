import type { RecordedEnd } from '../contracts/activities.js';
import type { ReleaseReport } from '../contracts/views.js';
import { changeChampion, championBefore, takeBack } from './champions.js';
import { newer, release, type ModelState } from './model-state.js';
import { isBeforeCanary, isOutcome, isStage } from './stages.js';

/** What keeps a report from being looked at: anybody who may signal can send anything. Null when the shape is right. */
export function reportProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'a report is an object';
  const {
    release: number,
    stage,
    at,
    reason,
    champion,
    former,
    generation,
    head,
  } = value as Partial<Record<keyof ReleaseReport, unknown>>;
  if (!isCount(number)) return 'release must be a whole number';
  if (!isStage(stage)) return 'stage is not one of a release';
  if (typeof at !== 'string' || Number.isNaN(Date.parse(at))) return 'at must be a time';
  if (reason !== null && typeof reason !== 'string') return 'reason must be a text or null';
  if (!isVersionOrNull(champion)) return 'champion must be a version or null';
  if (!isVersionOrNull(former)) return 'former must be a version or null';
  if (generation !== null && !isCount(generation)) return 'generation must be a whole number or null';
  const { sequence, hash } = (head ?? {}) as { sequence?: unknown; hash?: unknown };
  return isCount(sequence) && typeof hash === 'string' ? null : 'head must have a sequence and a hash';
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isVersionOrNull = (value: unknown): boolean => {
  if (value === null) return true;
  const { version, digest } = (value ?? {}) as { version?: unknown; digest?: unknown };
  return typeof version === 'string' && typeof digest === 'string';
};

/** Takes in what a release says of itself; late and repeated reports, and those of unknown releases, change nothing. */
export function applyReport(state: ModelState, report: ReleaseReport): ModelState {
  const summary = release(state, report.release);
  if (summary === undefined || summary.stage === 'queued') return state;
  const ended = isOutcome(report.stage);
  if (summary.endedAt !== null || (summary.stage === 'soaking' && !ended && report.stage !== 'soaking'))
    return { ...state, head: newer(state.head, report.head) };
  const releases = state.releases.map((old) =>
    old.release === report.release
      ? { ...old, stage: report.stage, reason: report.reason, endedAt: ended ? report.at : null }
      : old,
  );
  const flying = state.inFlight === report.release;
  const next: ModelState = {
    ...state,
    releases,
    inFlight: ended && flying ? null : state.inFlight,
    exposed: flying && !ended && (state.exposed || !isBeforeCanary(report.stage)),
    generation: report.generation ?? state.generation,
    head: newer(state.head, report.head),
    alarm: report.stage === 'succeeded' ? null : state.alarm,
  };
  const at = Date.parse(report.at);
  return ended && report.stage !== 'succeeded'
    ? takeBack(next, report.champion, at)
    : changeChampion(next, report.champion, report.release, at);
}

/** A release that ended without a word, and whose end is in the ledger. */
export function adoptEnd(state: ModelState, number: number, end: RecordedEnd, now: number): ModelState {
  const summary = release(state, number);
  if (summary === undefined) return state;
  const { version, digest } = summary;
  return applyReport(state, {
    release: number,
    stage: end.outcome,
    at: new Date(now).toISOString(),
    reason: `by its record: ${end.outcome}`,
    champion: end.outcome === 'succeeded' ? { version, digest } : championBefore(state, number),
    former: null,
    generation: end.generation,
    head: state.head,
  });
}

/** What a release that ended without a word is taken to be: aborted, with the champion before it serving. */
export function abandonRelease(state: ModelState, number: number, reason: string, now: number): ModelState {
  const before = championBefore(state, number);
  const next: ModelState = {
    ...state,
    inFlight: state.inFlight === number ? null : state.inFlight,
    exposed: state.inFlight === number ? false : state.exposed,
    releases: state.releases.map((old) =>
      old.release === number && old.endedAt === null
        ? { ...old, stage: 'aborted' as const, reason, endedAt: new Date(now).toISOString() }
        : old,
    ),
  };
  return takeBack(next, before, now);
}
