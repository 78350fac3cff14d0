import type { LookTaken } from '../../contracts/activities.js';
import { canaryPlan, nextMove, takesAllTraffic } from '../../lifecycle/canary-plan.js';
import type { CanaryProgress } from '../../lifecycle/release-state.js';
import { canaryRoute } from '../../lifecycle/routing.js';
import { initialJudge, judge, nextLookAt } from '../../statistics/canary/index.js';
import { run } from '../support/run.js';
import type { ApprovalDesk } from './approval-desk.js';
import { clearGate } from './approve.js';
import type { ReleaseContext } from './context.js';
import { Ending } from './ending.js';
import { describeTrip, takeLook } from './looking.js';

/**
 * One move of the canary: a step's weight put in force, or one look. The candidate is judged as long as it gets traffic,
 * also while people decide and during a freeze.
 */
export async function canary(context: ReleaseContext, desk: ApprovalDesk): Promise<void> {
  const progress = context.state.canary ?? begin(context);
  if (!progress.applied) return enterStep(context, progress);
  if ((progress.cleared || progress.held !== null) && (await mayPromote(context, desk, progress)))
    return goOn(context, progress);
  const taken = await look(context, desk, progress);
  if (taken !== null) weigh(context, progress, taken);
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
    cleared: false,
  };
  context.state.canary = progress;
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
  state.canary = {
    ...progress,
    applied: true,
    drilled: progress.drilled || drill,
    sinceGeneration: state.generation ?? 0,
    stepStartedAt: now,
    nextLookAt: nextLookAt(progress.look?.keys ?? 0, weight),
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
  const gate = await clearGate(context, desk, 'beforePromote', evidence, held);
  if (gate === 'waiting') return false;
  await context.moveTo('canary', 'promotion');
  if (!context.state.frozen) return true;
  context.waitFor('the end of the freeze');
  return false;
}

async function goOn(context: ReleaseContext, progress: CanaryProgress): Promise<void> {
  const { steps } = context.state.input.manifest.canary;
  const last = steps.length - 1;
  if (progress.step < last && takesAllTraffic(steps, last)) {
    context.state.canary = { ...progress, step: last, applied: false, cleared: false, held: null };
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
    { keys: progress.nextLookAt, times: [horizon, stepEnd, ...expiry] },
    () => desk.status !== status || state.frozen !== frozen,
  );
}

function weigh(context: ReleaseContext, progress: CanaryProgress, taken: LookTaken): void {
  const { state } = context;
  const { manifest } = state.input;
  const plan = canaryPlan(manifest);
  const moment = {
    step: progress.step,
    sinceGeneration: progress.sinceGeneration,
    seconds: Math.max(0, (taken.takenAt - progress.stepStartedAt) / 1000),
    atHorizon: taken.takenAt >= progress.startedAt + manifest.canary.maxSeconds * 1000,
    soaking: false,
  };
  const judged = judge(progress.judge, plan, taken.counts, moment);
  const recorded = { counts: taken.counts, moment, look: judged.look, trips: taken.trips };
  context.recorder.addLazily(
    context.entry(context.id('look', judged.look.look), `canary.look`, { ...recorded, why: taken.why }),
  );
  const next: CanaryProgress = {
    ...progress,
    judge: judged.state,
    look: judged.look,
    nextLookAt: judged.look.nextLookAt,
  };
  state.canary = next;
  const trip = taken.trips[0];
  if (trip !== undefined) throw new Ending('rolled-back', describeTrip(trip), recorded);

  const move = nextMove(plan, progress.step, judged.look, moment.seconds);
  if (move.kind === 'roll-back') throw new Ending('rolled-back', move.reason, recorded);
  // Once cleared or held, only a rollback can change that; people see every further look.
  if (progress.cleared || progress.held !== null) return context.show();
  switch (move.kind) {
    case 'next-step':
      state.canary = { ...next, step: progress.step + 1, applied: false };
      return;
    case 'promote':
      state.canary = { ...next, cleared: true };
      return;
    case 'hold':
      state.canary = { ...next, held: move.as };
      return;
    case 'look-again':
      context.waitFor(`the next look at ${next.nextLookAt} keys: ${judged.look.sentence}`);
  }
}
