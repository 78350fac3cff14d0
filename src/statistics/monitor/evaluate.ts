/** One model's monitors: from closed windows and what is carried, to findings, causes that are over, and health. Pure. */
import type { Finding, HealthRecord } from '../../contracts/monitoring.js';
import { NO_CHUNKS } from '../drift/prediction.js';
import { addSlot, judgeBurn, NO_TRAFFIC } from './availability.js';
import { unjudgedBefore } from './late.js';
import { takeWindow } from './causes.js';
import { judgeClosed, judgeLate, type Step } from './closed.js';
import { NO_ERRORS } from './error-onset.js';
import type {
  Based,
  DetectorState,
  Evaluation,
  MonitoredWindow,
  MonitorInput,
  TrafficSlot,
} from './types.js';
import { noVolume } from './volume.js';
import { timeOf } from './words.js';

const WAITING_MOST = 20;

/** Before the first window. @param from where windows begin, epoch milliseconds */
export function initialState(settings: MonitorInput['settings'], from: number): DetectorState {
  return {
    format: 1,
    version: null,
    profile: null,
    evaluatedTo: from,
    slotsTo: from,
    judged: 0,
    carried: null,
    unjudged: unjudgedBefore(from),
    labels: null,
    times: [],
    watches: { drift: [], prediction: [] },
    errors: NO_ERRORS,
    volume: noVolume(settings),
    latency: NO_CHUNKS,
    traffic: NO_TRAFFIC,
    open: [],
    waiting: [],
  };
}

/**
 * Windows and slots in the order of their ends. What is not whole, overlaps what was evaluated, or lies in the future, is left out and
 * said. The same input gives the same output, and evaluating windows together or one by one is the same.
 */
export function evaluateModel(input: MonitorInput): Evaluation {
  const { settings, version, profile, now } = input;
  const first = input.windows[0]?.from ?? input.slots[0]?.from ?? now;
  let state = forVersion(
    input.state ?? initialState(settings, first),
    version?.digest ?? null,
    profile?.digest ?? null,
  );
  const findings: Finding[] = [];
  const cleared = new Map<string, Evaluation['cleared'][number]>();
  const strange = [...input.strange];
  const take = (step: Step, at: number, storedTo: number | null): void => {
    const { clearWindows } = settings.incidents;
    const seen = takeWindow(step.state.open, step.drafts, step.standing, at, clearWindows);
    state = { ...step.state, open: seen.open };
    for (const draft of seen.told) {
      cleared.delete(draft.cause);
      findings.push(findingOf(input, draft, storedTo));
    }
    for (const one of seen.cleared) cleared.set(one.cause, one);
  };
  for (const { stretch, isSlot } of inOrder(input)) {
    const problem = placeProblem(stretch, isSlot ? state.slotsTo : state.evaluatedTo, now);
    if (problem !== null) {
      strange.push(problem);
      continue;
    }
    for (const late of isSlot ? [] : ((stretch as MonitoredWindow).late ?? [])) {
      const { problem: misfit, ...step } = judgeLate(input, state, late);
      if (misfit !== null) strange.push(misfit);
      take(step, late.to, stretch.to);
    }
    take(
      isSlot ? slotStep(input, state, stretch) : judgeClosed(input, state, stretch as MonitoredWindow),
      stretch.to,
      null,
    );
  }
  return { findings, cleared: [...cleared.values()], state, health: healthOf(input, state, strange) };
}

function inOrder({
  windows,
  slots,
}: MonitorInput): { stretch: MonitoredWindow | TrafficSlot; isSlot: boolean }[] {
  return [
    ...slots.map((stretch) => ({ stretch, isSlot: true })),
    ...windows.map((stretch) => ({ stretch, isSlot: false })),
  ].sort((a, b) => a.stretch.to - b.stretch.to || Number(b.isSlot) - Number(a.isSlot));
}

function placeProblem(
  { from, to }: TrafficSlot | MonitoredWindow,
  after: number,
  now: number,
): string | null {
  const told = `Window ${timeOf(from)} to ${timeOf(to)} is not judged`;
  if (!(to > from)) return `${told}: it must end after it begins`;
  if (to > now) return `${told}: it ends after now, ${timeOf(now)}`;
  return from < after ? `${told}: everything before ${timeOf(after)} is done` : null;
}

/** Another version is compared with its own profile; what belongs to the model is kept. */
function forVersion(state: DetectorState, version: string | null, profile: string | null): DetectorState {
  if (state.version === version && state.profile === profile) return state;
  return {
    ...state,
    version,
    profile,
    judged: 0,
    carried: null,
    labels: null,
    times: [],
    watches: { drift: [], prediction: [] },
    errors: NO_ERRORS,
    latency: state.version === version ? state.latency : NO_CHUNKS,
  };
}

function slotStep(input: MonitorInput, state: DetectorState, slot: TrafficSlot) {
  const traffic = addSlot(state.traffic, slot);
  const drafts = judgeBurn(input.settings, input.objectives, traffic, slot.to);
  return {
    state: { ...state, traffic, slotsTo: slot.to },
    drafts: drafts.map((draft) => ({ ...draft, basis: traffic })),
    standing: new Map<string, 'gone' | 'present'>(),
  };
}

/** @param storedTo of rows that came late: end of the window in which they were stored, as others of the same window may come */
function findingOf(
  { model, version, profile, now, digestOf }: MonitorInput,
  draft: Based,
  storedTo: number | null,
): Finding {
  const { kind, cause, verdict, severity, summary, features, rows, onset, detectors, from, to, basis } =
    draft;
  return {
    id: `${model}/${cause}/${to}${storedTo === null ? '' : `/${storedTo}`}`,
    model,
    version,
    kind,
    cause,
    verdict,
    severity,
    summary,
    features,
    rows,
    onset,
    ...(detectors === undefined ? {} : { detectors }),
    window: { from: timeOf(from), to: timeOf(to), digest: digestOf({ from, to, counts: basis }) },
    profile: profile?.digest ?? null,
    detectedAt: timeOf(now),
  };
}

function healthOf(
  { model, version, now }: MonitorInput,
  state: DetectorState,
  strange: readonly string[],
): HealthRecord {
  const open = state.open.filter(({ verdict }) => verdict === 'found');
  const isNew = state.judged === 0 && state.latency.count === 0;
  return {
    model,
    version,
    evaluatedTo:
      state.volume.open === null && state.volume.history.length === 0 && isNew
        ? null
        : timeOf(state.evaluatedTo),
    seenAt: timeOf(now),
    state: open.length > 0 ? 'alarm' : isNew ? 'waiting' : 'healthy',
    waitingFor: [...strange, ...state.waiting].slice(0, WAITING_MOST),
    open: open.map(({ cause, since, clear }) => ({ cause, since: timeOf(since), clear })),
  };
}
