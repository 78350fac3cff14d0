import type { LedgerHead } from '../contracts/ledger.js';
import type { Manifest } from '../contracts/manifest.js';
import type { ModelHealth, VersionRef } from '../contracts/model.js';
import type { Championship, ModelView, ReleaseReport, ReleaseSummary } from '../contracts/views.js';
import { isBeforeCanary, isOutcome } from './stages.js';

/** Everything that a model's lifecycle workflow knows; plain JSON, carried over continue-as-new. */
export interface ModelState {
  readonly manifest: Manifest;
  readonly manifestRevision: number;
  readonly champion: VersionRef | null;
  readonly champions: readonly Championship[];
  readonly warm: readonly (VersionRef & { readonly until: string })[];
  readonly releases: readonly ReleaseSummary[];
  readonly nextRelease: number;
  readonly inFlight: number | null;
  readonly queue: readonly number[];
  readonly freeze: { readonly reason: string; readonly by: string; readonly until: string | null } | null;
  readonly retired: boolean;
  /** Acts that the main loop has still to do, in order. */
  readonly pending: readonly PendingAct[];
  readonly generation: number | null;
  readonly head: LedgerHead;
  /** The last answers by request id: the same request again gets the same answer, also across continue-as-new. */
  readonly answered: readonly { readonly requestId: string; readonly answer: unknown }[];
  readonly alarm: string | null;
}

export type PendingAct =
  /** A release ended without a word (terminated by hand): its traffic is taken back. */
  | {
      readonly kind: 'restore';
      readonly release: number;
      readonly reason: string;
      readonly requestId: string;
    }
  | {
      readonly kind: 'roll-back';
      readonly to: VersionRef;
      readonly by: string;
      readonly reason: string;
      readonly requestId: string;
    }
  | { readonly kind: 'retire'; readonly by: string; readonly reason: string; readonly requestId: string };

const MAX_ANSWERS = 200;
const MAX_RELEASES = 50;
const MAX_CHAMPIONS = 20;

export const initialModelState = (manifest: Manifest): ModelState => ({
  manifest,
  manifestRevision: 0,
  champion: null,
  champions: [],
  warm: [],
  releases: [],
  nextRelease: 1,
  inFlight: null,
  queue: [],
  freeze: null,
  retired: false,
  pending: [],
  generation: null,
  head: { sequence: 0, hash: '0'.repeat(64) },
  answered: [],
  alarm: null,
});

export const rememberAnswer = (state: ModelState, requestId: string, answer: unknown): ModelState => ({
  ...state,
  answered: [...state.answered, { requestId, answer }].slice(-MAX_ANSWERS),
});

export const release = (state: ModelState, number: number): ReleaseSummary | undefined =>
  state.releases.find((summary) => summary.release === number);

/** Why a version cannot be released now; null when it can. */
export function releaseRefusal(state: ModelState, version: VersionRef): string | null {
  if (state.retired) return `model ${state.manifest.name} is retired`;
  if (state.champion?.digest === version.digest)
    return `version ${version.version} is already in production as ${state.champion.version}`;
  const same = state.releases.find(
    (summary) =>
      summary.digest === version.digest &&
      (summary.release === state.inFlight || state.queue.includes(summary.release)),
  );
  return same === undefined ? null : `version ${version.version} is already in release ${same.release}`;
}

/** Queues a release. With `supersede`, older queued ones give way, and `abort` names one in flight that must. */
export function queueRelease(
  state: ModelState,
  request: {
    readonly version: VersionRef;
    readonly submittedBy: string;
    readonly supersede: boolean;
    readonly now: number;
  },
): {
  readonly state: ModelState;
  readonly release: number;
  readonly superseded: readonly number[];
  readonly abort: number | null;
} {
  const { version, submittedBy, supersede, now } = request;
  const number = state.nextRelease;
  const at = new Date(now).toISOString();
  const superseded = supersede ? state.queue : [];
  const flying = state.inFlight === null ? undefined : release(state, state.inFlight);
  const abort =
    supersede && flying !== undefined && isBeforeCanaryStage(flying.stage) ? flying.release : null;
  const summary: ReleaseSummary = {
    release: number,
    version: version.version,
    digest: version.digest,
    submittedBy,
    submittedAt: at,
    stage: 'queued',
    reason: null,
    endedAt: null,
  };
  const releases = state.releases.map((old) =>
    superseded.includes(old.release)
      ? { ...old, stage: 'superseded' as const, reason: `superseded by release ${number}`, endedAt: at }
      : old,
  );
  return {
    state: {
      ...state,
      nextRelease: number + 1,
      queue: [...state.queue.filter((queued) => !superseded.includes(queued)), number],
      releases: [summary, ...releases].slice(0, MAX_RELEASES),
    },
    release: number,
    superseded,
    abort,
  };
}

const isBeforeCanaryStage = (stage: ReleaseSummary['stage']): boolean =>
  stage === 'queued' || (stage !== 'superseded' && isBeforeCanary(stage));

/** The release that the main loop should start now, or null. */
export const nextToStart = (state: ModelState): number | null =>
  state.inFlight === null && !state.retired && state.pending.length === 0 ? (state.queue[0] ?? null) : null;

export const startRelease = (state: ModelState, number: number): ModelState => ({
  ...state,
  inFlight: number,
  queue: state.queue.filter((queued) => queued !== number),
  releases: state.releases.map((summary) =>
    summary.release === number ? { ...summary, stage: 'validating' as const } : summary,
  ),
});

/** Takes in what a release says of itself; late and repeated reports change nothing. */
export function applyReport(state: ModelState, report: ReleaseReport): ModelState {
  const summary = release(state, report.release);
  if (summary === undefined || summary.endedAt !== null)
    return { ...state, head: newer(state.head, report.head) };
  const ended = isOutcome(report.stage);
  const releases = state.releases.map((old) =>
    old.release === report.release
      ? { ...old, stage: report.stage, reason: report.reason, endedAt: ended ? report.at : null }
      : old,
  );
  const next: ModelState = {
    ...state,
    releases,
    inFlight: ended && state.inFlight === report.release ? null : state.inFlight,
    generation: report.generation ?? state.generation,
    head: newer(state.head, report.head),
    alarm: report.stage === 'succeeded' ? null : state.alarm,
  };
  return changeChampion(next, report.champion, report.release, Date.parse(report.at));
}

/** What a release that ended without a word is taken to be. */
export const abandonRelease = (
  state: ModelState,
  number: number,
  reason: string,
  now: number,
): ModelState => ({
  ...state,
  inFlight: state.inFlight === number ? null : state.inFlight,
  releases: state.releases.map((old) =>
    old.release === number && old.endedAt === null
      ? { ...old, stage: 'aborted' as const, reason, endedAt: new Date(now).toISOString() }
      : old,
  ),
});

/** Every queued release gives way. */
export const clearQueue = (state: ModelState, reason: string, now: number): ModelState => ({
  ...state,
  queue: [],
  releases: state.releases.map((old) =>
    state.queue.includes(old.release)
      ? { ...old, stage: 'superseded' as const, reason, endedAt: new Date(now).toISOString() }
      : old,
  ),
});

/** Records who serves from now on; the former champion stays warm for the rollback window. */
export function changeChampion(
  state: ModelState,
  champion: VersionRef | null,
  releaseNumber: number,
  now: number,
): ModelState {
  if (champion?.digest === state.champion?.digest) return state;
  const at = new Date(now).toISOString();
  const until = new Date(now + state.manifest.rollbackWindowSeconds * 1000).toISOString();
  const closed = state.champions.map((past) => (past.until === null ? { ...past, until: at } : past));
  const former = state.champion;
  const warm = [
    ...(former === null ? [] : [{ version: former.version, digest: former.digest, until }]),
    ...state.warm.filter((kept) => kept.digest !== former?.digest),
  ].filter((kept) => kept.digest !== champion?.digest);
  return {
    ...state,
    champion: champion === null ? null : { version: champion.version, digest: champion.digest },
    champions:
      champion === null
        ? closed
        : [
            {
              version: champion.version,
              digest: champion.digest,
              release: releaseNumber,
              since: at,
              until: null,
            },
            ...closed,
          ].slice(0, MAX_CHAMPIONS),
    warm,
  };
}

/** The former champion to go back to: the one named, else the newest that is not serving. */
export function rollBackTarget(
  state: ModelState,
  to: string | undefined,
): { readonly target: VersionRef } | { readonly refusal: string } {
  const former = state.champions.filter((past) => past.digest !== state.champion?.digest);
  if (state.retired) return { refusal: `model ${state.manifest.name} is retired` };
  if (to !== undefined && state.champion?.version === to) return { refusal: `version ${to} already serves` };
  const target = to === undefined ? former[0] : former.find((past) => past.version === to);
  if (target !== undefined) return { target: { version: target.version, digest: target.digest } };
  const names = [...new Set(former.map((past) => past.version))];
  if (to === undefined) return { refusal: 'there is no former champion to go back to' };
  return {
    refusal: `version ${to} has not been champion; former champions: ${names.length === 0 ? '(none)' : names.join(', ')}`,
  };
}

/** Former champions whose rollback window has ended by `now`. */
export const expiredWarm = (state: ModelState, now: number): readonly VersionRef[] =>
  state.warm.filter((kept) => Date.parse(kept.until) <= now);

/** Whether promotion is held back at `now`. */
export const isFrozen = (state: ModelState, now: number): boolean =>
  state.freeze !== null && (state.freeze.until === null || Date.parse(state.freeze.until) > now);

/** The next moment at which the main loop has something to do by the clock, epoch milliseconds. */
export function nextDeadline(state: ModelState): number | null {
  const times = [
    ...state.warm.map((kept) => Date.parse(kept.until)),
    ...(typeof state.freeze?.until === 'string' ? [Date.parse(state.freeze.until)] : []),
  ];
  return times.length === 0 ? null : Math.min(...times);
}

export function modelHealth(state: ModelState, now: number): ModelHealth {
  if (state.retired) return 'retired';
  if (state.alarm !== null) return 'alarm';
  if (isFrozen(state, now)) return 'frozen';
  if (state.champion === null) return 'no-champion';
  const first = state.releases.find((summary) => summary.release === state.inFlight);
  const probationary = first?.stage === 'soaking' && state.champions.length === 1;
  return probationary ? 'probationary' : 'healthy';
}

export function modelView(state: ModelState, now: number): ModelView {
  const {
    manifest,
    manifestRevision,
    champion,
    champions,
    warm,
    releases,
    inFlight,
    queue,
    generation,
    head,
  } = state;
  return {
    model: manifest.name,
    manifest,
    manifestRevision,
    health: modelHealth(state, now),
    champion,
    champions,
    warm,
    releases,
    inFlight,
    queue,
    freeze: isFrozen(state, now) ? state.freeze : null,
    generation,
    head,
    waitingFor: waitingFor(state),
  };
}

function waitingFor(state: ModelState): string {
  const act = state.pending[0];
  if (act !== undefined) return describeAct(act);
  if (state.retired) return 'retired';
  if (state.inFlight !== null) return `release ${state.inFlight} is in flight`;
  return state.champion === null ? 'the first release' : 'the next release';
}

export function describeAct(act: PendingAct): string {
  switch (act.kind) {
    case 'restore':
      return `restoring the champion after release ${act.release}`;
    case 'roll-back':
      return `rolling back to ${act.to.version}`;
    case 'retire':
      return 'retiring';
  }
}

export const newer = (a: LedgerHead, b: LedgerHead): LedgerHead => (b.sequence > a.sequence ? b : a);
