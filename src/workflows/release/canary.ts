import { CancellationScope, condition, patched } from '@temporalio/workflow';
import type { LookTaken } from '../../contracts/activities.js';
import type { LookResult } from '../../contracts/canary.js';
import { canaryPlan, nextMove, takesAllTraffic, type NextMove } from '../../lifecycle/canary-plan.js';
import type { CanaryProgress } from '../../lifecycle/release-state.js';
import { canaryRoute } from '../../lifecycle/routing.js';
import { initialJudge, judge, nextLookAt } from '../../statistics/canary/index.js';
import { isHistoryLong } from '../support/continuing.js';
import { run } from '../support/run.js';
import type { ApprovalDesk } from './approval-desk.js';
import { askAgain, clearGate } from './approve.js';
import type { ReleaseContext } from './context.js';
import { Ending } from './ending.js';
import { isHeldBack, nextAsking, THAW } from './freezing.js';
import { describeTrip, LOOK, takeLook } from './looking.js';

/**
 * One move of the canary: a step's weight put in force, or one look. The candidate is judged as long as it gets traffic,
 * also while people decide and during a freeze.
 */
export async function canary(context: ReleaseContext, desk: ApprovalDesk): Promise<void> {
  const progress = context.state.canary ?? begin(context);
  if (!progress.applied) return watching(context, progress.step - 1, () => enterStep(context, progress));
  if ((progress.cleared || progress.held !== null) && (await mayPromote(context, desk, progress)))
    return goOn(context, context.state.canary ?? progress);
  const taken = await look(context, desk, progress);
  if (taken !== null) weigh(context, taken);
}

function begin(context: ReleaseContext): CanaryProgress {
  const { input, history } = context.state;
  const plan = canaryPlan(input.manifest);
  const now = Date.now();
  const progress: CanaryProgress = {
    step: 0,
    applied: false,
    drilled: false,
    sinceGeneration: 0,
    startedAt: now,
    stepStartedAt: now,
    judge: initialJudge(plan, history ?? undefined),
    look: null,
    nextLookAt: 0,
    held: null,
    promotedAs: null,
    cleared: false,
  };
  context.state.canary = progress;
  // With the looks, all that an auditor needs to recompute every verdict.
  context.recorder.addLazily(context.entry(context.id('canary/plan'), 'canary.planned', { plan, history }));
  return progress;
}

const weightOf = (context: ReleaseContext, step: number): number =>
  context.state.input.manifest.canary.steps[step]?.weight ?? 1;

const percent = (weight: number): string => `${Math.round(weight * 10_000) / 100} %`;

async function enterStep(context: ReleaseContext, progress: CanaryProgress): Promise<void> {
  const { state } = context;
  const { input } = state;
  const weight = weightOf(context, progress.step);
  const desired = canaryRoute(context.basis, input.version, weight);
  context.waitFor(`every gateway to send ${percent(weight)} to ${input.version.version}`);
  await context.changeTraffic({
    step: `canary/${progress.step + 1}`,
    summary: `${percent(weight)} of the keys to ${input.version.version}`,
    desired,
    action: 'canary.step-applied',
    evidence: { step: progress.step + 1, weight, slowThresholdMs: state.slowThresholdMs },
  });
  const drill = input.manifest.canary.rollbackDrill && !progress.drilled;
  if (drill) {
    const id = context.id('drill');
    const rehearsal = {
      model: input.model,
      changeId: id,
      desired,
      expectedGeneration: state.generation ?? 0,
      before: [context.entry(`${id}/intent`, 'canary.rollback-rehearsal-requested')],
      after: context.entry(id, 'canary.rollback-rehearsed'),
      safety: false,
    };
    const rehearsed = await context.parking.untilDone('rehearse the rollback', () =>
      run('rehearseRollback', 'to weight 0 and back, timed', rehearsal),
    );
    state.generation = rehearsed.generation;
    context.recorder.take(rehearsed);
  }
  const now = Date.now();
  const judged = state.canary ?? progress;
  state.canary = {
    ...judged,
    applied: true,
    drilled: progress.drilled || drill,
    sinceGeneration: state.generation ?? 0,
    stepStartedAt: now,
    nextLookAt: nextLookAt(judged.look?.keys ?? 0, weight),
  };
  await context.moveTo('canary', `the first look at ${percent(weight)}`);
}

/** The step after this one takes all traffic, or promotion follows: what a person's word or a freeze may hold back. */
async function mayPromote(
  context: ReleaseContext,
  desk: ApprovalDesk,
  progress: CanaryProgress,
): Promise<boolean> {
  const held = progress.held !== null;
  const evidence = { look: progress.look, ...(held ? { heldAs: progress.held } : {}) };
  let gate: 'cleared' | 'waiting' = 'waiting';
  await watching(context, progress.step, async () => {
    gate = await clearGate(context, desk, 'beforePromote', evidence, held);
  });
  if ((gate as string) === 'waiting') return false;
  await context.moveTo('canary', 'promotion');
  let heldBack = false;
  await watching(context, progress.step, async () => {
    heldBack = await isHeldBack(context);
  });
  if (!(heldBack as boolean)) return true;
  context.waitFor(THAW);
  return false;
}

async function goOn(context: ReleaseContext, progress: CanaryProgress): Promise<void> {
  const { steps } = context.state.input.manifest.canary;
  const last = steps.length - 1;
  if (progress.step < last && takesAllTraffic(steps, last)) {
    context.state.canary = {
      ...progress,
      step: last,
      applied: false,
      cleared: false,
      held: null,
      promotedAs: progress.held,
    };
    return;
  }
  await context.moveTo('promoting', 'every gateway to serve the new champion');
}

function look(
  context: ReleaseContext,
  desk: ApprovalDesk,
  progress: CanaryProgress,
): Promise<LookTaken | null> {
  const { state } = context;
  const { manifest } = state.input;
  const step = manifest.canary.steps[progress.step];
  const horizon = progress.startedAt + manifest.canary.maxSeconds * 1000;
  const stepEnd = progress.stepStartedAt + (step?.minSeconds ?? 0) * 1000;
  const expiry = state.approval === null ? [] : [Date.parse(state.approval.expiresAt)];
  const { frozen } = state;
  const { status } = desk;
  return takeLook(
    context,
    {
      keys: progress.nextLookAt,
      times: [horizon, ...expiry, ...nextAsking(context)],
      recordedAs: nextLookId(context),
      whenNew: { from: stepEnd, requests: seenOfCandidate(progress) },
    },
    () => desk.status !== status || state.frozen !== frozen,
  );
}

/** Of the event that the next look of the canary or its soak will be. */
export const nextLookId = (context: ReleaseContext): string =>
  context.id('look', (context.state.canary?.judge.looks ?? 0) + 1);

/** Requests of the candidate that the looks so far have seen. */
const seenOfCandidate = ({ judge: { generations } }: CanaryProgress): number =>
  generations.reduce((sum, { seen }) => sum + seen.requests[0], 0);

/** @throws Ending `rolled-back` */
function judgeLook(context: ReleaseContext, step: number, taken: LookTaken): JudgedLook {
  const { state } = context;
  const { manifest } = state.input;
  const progress = state.canary ?? begin(context);
  const plan = canaryPlan(manifest);
  const moment = taken.moment ?? {
    step,
    sinceGeneration: progress.sinceGeneration,
    seconds: Math.max(0, (taken.takenAt - progress.stepStartedAt) / 1000),
    atHorizon: taken.takenAt >= progress.startedAt + manifest.canary.maxSeconds * 1000,
    soaking: false,
  };
  const { state: judgeState, look } = judge(progress.judge, plan, taken.counts, moment);
  const recorded = { counts: taken.counts, moment, look, trips: taken.trips };
  context.recorder.addLazily(
    context.entry(context.id('look', look.look), `canary.look`, { ...recorded, why: taken.why }),
  );
  // After a reset the step goes on from when it began, not from when it was taken up again.
  const stepStartedAt =
    taken.moment === undefined ? progress.stepStartedAt : taken.takenAt - moment.seconds * 1000;
  state.canary = { ...progress, stepStartedAt, judge: judgeState, look, nextLookAt: look.nextLookAt };
  const trip = taken.trips[0];
  if (trip !== undefined) throw new Ending('rolled-back', describeTrip(trip), recorded);
  // Runs from before looked on without end where all traffic had too few keys.
  const late = moment.atHorizon && takesAllTraffic(plan.steps, step) && patched('all-traffic-is-held-too');
  const move = nextMove(plan, step, look, moment.seconds, late);
  if (move.kind === 'roll-back') throw new Ending('rolled-back', move.reason, recorded);
  return { progress: state.canary, look, move };
}

interface JudgedLook {
  readonly progress: CanaryProgress;
  readonly look: LookResult;
  readonly move: Exclude<NextMove, { kind: 'roll-back' }>;
}

/**
 * Does an act of the canary; should it be parked, the candidate is judged on meanwhile, and a rollback ends the act.
 * @param step whose weight is in force; -1 before the first
 */
export async function watching(
  context: ReleaseContext,
  step: number,
  act: () => Promise<void>,
): Promise<void> {
  const scope = new CancellationScope();
  let over = false;
  const acting = scope.run(act).finally(() => (over = true));
  acting.catch(() => undefined);
  const held = (): boolean => context.parking.holdsUp(LOOK) && step >= 0;
  try {
    for (;;) {
      await condition(() => over || held());
      if (over) return await acting;
      // What is parked is taken up again in the new run.
      if (isHistoryLong(context.state.input.historyLimit)) return;
      const keys = context.state.canary?.nextLookAt ?? 0;
      const taken = await takeLook(
        context,
        { keys, times: [], recordedAs: nextLookId(context) },
        () => over || !held(),
      );
      if (taken !== null) judgeLook(context, step, taken);
    }
  } finally {
    scope.cancel();
  }
}

function weigh(context: ReleaseContext, taken: LookTaken): void {
  const { state } = context;
  const { progress: next, look: judged, move } = judgeLook(context, state.canary?.step ?? 0, taken);
  // Once cleared or held, only a rollback can change that; people see every further look.
  if (next.cleared || next.held !== null) return context.show();
  switch (move.kind) {
    case 'next-step':
      state.canary = { ...next, step: next.step + 1, applied: false };
      return;
    case 'promote':
      state.canary = { ...next, cleared: true };
      return;
    case 'hold':
      state.canary = { ...next, held: move.as };
      // What people approved before was to send all traffic, on the evidence of then.
      if (takesAllTraffic(canaryPlan(state.input.manifest).steps, next.step))
        askAgain(context, 'beforePromote');
      return;
    case 'look-again':
      context.waitFor(`the next look at ${next.nextLookAt} keys: ${judged.sentence}`);
  }
}
