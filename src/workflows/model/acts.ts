import { workflowInfo } from '@temporalio/workflow';
import type { Actor } from '../../contracts/ledger.js';
import { person, system } from '../../lifecycle/entries.js';
import { changeChampion, championBefore, goBack } from '../../lifecycle/champions.js';
import { abandonRelease, adoptEnd } from '../../lifecycle/model-reports.js';
import { mitigated } from '../../lifecycle/model-incidents.js';
import { clearQueue, type PendingAct } from '../../lifecycle/model-state.js';
import { steadyRoute, unavailableRoute } from '../../lifecycle/routing.js';
import { basis } from './basis.js';
import type { ModelContext } from './context.js';
import { endTroubles, lostRelease, rollBackFailed, rollBackIsOver, rolledBackByHand } from './incidents.js';
import { towardsSafety } from './towards-safety.js';

/** Carries out one pending act; it stays pending until it is done, so a new run of the workflow takes it up again. */
export async function perform(context: ModelContext, pending: PendingAct): Promise<void> {
  const act = { ...pending, at: pending.at ?? new Date().toISOString() };
  replace(context, pending, act);
  if (await carryOut(context, act)) replace(context, act, null);
}

function replace(context: ModelContext, old: PendingAct, act: PendingAct | null): void {
  const pending = context.state.pending.flatMap((other) =>
    other === old ? (act === null ? [] : [act]) : [other],
  );
  context.update({ ...context.state, pending });
}

/** @returns whether it is over; otherwise it is to be taken up again */
function carryOut(context: ModelContext, act: PendingAct): Promise<boolean> {
  switch (act.kind) {
    case 'restore':
      return restore(context, act);
    case 'roll-back':
      return rollBack(context, act);
    case 'retire':
      return retire(context, act);
    case 'realign':
      return realign(context, act);
  }
}

async function rollBack(
  context: ModelContext,
  act: Extract<PendingAct, { kind: 'roll-back' }>,
): Promise<boolean> {
  const { state } = context;
  // Ending the release in flight may already have been the whole way back.
  if (state.champion?.digest === act.to.digest) {
    mitigate(context, act);
    return true;
  }
  const warm = state.champion === null ? state.warm : [state.champion, ...state.warm];
  const done = await towardsSafety(context, act, {
    id: act.requestId,
    summary: `roll back to ${act.to.version}`,
    desired: steadyRoute(basis(state, act.to, warm)),
    action: 'model.rolled-back',
    subject: { ...act.to, from: state.champion },
    evidence: { reason: act.reason, ...(act.finding === undefined ? {} : { finding: act.finding }) },
    actor: actorOf(act),
  });
  if (done === 'done') {
    const from = context.state.champion;
    context.update(goBack(context.state, act.to, Date.now()));
    if (act.finding === undefined) rolledBackByHand(context, from, act);
    mitigate(context, act);
    rollBackIsOver(context);
  }
  if (done !== 'impossible') return done !== 'later';
  rollBackFailed(context, act);
  // The wanted version cannot be loaded: what serves stays, and the table must say so.
  const undone = await towardsSafety(context, act, {
    id: `${act.requestId}/undo`,
    summary: `${state.champion?.version ?? 'nothing'} goes on serving`,
    desired:
      state.champion === null
        ? unavailableRoute(basis(state, null, []), act.reason)
        : steadyRoute(basis(state, state.champion, state.warm)),
    action: 'model.rollback-failed',
    subject: { ...act.to },
    evidence: { reason: 'the version cannot be loaded' },
    actor: actorOf(act),
  });
  return undone !== 'later';
}

type RollBack = Extract<PendingAct, { kind: 'roll-back' }>;

/** A person asked for it, or the policy. */
const actorOf = ({ by, finding }: RollBack): Actor => (finding === undefined ? person(by) : system(by));

/** Users are protected from what the rollback was for: the incidents hear of it, and the cause is still to be measured as gone. */
function mitigate(context: ModelContext, { to, incident }: RollBack): void {
  if (incident !== undefined)
    context.update(mitigated(context.state, [incident], `back on ${to.version}`, Date.now()));
}

async function retire(context: ModelContext, act: Extract<PendingAct, { kind: 'retire' }>): Promise<boolean> {
  const { state } = context;
  const done = await towardsSafety(context, act, {
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
  if (done !== 'done') return false;
  const now = Date.now();
  const empty = clearQueue(
    { ...changeChampion(context.state, null, 0, now), warm: [] },
    'the model is retired',
    now,
  );
  context.update({ ...empty, retired: true });
  return true;
}

async function restore(
  context: ModelContext,
  act: Extract<PendingAct, { kind: 'restore' }>,
): Promise<boolean> {
  const { state } = context;
  const champion = championBefore(state, act.release);
  const done = await towardsSafety(context, act, {
    id: act.requestId,
    summary: `restore ${champion?.version ?? 'nothing'}`,
    desired:
      champion === null
        ? unavailableRoute(basis(state, null, []), act.reason)
        : steadyRoute(basis(state, champion, state.warm)),
    action: 'release.aborted',
    subject: { release: act.release },
    evidence: { reason: act.reason },
    actor: system(workflowInfo().workflowId),
  });
  if (done === 'later' || done === 'impossible') return false;
  if (typeof done === 'object') {
    // It had ended well, or by itself, and was lost before it could say so.
    context.update(adoptEnd(context.state, act.release, done, Date.now()));
    endTroubles(context, act.release, act.reason);
    return true;
  }
  context.update(abandonRelease(context.state, act.release, act.reason, Date.now()));
  endTroubles(context, act.release, act.reason);
  lostRelease(context, act.release, act.reason);
  return true;
}

/** Sets the table that this state asks for, above every generation that is known: one that was lost or set back is not repeated. */
async function realign(
  context: ModelContext,
  act: Extract<PendingAct, { kind: 'realign' }>,
): Promise<boolean> {
  const { state } = context;
  const { champion, warm, retired } = state;
  const of = basis(state, champion, champion === null ? [] : warm);
  const nothing = unavailableRoute(
    of,
    retired ? `model ${context.model} is retired` : 'no version of this model serves',
    retired ? 'retired' : 'steady',
  );
  const done = await towardsSafety(context, act, {
    id: act.requestId,
    summary: `set the routing table again: ${champion === null ? 'nothing serves' : `${champion.version} serves`}`,
    desired: champion === null ? nothing : steadyRoute(of),
    action: 'model.realigned',
    subject: { champion },
    evidence: { reason: act.reason, found: act.found },
    actor: person(act.by),
    above: state.generation ?? 0,
  });
  return done !== 'later' && done !== 'impossible';
}
