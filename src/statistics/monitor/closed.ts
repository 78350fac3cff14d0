/** One closed window: every kind of monitor that has what it needs. */
import { checkWindow } from '../profile/check.js';
import { mergeWindows } from '../profile/merge.js';
import type { WindowCounts } from '../profile/types.js';
import {
  added,
  addLabels,
  carryLate,
  inTime,
  saidLate,
  withoutUnjudged,
  addUnjudged,
  isUnjudged,
} from './late.js';
import { total } from '../drift/checks.js';
import { availabilityStanding } from './availability.js';
import { judgeDrift } from './drift.js';
import { NO_ERRORS } from './error-onset.js';
import { judgeLatency } from './latency.js';
import { inputPairs, predictionPairs } from './pairs.js';
import { judgeEstimated, judgePerformance, withoutScore } from './performance.js';
import { judgeQuality } from './quality.js';
import type {
  Based,
  DetectorState,
  Judged,
  LateRows,
  MonitoredProfile,
  MonitoredWindow,
  MonitorInput,
} from './types.js';
import { judgeVolume } from './volume.js';

/** A difference in the first judged windows of a version was there from its start: it is skew, not drift. */
const SKEW_WINDOWS = 3;
/** Windows whose scores are kept, for the onset. */
const SCORES_MOST = 48;

export interface Step {
  readonly state: DetectorState;
  readonly drafts: readonly Based[];
  readonly standing: Map<string, 'gone' | 'present'>;
}

export function judgeClosed(input: MonitorInput, before: DetectorState, window: MonitoredWindow): Step {
  const { settings, objectives } = input;
  const { open } = before;
  const { from, to } = window;
  const latency = judgeLatency({
    settings,
    objectives,
    latency: window.latency,
    before: before.latency,
    open,
    from,
    to,
  });
  const volume = judgeVolume(settings, before.volume, window, open);
  const availability = availabilityStanding(settings, objectives, window, open, before.requests ?? null);
  const features = judgeFeatures(
    input,
    { ...before, latency: latency.moments, volume: volume.volume },
    window,
  );
  const judged: (Judged & { readonly basis: unknown })[] = [
    ...features.judged,
    { ...latency, basis: window.latency },
    { ...volume, basis: { history: volume.volume.history } },
    { ...availability, basis: null },
  ];
  return {
    state: {
      ...features.state,
      requests: availability.carried,
      unjudged: features.isJudged ? (before.unjudged ?? []) : addUnjudged(before.unjudged ?? [], from, to),
      evaluatedTo: to,
      waiting: judged.flatMap(({ waiting }) => waiting),
    },
    drafts: judged.flatMap(({ drafts, basis }) => drafts.map((draft) => ({ ...draft, basis }))),
    standing: new Map(judged.flatMap(({ standing }) => [...standing])),
  };
}

/**
 * Rows that came late. Where their window had no judgement of its own, they are its first; where it had one, or they are too few, they
 * are judged with the next window's. They say nothing of whether a cause is over: it is not then.
 */
export function judgeLate(
  input: MonitorInput,
  before: DetectorState,
  { from, to, features }: LateRows,
): Step & { readonly problem: string | null } {
  const { profile, settings } = input;
  const step = (state: DetectorState, problem: string | null = null) => ({
    state,
    drafts: [],
    standing: new Map(),
    problem,
  });
  if (profile === null || features === null) return step(before);
  const fitting = gather(profile, null, { from, features });
  if (typeof fitting === 'string') return step(before, `Rows that came late are not judged: ${fitting}`);
  const state = { ...before, labels: addLabels(before.labels, features.score, from) };
  if (features.rows === 0) return step(state);
  if (features.rows < settings.minRows || !isUnjudged(before.unjudged ?? [], from, to)) {
    const all = gather(profile, state.carried, { from, features });
    const counts = typeof all === 'string' ? null : all.counts;
    return step(
      counts === null
        ? state
        : { ...state, carried: carryLate(state.carried, { from, rows: features.rows }, counts) },
    );
  }
  const { state: next, judged } = judgeRows(input, profile, state, {
    from,
    to,
    counts: features,
    late: features.rows,
  });
  const unjudged = withoutUnjudged(before.unjudged ?? [], from, to);
  return {
    state: { ...next, unjudged },
    drafts: judged.flatMap(({ drafts, basis }) => drafts.map((draft) => ({ ...draft, basis }))),
    standing: new Map(),
    problem: null,
  };
}

interface FeatureStep {
  readonly state: DetectorState;
  /** Whether the window's rows were enough. */
  readonly isJudged: boolean;
  readonly judged: readonly (Judged & { readonly basis: unknown })[];
}

const waitingFor = (...waiting: readonly string[]): FeatureStep['judged'] => [
  { drafts: [], standing: new Map(), waiting, basis: null },
];

/** What needs a reference profile, on the window's rows and those that were carried into it. */
function judgeFeatures(input: MonitorInput, state: DetectorState, window: MonitoredWindow): FeatureStep {
  const { profile, settings, version } = input;
  if (profile === null) {
    const whose = version === null ? 'nobody serves' : `version ${version.version} has none`;
    return {
      state,
      isJudged: false,
      judged: waitingFor(`drift, quality and performance: a reference profile, ${whose}`),
    };
  }
  const gathered = gather(profile, state.carried, window);
  if (typeof gathered === 'string') {
    return { state, isJudged: false, judged: waitingFor(`drift, quality and performance: ${gathered}`) };
  }
  const { from, counts } = gathered;
  const labels = judgeLabels(input, profile, state, window);
  if (counts === null || counts.rows < settings.minRows) {
    const { late = 0 } = state.carried ?? {};
    const carried = counts === null ? null : { from, counts, ...(late > 0 ? { late } : {}) };
    const rows = counts?.rows ?? 0;
    const what =
      profile.profile.score === null ? 'drift and quality' : 'drift, quality and estimated performance';
    return {
      state: { ...labels.state, carried },
      isJudged: false,
      judged: [...waitingFor(`${what}: ${rows} of ${settings.minRows} rows`), ...labels.judged],
    };
  }
  const { late = 0 } = state.carried ?? {};
  const rows = { from, to: window.to, counts, late };
  const { state: next, judged } = judgeRows(input, profile, labels.state, rows);
  return {
    state: { ...next, carried: null },
    isJudged: true,
    judged: [...judged, ...labels.judged],
  };
}

interface EnoughRows {
  readonly from: number;
  readonly to: number;
  readonly counts: WindowCounts;
  /** So many of them came late. */
  readonly late: number;
}

/** Everything that is asked of rows, when there are enough. */
function judgeRows(
  { settings }: MonitorInput,
  profile: MonitoredProfile,
  state: DetectorState,
  { from, to, counts, late }: EnoughRows,
): Omit<FeatureStep, 'isJudged'> {
  const times = [...state.times, from];
  const shared = { settings, open: state.open, times, from, to } as const;
  const drift = judgeDrift({
    ...shared,
    group: 'drift',
    kind: state.judged < SKEW_WINDOWS ? 'skew' : 'data-drift',
    pairs: inputPairs(profile, counts, settings.ignore),
    watches: state.watches.drift,
  });
  const prediction = judgeDrift({
    ...shared,
    group: 'prediction',
    kind: 'prediction-drift',
    pairs: predictionPairs(profile, counts),
    watches: state.watches.prediction,
  });
  const quality = judgeQuality({ ...shared, profile, counts });
  const { errors = NO_ERRORS } = state;
  const performance = judgeEstimated({ ...shared, before: errors.estimated }, profile, counts);
  const inOrder = inTime(times, { drift: drift.watches, prediction: prediction.watches });
  const recent = <T>(values: readonly T[]): readonly T[] =>
    values.length > SCORES_MOST ? values.slice(-SCORES_MOST) : values;
  const trimmed = (watches: typeof drift.watches) =>
    watches.map((watch) => ({ ...watch, scores: recent(watch.scores) }));
  return {
    state: {
      ...state,
      judged: state.judged + (drift.judged || prediction.judged ? 1 : 0),
      times: recent(inOrder.times),
      watches: { drift: trimmed(inOrder.watches.drift), prediction: trimmed(inOrder.watches.prediction) },
      errors: { ...errors, estimated: performance.errors },
    },
    judged: [drift, prediction, quality, performance].map((one) => ({
      ...one,
      drafts: one.drafts.map((draft) => ({ ...draft, summary: saidLate(draft.summary, late) })),
      basis: counts,
    })),
  };
}

/** The window's rows with those that were carried; in words, why they cannot be used. */
function gather(
  { digest, profile }: MonitoredProfile,
  carried: DetectorState['carried'],
  { features, from }: Pick<MonitoredWindow, 'features' | 'from'>,
): { readonly from: number; readonly counts: WindowCounts | null } | string {
  if (features === null) return { from: carried?.from ?? from, counts: carried?.counts ?? null };
  if (features.profile !== digest) return 'windows were counted in the bins of another profile';
  try {
    checkWindow(profile, features);
    if (carried === null) return { from, counts: features };
    return { from: Math.min(carried.from, from), counts: mergeWindows(carried.counts, features) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `counts that fit the profile: ${error.message}`;
  }
}

/** Labels come when they come: they are gathered until there are enough, whatever the windows' rows are. */
function judgeLabels(
  { settings }: MonitorInput,
  profile: MonitoredProfile,
  state: DetectorState,
  { features, from, to }: MonitoredWindow,
): Omit<FeatureStep, 'isJudged'> {
  const { score } = profile.profile;
  if (score === null)
    return { state: { ...state, labels: null }, judged: waitingFor(...withoutScore(profile)) };
  const { labels, open, errors = NO_ERRORS } = state;
  const all = addLabels(labels, features?.score ?? null, from) ?? { from, positives: [], negatives: [] };
  const rows = total(all.positives) + total(all.negatives);
  const isOneClass = total(all.positives) === 0 || total(all.negatives) === 0;
  if (rows < settings.minRows || isOneClass) {
    const lacks =
      rows < settings.minRows ? `${rows} of ${settings.minRows} labels` : 'labels of both classes';
    return {
      state: { ...state, labels: rows === 0 ? null : all },
      judged: waitingFor(`measured-performance: ${lacks}`),
    };
  }
  const { from: since, positives, negatives } = all;
  const judged = judgePerformance({
    kind: 'measured-performance',
    settings,
    score,
    counts: { counts: added(positives, negatives), positives, negatives, invalid: 0 },
    open,
    before: errors.measured,
    from: since,
    to,
  });
  return {
    state: { ...state, labels: null, errors: { ...errors, measured: judged.errors } },
    judged: [{ ...judged, basis: all }],
  };
}
