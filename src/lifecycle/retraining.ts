/** When a challenger is trained, and when not. Pure. */
import type { RetrainingSettings } from '../contracts/manifest.js';
import { RETRAINING_OUTCOMES, RETRAINING_TRIGGERS } from '../contracts/report.js';
import type {
  ChallengerJudgement,
  RetrainingOutcome,
  RetrainingTrigger,
  TrainingSet,
} from '../contracts/retraining.js';
import { LEAST_ROWS } from '../statistics/metrics/least-rows.js';
import { isFrozen, isRetiring, type ModelState } from './model-state.js';
import type { RetrainingState, RunningRetraining } from './retraining-state.js';

const NONE: RetrainingState = {
  next: 1,
  running: null,
  starts: [],
  evidence: [],
  told: [],
  heldBack: null,
  last: null,
  schedule: null,
  labelsAt: null,
  ageAt: null,
};

/** No finding waits. */
const NONE_WAIT = { waiting: [], wanted: null } as const;

/** Every second row is held out to compare on. With fewer the evidence would be spent on what cannot be judged. */
const LEAST_OF_CHANGE = 2 * LEAST_ROWS;

const MOST_STARTS = 100;
const MOST_EVIDENCE = 500;
const MOST_TOLD = 100;

/** Of a model; states of before there were retrainings have none. */
export const retrainingOf = (state: ModelState): RetrainingState => state.retraining ?? NONE;

export const withRetraining = (state: ModelState, change: Partial<RetrainingState>): ModelState => ({
  ...state,
  retraining: { ...retrainingOf(state), ...change },
});

/** A reason to train. One piece of evidence starts at most one retraining. */
export interface RetrainingRequest {
  readonly trigger: RetrainingTrigger;
  /** Identity of what asks: a finding, a moment of the schedule, a person's request. */
  readonly evidence: string;
  readonly by: string;
  readonly finding: string | null;
  /** When the change began that the finding tells of, ISO 8601. */
  readonly onset?: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Labels since the last start, of rows since the onset; null when they have not been counted. */
  readonly labels: number | null;
}

export type RetrainingDecision =
  | { readonly kind: 'start'; readonly retraining: number }
  /** `isNews`: this reason was not recorded for this evidence yet. */
  | { readonly kind: 'held-back'; readonly reason: string; readonly isNews: boolean }
  /** This evidence has started one before. */
  | { readonly kind: 'known' }
  /** Nothing else stands against it: the labels are to be counted. */
  | { readonly kind: 'count-labels' };

/** Decides on a request, and keeps what must be known later. */
export function requestRetraining(
  state: ModelState,
  request: RetrainingRequest,
): { readonly state: ModelState; readonly decision: RetrainingDecision } {
  const known = retrainingOf(state);
  const { trigger, evidence, by, finding, onset = null, at, labels } = request;
  if (known.evidence.includes(evidence)) return { state, decision: { kind: 'known' } };
  const reason = whyNot(state, trigger, at) ?? tooFewLabels(state, labels, onset);
  if (reason !== null) return holdBack(state, request, reason);
  if (labels === null) return { state, decision: { kind: 'count-labels' } };
  const startedAt = new Date(at).toISOString();
  const running: RunningRetraining = {
    retraining: known.next,
    trigger,
    by,
    finding,
    startedAt,
    labelsSince: labelsSince(state, at),
    onset,
    isStarted: false,
  };
  const next = withRetraining(state, {
    next: known.next + 1,
    running,
    starts: [...known.starts, startedAt].slice(-MOST_STARTS),
    evidence: [...known.evidence, evidence].slice(-MOST_EVIDENCE),
    labelsAt: null,
    labelsCounted: null,
    // Whatever started it, it trains on what is known now; what stood in its way is past.
    ...NONE_WAIT,
    heldBack: null,
  });
  return { state: next, decision: { kind: 'start', retraining: known.next } };
}

/** What was asked for is not done now; said once for each piece of evidence and reason. */
export function holdBack(
  state: ModelState,
  { trigger, evidence, at }: Pick<RetrainingRequest, 'trigger' | 'evidence' | 'at'>,
  reason: string,
): { readonly state: ModelState; readonly decision: RetrainingDecision } {
  const { told } = retrainingOf(state);
  // Figures in a reason change: the words before them are what it is about.
  const key = `${evidence}\n${reason.replaceAll(/\d.*$/gs, '')}`;
  const isNews = !told.includes(key);
  const next = withRetraining(state, {
    heldBack: { trigger, reason, at: new Date(at).toISOString() },
    ...(isNews ? { told: [...told, key].slice(-MOST_TOLD) } : {}),
  });
  return { state: next, decision: { kind: 'held-back', reason, isNews } };
}

/** Why nothing is trained now, whatever the labels; null when nothing stands against it. */
function whyNot(state: ModelState, trigger: RetrainingTrigger, now: number): string | null {
  const { manifest, champion, inFlight, queue, pending } = state;
  const { running, starts } = retrainingOf(state);
  const settings = settingsOf(state);
  if (isRetiring(state)) return 'the model is retired';
  if (settings === null) return 'the manifest has no retraining section';
  if (trigger === 'finding' && !settings.triggers.finding)
    return 'retraining.triggers.finding is false in the manifest';
  if (champion === null) return `no version of ${manifest.name} serves: there is nothing to compare with`;
  if (isFrozen(state, now)) return 'the model is frozen';
  if (running !== null) return `a retraining runs: number ${running.retraining}`;
  if (inFlight !== null || queue.length > 0 || pending.length > 0)
    return `a release is in flight${inFlight === null ? '' : `: number ${inFlight}`}`;
  const cool = cooldownEnd(settings, starts);
  if (cool > now) return `cooldown, until ${new Date(cool).toISOString()}`;
  const free = budgetEnd(settings, starts, now);
  if (free <= now) return null;
  const { runs, perSeconds } = settings.budget;
  return `the budget of the model is used up: ${runs} retrainings in ${perSeconds} seconds, until ${new Date(free).toISOString()}`;
}

/** Epoch milliseconds; 0 before the first start. */
function cooldownEnd({ cooldownSeconds }: RetrainingSettings, starts: readonly string[]): number {
  const last = starts.at(-1);
  return last === undefined ? 0 : Date.parse(last) + cooldownSeconds * 1000;
}

/** When the budget allows another one, epoch milliseconds; 0 when it does now. */
function budgetEnd({ budget }: RetrainingSettings, starts: readonly string[], now: number): number {
  const { runs, perSeconds } = budget;
  const counted = starts.filter((at) => Date.parse(at) > now - perSeconds * 1000);
  const oldest = counted[counted.length - runs];
  return oldest === undefined ? 0 : Date.parse(oldest) + perSeconds * 1000;
}

/** From when on neither cooldown nor budget hold one back, epoch milliseconds; 0 when they do not now. */
export function freeFrom(state: ModelState, now: number): number {
  const settings = settingsOf(state);
  const { starts } = retrainingOf(state);
  return settings === null ? 0 : Math.max(cooldownEnd(settings, starts), budgetEnd(settings, starts, now));
}

function tooFewLabels(state: ModelState, labels: number | null, onset: string | null): string | null {
  const wanted = settingsOf(state)?.minLabels ?? 0;
  const least = onset === null ? wanted : Math.max(wanted, LEAST_OF_CHANGE);
  if (labels === null || labels >= least) return null;
  const of = onset === null ? '' : ` of rows since the change of ${onset}`;
  return `too few fresh labels: ${labels}, and ${least} are needed${of}`;
}

export const settingsOf = ({ manifest }: ModelState): RetrainingSettings | null =>
  manifest.retraining ?? null;

/**
 * Rows from this time on count, ISO 8601: as far as is looked back, and where a change is followed those since its onset, since no
 * other can show whether a challenger follows it.
 */
export function rowsSince(recentSeconds: number, onset: string | null | undefined, now: number): string {
  const back = now - recentSeconds * 1000;
  const began = onset === null || onset === undefined ? Number.NaN : Date.parse(onset);
  return new Date(Number.isNaN(began) ? back : Math.max(back, began)).toISOString();
}

/** Labels that came after this are fresh, ISO 8601: after the last start, but not longer ago than is looked back on. */
export const labelsSince = (state: ModelState, now: number): string =>
  rowsSince(settingsOf(state)?.recentSeconds ?? 0, retrainingOf(state).starts.at(-1), now);

/** Whether the challenger takes the champion's place: only if it is better by more than the margin, with 95 % confidence. */
export function judgeChallenger(
  judgement: ChallengerJudgement,
  margin: number,
): { readonly outcome: Exclude<RetrainingOutcome, 'cancelled'>; readonly reason: string | null } {
  switch (judgement.kind) {
    case 'unfit':
      return { outcome: 'failed', reason: judgement.reason };
    case 'insufficient':
      return { outcome: 'insufficient', reason: judgement.reason };
    case 'compared': {
      const { metric, lower, gain, rows } = judgement;
      // JSON makes null of what is no number.
      if (!Number.isFinite(lower) || !Number.isFinite(gain))
        return { outcome: 'insufficient', reason: `${metric} cannot be compared on ${rows} rows` };
      if (lower > margin) return { outcome: 'submitted', reason: null };
      const facts = `${metric} is better by ${shown(gain)} on ${rows} rows, with 95 % confidence by at least ${shown(lower)}`;
      return { outcome: 'not-better', reason: `${facts}; more than ${shown(margin)} is needed` };
    }
  }
}

/** The data that a retraining works with, in words. */
export function shownSet({
  training,
  comparison,
  referenceRows,
  recentRows,
  unusableRows,
}: TrainingSet): readonly string[] {
  return [
    `Training set: ${training?.rows ?? 0} rows, ${referenceRows} of them from the reference data; digest ${training?.digest ?? 'none'}`,
    `Compared on ${comparison?.rows ?? 0} recent rows that training does not see; ${recentRows} recent rows have labels, ${unusableRows} cannot be used`,
  ];
}

const shown = (value: number): string => String(Number(value.toPrecision(4)));

export function endRetraining(state: ModelState, ended: NonNullable<RetrainingState['last']>): ModelState {
  const { running } = retrainingOf(state);
  if (running?.retraining !== ended.retraining) return state;
  return withRetraining(state, { running: null, last: ended });
}

/** A start that is on record: what asked for it never starts another, also when the model's workflow is made again. */
export function recordedStart(
  state: ModelState,
  start: Pick<RunningRetraining, 'retraining' | 'trigger' | 'by' | 'finding'> & {
    readonly evidence: string | null;
    readonly at: string;
  },
): ModelState {
  const { evidence, at, ...running } = start;
  const known = retrainingOf(state);
  return withRetraining(state, {
    next: Math.max(known.next, start.retraining + 1),
    running: { ...running, startedAt: at, labelsSince: at, isStarted: true },
    starts: [...known.starts, at].slice(-MOST_STARTS),
    evidence: [...known.evidence, ...(evidence === null ? [] : [evidence])].slice(-MOST_EVIDENCE),
    ...NONE_WAIT,
    heldBack: null,
  });
}

export const isTrigger = (text: string): text is RetrainingTrigger =>
  (RETRAINING_TRIGGERS as readonly string[]).includes(text);

export const isOutcomeOfRetraining = (text: string): text is RetrainingOutcome =>
  (RETRAINING_OUTCOMES as readonly string[]).includes(text);

/** What keeps a report from being looked at: anybody who may signal can send anything. Null when the shape is right. */
export function retrainingReportProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'a report is an object';
  const { retraining, outcome, reason, challenger, head } = value as Readonly<Record<string, unknown>>;
  if (!isCount(retraining)) return 'retraining must be a whole number';
  if (!RETRAINING_OUTCOMES.includes(outcome as RetrainingOutcome))
    return 'outcome is not one of a retraining';
  if (reason !== null && typeof reason !== 'string') return 'reason must be a text or null';
  const { sequence, hash } = (head ?? {}) as { sequence?: unknown; hash?: unknown };
  if (!isCount(sequence) || typeof hash !== 'string') return 'head must have a sequence and a hash';
  if (outcome !== 'submitted') return challenger === null ? null : 'challenger must be null';
  const { digest, trainingDataDigest, comparedWith, metrics } = (challenger ?? {}) as Readonly<
    Record<string, unknown>
  >;
  const compared = (comparedWith ?? {}) as Readonly<Record<string, unknown>>;
  const texts = [digest, trainingDataDigest, compared['digest'], compared['version']];
  if (!texts.every((text) => typeof text === 'string')) return 'challenger must name digests and a version';
  return typeof metrics === 'object' && metrics !== null ? null : 'challenger.metrics must be an object';
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
