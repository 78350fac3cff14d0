import { CancellationScope, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { TrafficChange } from '../../contracts/activities.js';
import { expiredWarm } from '../../lifecycle/model-state.js';
import { steadyRoute } from '../../lifecycle/routing.js';
import { describeFailure } from '../support/failures.js';
import { run } from '../support/run.js';
import { basis } from './basis.js';
import type { ModelContext } from './context.js';

const POSTPONED_MS = 10 * 60_000;

/**
 * Unloads former champions whose rollback window is over. It is housekeeping: an act that people wait for goes before, and
 * what cannot be unloaded now is unloaded later.
 */
export async function dropExpiredWarm(context: ModelContext): Promise<void> {
  const { state } = context;
  const expired = new Set(expiredWarm(state, Date.now()).map(({ digest }) => digest));
  const warm = state.warm.filter(({ digest }) => !expired.has(digest));
  const id = `${workflowInfo().workflowId}/warm/${(state.generation ?? 0) + 1}/${Date.now()}`;
  const subject = {
    unloaded: state.warm.filter(({ digest }) => expired.has(digest)).map(({ version }) => version),
  };
  const change: TrafficChange = {
    model: context.model,
    changeId: id,
    desired: steadyRoute(basis(state, state.champion, warm)),
    expectedGeneration: state.generation ?? 0,
    before: [context.entry(`${id}/intent`, 'model.rollback-window-ended-requested', subject)],
    after: context.entry(id, 'model.rollback-window-ended', subject),
    safety: false,
  };
  const scope = new CancellationScope();
  const urgent = scope.run(() => condition(() => context.state.pending.length > 0).then(() => null));
  try {
    const changed = await Promise.race([
      scope.run(() => run('changeTraffic', 'the rollback window is over', change)),
      urgent,
    ]);
    if (changed === null) return;
    context.recorder.take(changed);
    context.update({ ...context.state, warm, generation: changed.generation });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const until = new Date(Date.now() + POSTPONED_MS).toISOString();
    context.update({
      ...context.state,
      warm: state.warm.map((kept) => (expired.has(kept.digest) ? { ...kept, until } : kept)),
    });
    context.parking.tell(`${id}/postponed`, 'info', 'Former champions not unloaded', describeFailure(error));
  } finally {
    scope.cancel();
    urgent.catch(() => undefined);
  }
}
