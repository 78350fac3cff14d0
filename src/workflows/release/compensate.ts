import { condition, patched } from '@temporalio/workflow';
import type { TrafficChange } from '../../contracts/activities.js';
import { person } from '../../lifecycle/entries.js';
import { steadyRoute, unavailableRoute } from '../../lifecycle/routing.js';
import type { ReleaseEnding } from '../../lifecycle/release-state.js';
import { isHistoryLong } from '../support/continuing.js';
import { describeFailure, recordedEnd } from '../support/failures.js';
import { FIRST_PAUSE_MS, nextPause } from '../support/pauses.js';
import { runTowardsSafety } from '../support/run.js';
import type { ReleaseContext } from './context.js';
import type { Ending } from './ending.js';
import { hasIncidents } from './troubles.js';

/** Lays down how the release ends, before anything is done about it: each try, in whichever run, is then the same act. */
export function prepareEnding(context: ReleaseContext, ending: Ending): ReleaseEnding {
  const { state } = context;
  const { outcome, message: reason } = ending;
  const by = state.abort === null ? undefined : person(state.abort.by);
  const id = context.id('end');
  const entry = context.entry(id, `release.${outcome}`, { reason, ...ending.evidence }, by);
  if (!state.touchedTraffic) {
    context.recorder.add(entry);
    return { outcome, reason, takeBack: null };
  }
  const { input } = state;
  const basis = { ...context.basis, release: null };
  const takeBack: TrafficChange = {
    model: input.model,
    changeId: context.id('take-back'),
    desired:
      input.champion === null
        ? unavailableRoute(basis, `version ${input.version.version} was taken back: ${reason}`)
        : steadyRoute(basis),
    expectedGeneration: 'any',
    safety: true,
    before: [context.entry(`${id}/intent`, `release.${outcome}-requested`, { reason }, by)],
    after: entry,
  };
  return { outcome, reason, takeBack };
}

/**
 * Takes the release back: the former champion serves, read back from every live gateway; or nothing, when there is none.
 * Retries without end and waits for nobody, not for the ledger either.
 * @returns false when the history has grown long: to be gone on with in a new run
 */
export async function compensate(context: ReleaseContext): Promise<boolean> {
  const { state } = context;
  if (state.ending === null) return true;
  const { outcome, reason, takeBack } = state.ending;
  state.approval = null;
  state.reason = reason;
  if (takeBack !== null) {
    context.waitFor('every gateway to be back on the former champion');
    if (!(await untilTakenBack(context, takeBack))) return false;
  }
  if (state.over !== undefined) return true;
  await context.moveTo(outcome, 'nothing', reason);
  // The model makes an incident of what is taken out of production, when it hears of it.
  const isIncident =
    (outcome === 'rolled-back' && hasIncidents(state.input)) ||
    (outcome === 'aborted' &&
      state.promoted &&
      hasIncidents(state.input) &&
      patched('what-leaves-production-is-an-incident'));
  if (outcome !== 'rejected' && !isIncident) {
    const severity = outcome === 'aborted' ? 'info' : 'warning';
    const title = `Release of ${state.input.version.version} ${outcome}`;
    context.parking.tell(`${context.id('end')}/alert`, severity, title, reason);
  }
  return true;
}

async function untilTakenBack(context: ReleaseContext, change: TrafficChange): Promise<boolean> {
  const { state } = context;
  for (let pause = FIRST_PAUSE_MS; ;) {
    try {
      const changed = await runTowardsSafety(`take ${state.input.version.version} back`, change);
      state.generation = changed.generation;
      context.recorder.take(changed);
      context.parking.tellCountedOut(change.changeId, changed);
      context.parking.end('unverified', rollback(context));
      return true;
    } catch (error) {
      const end = recordedEnd(error);
      if (end !== null) {
        context.parking.end('unverified', rollback(context));
        context.endAsRecorded(end);
        return true;
      }
      await unverified(context, describeFailure(error), pause);
      pause = nextPause(error, pause);
      if (isHistoryLong(state.input.historyLimit)) return false;
    }
  }
}

const rollback = ({ state }: ReleaseContext): string => `rollback of ${state.input.version.version}`;

/** A rollback that was not seen done is not done: people are told, and it is tried again. */
async function unverified(context: ReleaseContext, why: string, pause: number): Promise<void> {
  const { parking, recorder, state } = context;
  const count = context.next('rollback-unverified');
  const id = context.id('rollback-unverified', count);
  // Tries 1, 2, 4, 8…: a ledger that is away too must not fill the workflow with them.
  if (Number.isInteger(Math.log2(count)))
    recorder.add(context.entry(id, 'release.rollback-unverified', { why, tries: count }));
  context.waitFor(`a verified rollback (rollback-unverified, try ${count}): ${why}`);
  if (count === 1)
    parking.begin({
      origin: 'unverified',
      what: rollback(context),
      severity: 'critical',
      title: `Rollback of ${state.input.version.version} is not verified`,
      text: why,
      key: id,
    });
  const { retries } = parking;
  await condition(() => parking.retries !== retries, pause, { summary: 'try the rollback again' });
}
