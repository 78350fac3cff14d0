import { condition } from '@temporalio/workflow';
import type { TrafficChange } from '../../contracts/activities.js';
import { person } from '../../lifecycle/entries.js';
import { steadyRoute, unavailableRoute } from '../../lifecycle/routing.js';
import { describeFailure } from '../support/failures.js';
import { alert } from '../support/parking.js';
import { run } from '../support/run.js';
import type { ReleaseContext } from './context.js';
import type { Ending } from './ending.js';

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/**
 * Takes the release back: the former champion serves, read back from every live gateway; or nothing, when there is none.
 * Retries without end and waits for nobody, not for the ledger either.
 */
export async function compensate(context: ReleaseContext, ending: Ending): Promise<void> {
  const { state } = context;
  const { outcome, message: reason } = ending;
  state.approval = null;
  state.reason = reason;
  const by = state.abort === null ? undefined : person(state.abort.by);
  const id = context.id('end');
  const entry = context.entry(id, `release.${outcome}`, { reason, ...ending.evidence }, by);
  if (state.touchedTraffic) {
    context.waitFor('every gateway to be back on the former champion');
    await takeBack(context, reason, {
      before: [context.entry(`${id}/intent`, `release.${outcome}-requested`, { reason }, by)],
      after: entry,
    });
  } else context.recorder.add(entry);
  await context.moveTo(outcome, 'nothing', reason);
  if (outcome !== 'rejected') {
    const { version } = state.input.version;
    await alert(
      state.input.model,
      `${id}/alert`,
      outcome === 'aborted' ? 'info' : 'warning',
      `Release of ${version} ${outcome}`,
      reason,
    );
  }
}

async function takeBack(
  context: ReleaseContext,
  reason: string,
  entries: Pick<TrafficChange, 'before' | 'after'>,
): Promise<void> {
  const { state } = context;
  const { input } = state;
  const basis = { ...context.basis, release: null };
  const change: TrafficChange = {
    model: input.model,
    changeId: context.id('take-back'),
    desired:
      input.champion === null
        ? unavailableRoute(basis, `version ${input.version.version} was taken back: ${reason}`)
        : steadyRoute(basis),
    expectedGeneration: 'any',
    safety: true,
    ...entries,
  };
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      const changed = await run('changeTraffic', `take ${input.version.version} back`, change);
      state.generation = changed.generation;
      context.recorder.take(changed);
      return;
    } catch (error) {
      await unverified(context, describeFailure(error), pause);
    }
  }
}

/** A rollback that was not seen done is not done: people are told, and it is tried again. */
async function unverified(context: ReleaseContext, why: string, pause: number): Promise<void> {
  const { model, version } = context.state.input;
  const count = context.next('rollback-unverified');
  const id = context.id('rollback-unverified', count);
  context.recorder.add(context.entry(id, 'release.rollback-unverified', { why, tries: count }));
  context.waitFor(`a verified rollback (rollback-unverified, try ${count}): ${why}`);
  await alert(
    model,
    context.id('rollback-unverified'),
    'critical',
    `Rollback of ${version.version} is not verified`,
    why,
  );
  const retries = context.parking.retries;
  await condition(() => context.parking.retries !== retries, pause, { summary: 'try the rollback again' });
}
