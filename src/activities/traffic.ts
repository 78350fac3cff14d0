import type { TrafficActivities, TrafficChange, TrafficChanged } from '../contracts/activities.js';
import type { DesiredRoute } from '../contracts/routes.js';
import { withFailures } from './failures.js';
import { ActRecorder } from './traffic/act-recorder.js';
import { apply, confirm } from './traffic/apply.js';
import { checkChange } from './traffic/check.js';
import { type Outcome, outcomeOf, withOutcome } from './traffic/outcome.js';
import { DEFAULT_TRAFFIC_SETTINGS, type TrafficDeps, type TrafficSettings } from './traffic/settings.js';

export type { TrafficSettings } from './traffic/settings.js';

type Rehearsed = TrafficChanged & { readonly rollbackSeconds: number };

export function createTrafficActivities(
  deps: Omit<TrafficDeps, 'settings'> & { readonly settings?: Partial<TrafficSettings> },
): TrafficActivities {
  const all: TrafficDeps = { ...deps, settings: { ...DEFAULT_TRAFFIC_SETTINGS, ...deps.settings } };
  return {
    changeTraffic: (change) => withFailures(() => changeTraffic(all, change)),
    rehearseRollback: (change) => withFailures(() => rehearseRollback(all, change)),
  };
}

/** Records the intent, acts, waits until it is seen, reads back, records the outcome. Each part may be repeated after a crash. */
async function changeTraffic(deps: TrafficDeps, change: TrafficChange): Promise<TrafficChanged> {
  checkChange(change);
  const recorder = recorderFor(deps, change);
  await recorder.add(...change.before);
  const applied = await apply(deps, change);
  const earlier = applied.repeated ? await recordedOutcome(recorder, change, applied.generation) : null;
  const outcome: Outcome = earlier ?? {
    generation: applied.generation,
    ...(await confirm(deps, change, applied)),
  };
  await recorder.addOutcome(withOutcome(change.after, outcome), applied.repeated);
  const { generation, confirmed, unreachable, seconds } = outcome;
  return { generation, confirmed, unreachable, seconds, ...recorder.recorded };
}

/**
 * To weight 0 and back. Its two changes have ids made of the generation that they start from: a drill that was interrupted is done
 * anew from where the table is, because the time that it took is lost.
 */
async function rehearseRollback(deps: TrafficDeps, change: TrafficChange): Promise<Rehearsed> {
  checkChange(change);
  const { model, changeId, desired, safety } = change;
  const recorder = recorderFor(deps, change);
  await recorder.add(...change.before);

  const table = await deps.routes.read(model);
  const interrupted = table?.changeId.startsWith(`${changeId}/`) === true ? table.generation : null;
  const earlier = interrupted === null ? null : await recordedOutcome(recorder, change, interrupted);
  if (earlier?.rollbackSeconds !== undefined) {
    await recorder.addOutcome(withOutcome(change.after, earlier), true);
    return { ...earlier, rollbackSeconds: earlier.rollbackSeconds, ...recorder.recorded };
  }

  const from = interrupted ?? change.expectedGeneration;
  const down = { model, desired: withoutCandidate(desired), changeId: `${changeId}/down/${from}`, safety };
  const wentDown = await apply(deps, { ...down, expectedGeneration: from });
  const seenDown = await confirm(deps, down, wentDown);
  const up = { model, desired, changeId: `${changeId}/up/${from}`, safety };
  const wentUp = await apply(deps, { ...up, expectedGeneration: wentDown.generation });
  const seenUp = await confirm(deps, up, wentUp);

  const outcome = {
    generation: wentUp.generation,
    confirmed: seenUp.confirmed,
    unreachable: [...new Set([...seenDown.unreachable, ...seenUp.unreachable])],
    seconds: seenUp.seconds,
    rollbackSeconds: seenDown.seconds,
  };
  await recorder.addOutcome(withOutcome(change.after, outcome), interrupted !== null);
  return { ...outcome, ...recorder.recorded };
}

const recorderFor = ({ ledger, settings }: TrafficDeps, { safety }: TrafficChange): ActRecorder =>
  new ActRecorder(ledger, safety ? settings.safetyLedgerMs : null);

/** What an earlier attempt recorded of the generation in force. */
async function recordedOutcome(
  recorder: ActRecorder,
  { after }: TrafficChange,
  generation: number,
): Promise<Outcome | null> {
  const found = await recorder.find(after.stream, after.id);
  const outcome = found === null || found === 'unknown' ? null : outcomeOf(found);
  return outcome?.generation === generation ? outcome : null;
}

const withoutCandidate = (desired: DesiredRoute): DesiredRoute => ({
  ...desired,
  phase: 'drill',
  candidate: desired.candidate === null ? null : { ...desired.candidate, weight: 0 },
});
