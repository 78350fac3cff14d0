import { heartbeat } from '@temporalio/activity';
import type { TrafficActivities, TrafficChange, TrafficChanged } from '../contracts/activities.js';
import { FailureType } from '../contracts/failures.js';
import { endIds } from '../contracts/ids.js';
import type { DesiredRoute } from '../contracts/routes.js';
import { hashOfRoute } from '../ledger/index.js';
import { OvertakenError } from '../platform/serving/index.js';
import { endOf, isEnd, overFailure } from './ended.js';
import { refusal, withFailures } from './failures.js';
import { NO_MEASURES, type Measures } from './measures.js';
import { ActRecorder } from './traffic/act-recorder.js';
import { type Applied, apply, confirm } from './traffic/apply.js';
import { checkChange } from './traffic/check.js';
import { type Outcome, outcomeOf, withOutcome } from './traffic/outcome.js';
import { DEFAULT_TRAFFIC_SETTINGS, type TrafficDeps, type TrafficSettings } from './traffic/settings.js';

export type { TrafficSettings } from './traffic/settings.js';

type Rehearsed = TrafficChanged & { readonly rollbackSeconds: number };

export function createTrafficActivities(
  deps: Omit<TrafficDeps, 'settings' | 'measures'> & {
    readonly settings?: Partial<TrafficSettings>;
    readonly measures?: Measures;
  },
): TrafficActivities {
  const all: TrafficDeps = {
    ...deps,
    measures: deps.measures ?? NO_MEASURES,
    settings: { ...DEFAULT_TRAFFIC_SETTINGS, ...deps.settings },
  };
  return {
    changeTraffic: (change) => withFailures(() => measured(all, change)),
    rehearseRollback: (change) => withFailures(() => rehearseRollback(all, change)),
  };
}

/** Counts what people must hear of: an act towards safety that was not seen done, and records that could not be written. */
async function measured(deps: TrafficDeps, change: TrafficChange): Promise<TrafficChanged> {
  try {
    const changed = await changeTraffic(deps, change);
    if (changed.unrecorded.length > 0) deps.measures.unwritten();
    return changed;
  } catch (error) {
    if (change.safety) deps.measures.unverified();
    throw error;
  }
}

/** Records the intent, acts, waits until it is seen, reads back, records the outcome. Each part may be repeated after a crash. */
async function changeTraffic(deps: TrafficDeps, change: TrafficChange): Promise<TrafficChanged> {
  checkChange(change);
  const recorder = recorderFor(deps, change);
  const done = await recordedAct(recorder, change);
  if (done !== null) return answerOf(done, recorder);
  await refuseUnstored(deps, change);
  await recorder.add(...change.before);
  // Between the look above and the intent it may have ended; after the intent it cannot.
  const ended = change.safety && isEnd(change.after.action) ? await recordedAct(recorder, change) : null;
  if (ended !== null) return answerOf(ended, recorder);
  // A database that hangs has cost its time already: it is to be named by the next call, not by a heartbeat that did not come.
  heartbeat();
  const applied = await applyFenced(deps, change, recorder.lastPlace);
  if (applied === 'overtaken') return overtaken(recorder, change);
  const outcome: Outcome = {
    generation: applied.generation,
    ...(await confirm(deps, change, applied)),
    table: hashOfRoute(change.desired, applied.generation),
  };
  const stands = await recorder.addOutcome(
    withOutcome(change.after, outcome),
    applied.repeated,
    otherEnds(change),
  );
  return stands ? answerOf(outcome, recorder) : overtaken(recorder, change);
}

/**
 * A release has one end. One that is told to end in another way while its last act is under way, by an attempt that was cancelled and
 * has not heard of it, is taken back: success may not be recorded any more.
 */
function otherEnds({ after, safety }: TrafficChange): readonly string[] {
  const { stream, id, action, subject } = after;
  const { release } = subject;
  if (safety || !isEnd(action) || typeof release !== 'number') return [];
  const others = endIds(stream, release).filter((end) => end !== id);
  return others.flatMap((end) => [end, `${end}/intent`]);
}

/** The table's hash is for the record alone. */
function answerOf(outcome: Outcome, recorder: ActRecorder): TrafficChanged {
  const { generation, confirmed, unreachable, seconds } = outcome;
  return { generation, confirmed, unreachable, seconds, ...recorder.recorded };
}

/**
 * Gateways may have loaded a version whose artifact is gone since: it must not get more traffic, because none of them could load
 * it again. An act towards safety goes by what is loaded.
 * @throws ApplicationFailure `ArtifactInvalid`
 */
async function refuseUnstored(
  { artifacts }: TrafficDeps,
  { model, desired, safety }: TrafficChange,
): Promise<void> {
  const gains = desired.candidate ?? desired.champion;
  if (safety || gains === null || (await artifacts.has(gains.digest))) return;
  throw refusal(
    FailureType.ArtifactInvalid,
    `The artifact of ${gains.version} of ${model} is not in the store any more (${gains.digest}): put it back and release again`,
  );
}

/**
 * The place of the intent in the ledger is the order in which acts were decided. By it an attempt that was thought dead, and wakes
 * after others have decided anew, is told from a rollback that may come at any time.
 * @returns `overtaken` when the table in force was decided later
 */
async function applyFenced(
  deps: TrafficDeps,
  change: TrafficChange,
  intent: number | null,
): Promise<Applied | 'overtaken'> {
  try {
    return await apply(deps, { ...change, intent });
  } catch (error) {
    if (!(error instanceof OvertakenError)) throw error;
    const { sequence } = await deps.ledger.head(change.after.stream);
    if (sequence >= error.by) return 'overtaken';
    // The ledger was set back, by a restore: its places say nothing about this table, and safety goes first.
    return apply(deps, { ...change, intent: null });
  }
}

/** It may have been done before that: then this is a repeat, and what was recorded of it is the answer. */
async function overtaken(recorder: ActRecorder, change: TrafficChange): Promise<TrafficChanged> {
  const done = await recordedAct(recorder, change);
  if (done !== null) return answerOf(done, recorder);
  throw refusal(
    FailureType.StaleGeneration,
    `Traffic of ${change.model}: ${change.after.action} was overtaken by what was decided later, and does nothing any more`,
  );
}

/**
 * To weight 0 and back. Its two changes have ids made of the generation that they start from: a drill that was interrupted is done
 * anew from where the table is, because the time that it took is lost.
 */
async function rehearseRollback(deps: TrafficDeps, change: TrafficChange): Promise<Rehearsed> {
  checkChange(change);
  const { model, changeId, desired, safety } = change;
  const recorder = recorderFor(deps, change);
  const done = await recordedAct(recorder, change);
  if (done?.rollbackSeconds !== undefined)
    return { ...done, rollbackSeconds: done.rollbackSeconds, ...recorder.recorded };
  await recorder.add(...change.before);

  const table = await deps.routes.read(model);
  const interrupted = table?.changeId.startsWith(`${changeId}/`) === true ? table.generation : null;
  const from = interrupted ?? change.expectedGeneration;
  const intent = recorder.lastPlace;
  const down = {
    model,
    desired: withoutCandidate(desired),
    changeId: `${changeId}/down/${from}`,
    intent,
    safety,
  };
  const wentDown = await apply(deps, { ...down, expectedGeneration: from });
  const seenDown = await confirm(deps, down, wentDown);
  const up = { model, desired, changeId: `${changeId}/up/${from}`, intent, safety };
  const wentUp = await apply(deps, { ...up, expectedGeneration: wentDown.generation });
  const seenUp = await confirm(deps, up, wentUp);

  const outcome = {
    generation: wentUp.generation,
    confirmed: seenUp.confirmed,
    unreachable: [...new Set([...seenDown.unreachable, ...seenUp.unreachable])],
    seconds: seenUp.seconds,
    rollbackSeconds: seenDown.seconds,
    table: hashOfRoute(desired, wentUp.generation),
  };
  await recorder.addOutcome(withOutcome(change.after, outcome), interrupted !== null);
  return { ...outcome, ...recorder.recorded };
}

const recorderFor = ({ ledger, settings }: TrafficDeps, { safety }: TrafficChange): ActRecorder =>
  new ActRecorder(ledger, safety ? settings.safetyLedgerMs : null);

/**
 * An act that is recorded was seen done, and is not done again: not by an attempt after a crash, nor by a workflow that was reset,
 * when others may have changed the table since.
 * @throws ApplicationFailure `ReleaseOver` when it is another act of a release that has ended
 */
async function recordedAct(recorder: ActRecorder, { after }: TrafficChange): Promise<Outcome | null> {
  const { stream, id, subject } = after;
  const { release } = subject;
  const ends = typeof release === 'number' ? endIds(stream, release) : [];
  const found = await recorder.findAny(stream, [id, ...ends]);
  if (found === 'unknown') return null;
  const own = found.find((event) => event.id === id);
  const outcome = own === undefined ? null : outcomeOf(own);
  if (own !== undefined && outcome !== null) {
    recorder.see(own);
    return outcome;
  }
  for (const event of found) {
    const end = endOf(event);
    if (end !== null && typeof release === 'number') throw overFailure(stream, release, end);
  }
  return null;
}

const withoutCandidate = (desired: DesiredRoute): DesiredRoute => ({
  ...desired,
  phase: 'drill',
  candidate: desired.candidate === null ? null : { ...desired.candidate, weight: 0 },
});
