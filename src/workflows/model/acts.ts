import { condition, workflowInfo } from '@temporalio/workflow';
import type { TrafficChange } from '../../contracts/activities.js';
import type { Actor } from '../../contracts/ledger.js';
import type { VersionRef } from '../../contracts/model.js';
import type { DesiredRoute } from '../../contracts/routes.js';
import { person } from '../../lifecycle/entries.js';
import {
  abandonRelease,
  changeChampion,
  clearQueue,
  expiredWarm,
  type ModelState,
  type PendingAct,
} from '../../lifecycle/model-state.js';
import { steadyRoute, unavailableRoute, type RouteBasis } from '../../lifecycle/routing.js';
import { describeFailure, isRefusal } from '../support/failures.js';
import { alert } from '../support/parking.js';
import { run } from '../support/run.js';
import type { ModelContext } from './context.js';

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

const basis = (state: ModelState, champion: VersionRef | null, warm: readonly VersionRef[]): RouteBasis => ({
  manifest: state.manifest,
  champion,
  warm,
  release: null,
  slowThresholdMs: null,
});

/** Carries out one pending act; it stays pending until it is done, so a new run of the workflow takes it up again. */
export async function perform(context: ModelContext, act: PendingAct): Promise<void> {
  switch (act.kind) {
    case 'restore':
      await restore(context, act);
      break;
    case 'roll-back':
      await rollBack(context, act);
      break;
    case 'retire':
      await retire(context, act);
      break;
  }
  context.update({
    ...context.state,
    pending: context.state.pending.filter(({ requestId }) => requestId !== act.requestId),
  });
}

async function rollBack(
  context: ModelContext,
  act: Extract<PendingAct, { kind: 'roll-back' }>,
): Promise<void> {
  const { state } = context;
  // Ending the release in flight may already have been the whole way back.
  if (state.champion?.digest === act.to.digest) return;
  const warm = state.champion === null ? state.warm : [state.champion, ...state.warm];
  const done = await towardsSafety(context, {
    id: act.requestId,
    summary: `roll back to ${act.to.version}`,
    desired: steadyRoute(basis(state, act.to, warm)),
    action: 'model.rolled-back',
    subject: { ...act.to, from: state.champion },
    evidence: { reason: act.reason },
    actor: person(act.by),
  });
  if (done) return context.update(changeChampion(context.state, act.to, 0, Date.now()));
  // The wanted version cannot be loaded: what serves stays, and the table must say so.
  await towardsSafety(context, {
    id: `${act.requestId}/undo`,
    summary: `${state.champion?.version ?? 'nothing'} goes on serving`,
    desired:
      state.champion === null
        ? unavailableRoute(basis(state, null, []), act.reason)
        : steadyRoute(basis(state, state.champion, state.warm)),
    action: 'model.rollback-failed',
    subject: { ...act.to },
    evidence: { reason: 'the version cannot be loaded' },
    actor: person(act.by),
  });
}

async function retire(context: ModelContext, act: Extract<PendingAct, { kind: 'retire' }>): Promise<void> {
  const { state } = context;
  await towardsSafety(context, {
    id: act.requestId,
    summary: `retire ${context.model}`,
    desired: unavailableRoute(
      basis(state, null, []),
      `model ${context.model} is retired: ${act.reason}`,
      'retired',
    ),
    action: 'model.retired',
    subject: { champion: state.champion },
    evidence: { reason: act.reason },
    actor: person(act.by),
  });
  const now = Date.now();
  const empty = clearQueue(
    { ...changeChampion(context.state, null, 0, now), warm: [] },
    'the model is retired',
    now,
  );
  context.update({ ...empty, retired: true });
}

async function restore(context: ModelContext, act: Extract<PendingAct, { kind: 'restore' }>): Promise<void> {
  const { state } = context;
  const { champion } = state;
  await towardsSafety(context, {
    id: act.requestId,
    summary: `restore ${champion?.version ?? 'nothing'}`,
    desired:
      champion === null
        ? unavailableRoute(basis(state, null, []), act.reason)
        : steadyRoute(basis(state, champion, state.warm)),
    action: 'release.aborted',
    subject: { release: act.release },
    evidence: { reason: act.reason },
    actor: { kind: 'system', id: workflowInfo().workflowId },
  });
  context.update(abandonRelease(context.state, act.release, act.reason, Date.now()));
}

/** Unloads former champions whose rollback window is over. */
export async function dropExpiredWarm(context: ModelContext): Promise<void> {
  const { state } = context;
  const expired = new Set(expiredWarm(state, Date.now()).map(({ digest }) => digest));
  const warm = state.warm.filter(({ digest }) => !expired.has(digest));
  const id = `${workflowInfo().workflowId}/warm/${(state.generation ?? 0) + 1}`;
  const subject = {
    unloaded: state.warm.filter(({ digest }) => expired.has(digest)).map(({ version }) => version),
  };
  const change: TrafficChange = {
    model: context.model,
    changeId: id,
    desired: steadyRoute(basis(state, state.champion, warm)),
    expectedGeneration: 'any',
    before: [],
    after: context.entry(id, 'model.rollback-window-ended', subject),
    safety: false,
  };
  const changed = await context.parking.untilDone(
    'unload former champions',
    () => run('changeTraffic', 'the rollback window is over', change),
    true,
  );
  context.recorder.take(changed);
  context.update({ ...context.state, warm, generation: changed.generation });
}

/**
 * An act that waits for nobody and retries without end until it is seen done.
 * @returns false when no retry can help, because a version cannot be loaded
 */
async function towardsSafety(
  context: ModelContext,
  options: {
    readonly id: string;
    readonly summary: string;
    readonly desired: DesiredRoute;
    readonly action: string;
    readonly subject: Readonly<Record<string, unknown>>;
    readonly evidence: Readonly<Record<string, unknown>>;
    readonly actor: Actor;
  },
): Promise<boolean> {
  const { id, summary, desired, action, subject, evidence, actor } = options;
  const changeId = `${workflowInfo().workflowId}/${id}/${action}`;
  const change: TrafficChange = {
    model: context.model,
    changeId,
    desired,
    expectedGeneration: 'any',
    before: [context.entry(`${changeId}/intent`, `${action}-requested`, subject, evidence, actor)],
    after: context.entry(changeId, action, subject, evidence, actor),
    safety: true,
  };
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      const changed = await run('changeTraffic', summary, change);
      context.recorder.take(changed);
      context.update({ ...context.state, generation: changed.generation, alarm: null });
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      const why = describeFailure(error);
      context.update({ ...context.state, alarm: `${summary} is not verified: ${why}` });
      await alert(context.model, `${changeId}/unverified`, 'critical', `Not verified: ${summary}`, why);
      const { retries } = context.parking;
      await condition(() => context.parking.retries !== retries, pause, { summary: `try again: ${summary}` });
    }
  }
}
