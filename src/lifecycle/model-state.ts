import type { LedgerHead } from '../contracts/ledger.js';
import type { Manifest } from '../contracts/manifest.js';
import type { VersionRef } from '../contracts/model.js';
import type { ModelIncidents } from './incidents-state.js';
import type { RetrainingReport } from '../contracts/retraining.js';
import type { Championship, ReleaseSummary } from '../contracts/views.js';
import type { RetrainingState } from './retraining-state.js';
import { isBeforeCanary } from './stages.js';

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
  /** The release in flight has sent users to its candidate: too late to be superseded, whatever it waits for. */
  readonly exposed: boolean;
  readonly queue: readonly number[];
  readonly freeze: { readonly reason: string; readonly by: string; readonly until: string | null } | null;
  readonly retired: boolean;
  /** Acts that the main loop has still to do, in order. */
  readonly pending: readonly PendingAct[];
  readonly generation: number | null;
  readonly head: LedgerHead;
  /** The last answers by request id: the same request again gets the same answer, also across continue-as-new. */
  readonly answered: readonly Answered[];
  readonly alarm: string | null;
  /** Absent before the first: see lifecycle/model-incidents.ts. */
  readonly incidents?: ModelIncidents;
  /** Absent until something asks for a retraining: see lifecycle/retraining.ts. */
  readonly retraining?: RetrainingState;
  /** What a retraining reported and is not done yet. */
  readonly retrained?: RetrainingReport;
}

export interface Answered {
  readonly requestId: string;
  /** The message that it answered: an id belongs to one message only. */
  readonly message: string;
  readonly answer: unknown;
}

/** `at`: when it was first attempted, ISO 8601, and null before: records of the act carry it, so that a repeat records the same. */
export type PendingAct = { readonly at: string | null } &
  /** A release ended without a word (terminated by hand): its traffic is taken back. */
  (
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
        /** What asked for it, when it was no person. */
        readonly finding?: string;
        readonly incident?: number;
      }
    | { readonly kind: 'retire'; readonly by: string; readonly reason: string; readonly requestId: string }
    /** The routing table is set again from this state. */
    | {
        readonly kind: 'realign';
        readonly by: string;
        readonly reason: string;
        readonly found: readonly string[];
        readonly requestId: string;
      }
  );

const MAX_ANSWERS = 200;
export const MAX_RELEASES = 50;
const MAX_QUEUE = 20;

export const initialModelState = (manifest: Manifest): ModelState => ({
  manifest,
  manifestRevision: 0,
  champion: null,
  champions: [],
  warm: [],
  releases: [],
  nextRelease: 1,
  inFlight: null,
  exposed: false,
  queue: [],
  freeze: null,
  retired: false,
  pending: [],
  generation: null,
  head: { sequence: 0, hash: '0'.repeat(64) },
  answered: [],
  alarm: null,
});

export const rememberAnswer = (state: ModelState, answered: Answered): ModelState => ({
  ...state,
  answered: [...state.answered, answered].slice(-MAX_ANSWERS),
});

/** Retired, or about to be. */
export const isRetiring = (state: ModelState): boolean =>
  state.retired || state.pending.some(({ kind }) => kind === 'retire');

export const release = (state: ModelState, number: number): ReleaseSummary | undefined =>
  state.releases.find((summary) => summary.release === number);

/** Why a version cannot be released now; null when it can. */
export function releaseRefusal(state: ModelState, version: VersionRef, supersede: boolean): string | null {
  if (isRetiring(state)) return `model ${state.manifest.name} is retired`;
  if (state.champion?.digest === version.digest)
    return `version ${version.version} is already in production as ${state.champion.version}`;
  const same = state.releases.find(
    (summary) =>
      summary.digest === version.digest &&
      (summary.release === state.inFlight || state.queue.includes(summary.release)),
  );
  if (same !== undefined) return `version ${version.version} is already in release ${same.release}`;
  return supersede || state.queue.length < MAX_QUEUE
    ? null
    : `${MAX_QUEUE} releases are queued already: wait for one to end, or supersede them`;
}

/** Queues a release. With `supersede`, older queued ones give way, and `abort` names one in flight that must. */
export function queueRelease(
  state: ModelState,
  request: {
    readonly version: VersionRef;
    readonly submittedBy: string;
    readonly supersede: boolean;
    readonly now: number;
    readonly retraining?: number;
  },
): {
  readonly state: ModelState;
  readonly release: number;
  readonly superseded: readonly number[];
  readonly abort: number | null;
} {
  const { version, submittedBy, supersede, now, retraining } = request;
  const number = state.nextRelease;
  const at = new Date(now).toISOString();
  const superseded = supersede ? state.queue : [];
  const flying = state.inFlight === null ? undefined : release(state, state.inFlight);
  const abort =
    supersede && flying !== undefined && !state.exposed && isBeforeCanaryStage(flying.stage)
      ? flying.release
      : null;
  const summary: ReleaseSummary = {
    release: number,
    version: version.version,
    digest: version.digest,
    submittedBy,
    submittedAt: at,
    stage: 'queued',
    reason: null,
    endedAt: null,
    ...(retraining === undefined ? {} : { retraining }),
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
      releases: bounded([summary, ...releases]),
    },
    release: number,
    superseded,
    abort,
  };
}

/** The newest; and what has not ended, however old: it is still to be started or heard of. */
const bounded = (releases: readonly ReleaseSummary[]): readonly ReleaseSummary[] =>
  releases.filter((summary, index) => index < MAX_RELEASES || summary.endedAt === null);

const isBeforeCanaryStage = (stage: ReleaseSummary['stage']): boolean =>
  stage === 'queued' || (stage !== 'superseded' && isBeforeCanary(stage));

/** The release that the main loop should start now, or null. */
export const nextToStart = (state: ModelState): number | null =>
  state.inFlight === null && !state.retired && state.pending.length === 0 ? (state.queue[0] ?? null) : null;

export const startRelease = (state: ModelState, number: number): ModelState => ({
  ...state,
  inFlight: number,
  exposed: false,
  queue: state.queue.filter((queued) => queued !== number),
  releases: state.releases.map((summary) =>
    summary.release === number ? { ...summary, stage: 'validating' as const } : summary,
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

/** A queued release that people have aborted. */
export const dropQueued = (state: ModelState, number: number, reason: string, now: number): ModelState => ({
  ...state,
  queue: state.queue.filter((queued) => queued !== number),
  releases: state.releases.map((old) =>
    old.release === number
      ? { ...old, stage: 'aborted' as const, reason, endedAt: new Date(now).toISOString() }
      : old,
  ),
});

/** Former champions whose rollback window has ended by `now`. */
export const expiredWarm = (state: ModelState, now: number): readonly VersionRef[] =>
  state.warm.filter((kept) => Date.parse(kept.until) <= now);

/** Whether promotion is held back at `now`. */
export const isFrozen = (state: ModelState, now: number): boolean =>
  state.freeze !== null && (state.freeze.until === null || Date.parse(state.freeze.until) > now);

/** The next moment at which the main loop has something to do by the clock, epoch milliseconds. */
export function nextDeadline(state: ModelState): number | null {
  // While a release is in flight the traffic is the release's: former champions are unloaded after it.
  const warm = state.inFlight === null && !state.retired ? state.warm : [];
  const times = [
    ...warm.map((kept) => Date.parse(kept.until)),
    ...(typeof state.freeze?.until === 'string' ? [Date.parse(state.freeze.until)] : []),
  ];
  return times.length === 0 ? null : Math.min(...times);
}

export const newer = (a: LedgerHead, b: LedgerHead): LedgerHead => (b.sequence > a.sequence ? b : a);
