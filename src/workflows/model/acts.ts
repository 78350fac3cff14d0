import { CancellationScope, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { RecordedEnd, TrafficChange } from '../../contracts/activities.js';
import type { Actor } from '../../contracts/ledger.js';
import type { VersionRef } from '../../contracts/model.js';
import type { DesiredRoute } from '../../contracts/routes.js';
import { person, system } from '../../lifecycle/entries.js';
import { changeChampion, championBefore, goBack } from '../../lifecycle/champions.js';
import { abandonRelease, adoptEnd } from '../../lifecycle/model-reports.js';
import { mitigated } from '../../lifecycle/model-incidents.js';
import { clearQueue, expiredWarm, type ModelState, type PendingAct } from '../../lifecycle/model-state.js';
import { steadyRoute, unavailableRoute, type RouteBasis } from '../../lifecycle/routing.js';
import { FailureType } from '../../contracts/failures.js';
import { isHistoryLong } from '../support/continuing.js';
import { applicationFailure, describeFailure, recordedEnd } from '../support/failures.js';
import { FIRST_PAUSE_MS, nextPause } from '../support/pauses.js';
import { run, runTowardsSafety } from '../support/run.js';
import type { ModelContext } from './context.js';
import { endTroubles, lostRelease, rolledBackByHand } from './incidents.js';

const basis = (state: ModelState, champion: VersionRef | null, warm: readonly VersionRef[]): RouteBasis => ({
  manifest: state.manifest,
  champion,
  warm,
  release: null,
  slowThresholdMs: null,
});

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
  }
  if (done !== 'impossible') return done !== 'later';
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

/** `overtaken`: people asked for something newer meanwhile. `later`: the history has grown long, try again in a new run. */
type Done = 'done' | 'impossible' | 'overtaken' | 'later' | RecordedEnd;

/**
 * An act that waits for nobody and retries without end until it is seen done.
 * @returns `impossible` when no retry can help, because a version cannot be loaded; the end of the release that the act is about,
 * when the ledger holds one
 */
async function towardsSafety(
  context: ModelContext,
  act: PendingAct,
  options: {
    readonly id: string;
    readonly summary: string;
    readonly desired: DesiredRoute;
    readonly action: string;
    readonly subject: Readonly<Record<string, unknown>>;
    readonly evidence: Readonly<Record<string, unknown>>;
    readonly actor: Actor;
    /** The new generation is to be above this one too. */
    readonly above?: number;
  },
): Promise<Done> {
  const { id, summary, desired, action, subject, evidence, actor, above } = options;
  const changeId = `${workflowInfo().workflowId}/${id}/${action}`;
  const at = act.at === null ? Date.now() : Date.parse(act.at);
  const change: TrafficChange = {
    model: context.model,
    changeId,
    desired,
    expectedGeneration: 'any',
    before: [context.entry(`${changeId}/intent`, `${action}-requested`, subject, evidence, actor, at)],
    after: context.entry(changeId, action, subject, evidence, actor, at),
    safety: true,
    ...(above === undefined ? {} : { above }),
  };
  const over = (): void => context.parking.end('unverified', summary);
  for (let pause = FIRST_PAUSE_MS, told = false; ;) {
    try {
      const changed = await runTowardsSafety(summary, change);
      over();
      context.recorder.take(changed);
      context.parking.tellCountedOut(changeId, changed);
      context.update({ ...context.state, generation: changed.generation, alarm: null });
      return 'done';
    } catch (error) {
      if (isCancellation(error)) throw error;
      const end = recordedEnd(error);
      if (end !== null) {
        over();
        return end;
      }
      if (act.kind === 'roll-back' && applicationFailure(error)?.type === FailureType.ArtifactInvalid) {
        over();
        return 'impossible';
      }
      const why = describeFailure(error);
      context.update({ ...context.state, alarm: `${summary} is not verified: ${why}` });
      if (!told)
        context.parking.begin({
          origin: 'unverified',
          what: summary,
          severity: 'critical',
          title: `Not verified: ${summary}`,
          text: why,
          key: `${changeId}/unverified`,
        });
      told = true;
      const { retries } = context.parking;
      const overtaken = (): boolean => context.state.pending.at(-1) !== act;
      await condition(() => context.parking.retries !== retries || overtaken(), pause, {
        summary: `try again: ${summary}`,
      });
      pause = nextPause(error, pause);
      if (overtaken()) {
        over();
        context.recorder.add(
          context.entry(`${changeId}/overtaken`, 'model.act-overtaken', { act: summary }, { why }),
        );
        return 'overtaken';
      }
      if (isHistoryLong(context.historyLimit)) return 'later';
    }
  }
}
