import {
  ApplicationFailure,
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  patched,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { RecordedEnd } from '../contracts/activities.js';
import {
  abortRelease,
  abortReleaseNow,
  approvalDecision,
  decideApproval,
  freezeChanged,
  releaseState,
  retryParked,
  type FreezeChange,
  type ReasonedRequest,
} from '../contracts/messages.js';
import type { ReleaseOutcome } from '../contracts/model.js';
import { approvalPoint, decisionShapeProblem } from '../lifecycle/approvals.js';
import { takesAllTraffic } from '../lifecycle/canary-plan.js';
import { initialReleaseState, type ReleaseInput, type ReleaseState } from '../lifecycle/release-state.js';
import { isOutcome } from '../lifecycle/stages.js';
import { ApprovalDesk } from './release/approval-desk.js';
import { awaitDecision, clearGate } from './release/approve.js';
import { canary, watching } from './release/canary.js';
import { compensate, prepareEnding } from './release/compensate.js';
import { ReleaseContext } from './release/context.js';
import { deploy } from './release/deploy.js';
import { Ending } from './release/ending.js';
import { awaitThaw, isHeldBack, THAW } from './release/freezing.js';
import { promote } from './release/promote.js';
import { openShadowPlan, shadow } from './release/shadow.js';
import { soak } from './release/soak.js';
import { validate } from './release/validate.js';
import { beside } from './support/beside.js';
import { isHistoryLong, isSettled } from './support/continuing.js';
import { describeFailure, isRefusal, recordedEnd, textOf } from './support/failures.js';

/**
 * One attempt to bring a version to production: validate, approve, deploy, shadow, canary, promote, soak; or compensate.
 * @param carried the state of the run before, after continue-as-new
 * @returns how it ended
 */
export async function modelRelease(input: ReleaseInput, carried?: ReleaseState): Promise<ReleaseOutcome> {
  const state = carried === undefined ? initialReleaseState(input) : { ...carried, input };
  const context = new ReleaseContext(state);
  const desk = new ApprovalDesk(context);
  const stages = new CancellationScope();

  setHandler(releaseState, () => context.view(), {
    description: 'Where the release stands',
  });
  setHandler(approvalDecision, (decision) => desk.receive(decision), { description: "A person's decision" });
  setHandler(decideApproval, (decision) => desk.decide(decision), {
    description: "A person's decision, answered",
    validator: (decision) => {
      const problem = decisionShapeProblem(decision);
      if (problem !== null) throw ApplicationFailure.nonRetryable(problem, 'InvalidRequest');
    },
  });
  setHandler(retryParked, () => context.parking.retry(), { description: 'Try again what is parked' });
  setHandler(
    freezeChanged,
    (message?: Partial<FreezeChange>) => {
      state.frozen = message?.frozen === true;
      const { reason, until } = message ?? {};
      state.freeze = state.frozen ? { reason: textOf(reason, 'frozen'), until: until ?? null } : null;
    },
    { description: 'From the model' },
  );
  // Pasted into the Temporal UI in an emergency: whatever it says, it aborts.
  const abort = (request?: Partial<ReasonedRequest>): void => {
    state.abort ??= {
      by: textOf(request?.actor, 'unknown'),
      reason: textOf(request?.reason, 'aborted without a reason'),
    };
    stages.cancel();
  };
  setHandler(abortRelease, abort, { description: 'End the release; the former champion serves' });
  setHandler(
    abortReleaseNow,
    (request) => {
      abort(request);
      return { accepted: true };
    },
    { description: 'The same, answered; also when the server takes no more signals' },
  );
  context.whenOver = () => stages.cancel();
  beside(CancellationScope.nonCancellable(() => context.recorder.work()));
  beside(CancellationScope.nonCancellable(() => desk.work()));
  context.show();

  if (state.ending === null) {
    try {
      if (state.abort !== null) stages.cancel();
      if (!(await stages.run(() => runStages(context, desk)))) return await carryOver(context, desk);
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      const end = recordedEnd(error);
      if (end !== null) context.endAsRecorded(end);
      if (state.over === undefined) state.ending = prepareEnding(context, endingOf(error, state));
    }
  }
  return context.uncancelled(async () => {
    const ends = isOutcome(state.stage) || state.over !== undefined;
    if (!ends && !(await compensate(context))) return carryOver(context, desk);
    await finish(context, desk);
    return isOutcome(state.stage) ? state.stage : 'aborted';
  });
}

/** One stage, or one move of it, after another. @returns false when the history has grown long */
async function runStages(context: ReleaseContext, desk: ApprovalDesk): Promise<boolean> {
  const { state } = context;
  while (!isOutcome(state.stage)) {
    if (isHistoryLong(state.input.historyLimit)) return false;
    await runStage(context, desk);
  }
  return true;
}

async function runStage(context: ReleaseContext, desk: ApprovalDesk): Promise<void> {
  const { state } = context;
  const unjudged = state.input.champion === null || takesAllTraffic(state.input.manifest.canary.steps, 0);
  const copies = openShadowPlan(state);
  switch (state.stage) {
    case 'validating':
      await validate(context);
      if (approvalPoint(state.input.manifest, 'beforeDeploy', false) === null) {
        state.approved.beforeDeploy = true;
        return context.moveTo('deploying', 'the deployment');
      }
      return context.moveTo('awaiting-approval', 'approval before deployment');
    case 'awaiting-approval':
      if (!state.approved.beforeDeploy) {
        const evidence = { evidenceHash: state.validation?.evidenceHash, gates: state.validation?.gates };
        if ((await clearGate(context, desk, 'beforeDeploy', evidence, false)) === 'waiting')
          return awaitDecision(context, desk);
        return context.moveTo('deploying', 'the deployment');
      }
      return unjudged ? promoteUnjudged(context, desk) : canary(context, desk);
    case 'deploying':
      if (!state.deployed) return deploy(context);
      if (copies !== null) return shadow(context, copies);
      return unjudged ? promoteUnjudged(context, desk) : context.moveTo('canary', 'the first step');
    case 'canary':
      return canary(context, desk);
    case 'promoting':
      return state.canary === null
        ? promote(context)
        : watching(context, state.canary.step, () => promote(context));
    case 'soaking':
      return soak(context);
    case 'succeeded':
    case 'rejected':
    case 'rolled-back':
    case 'aborted':
  }
}

/**
 * Without anybody to compare with, the first version of a model or a plan whose only step takes all traffic, people and gates
 * decide. What a plan wants proven and nothing can prove is a person's decision.
 */
async function promoteUnjudged(context: ReleaseContext, desk: ApprovalDesk): Promise<void> {
  const { input, validation } = context.state;
  const probationary = input.champion === null;
  const held = !probationary && input.manifest.canary.judgement === 'prove';
  const evidence = { evidenceHash: validation?.evidenceHash, probationary, unjudged: true };
  if ((await clearGate(context, desk, 'beforePromote', evidence, held)) === 'waiting') {
    await context.moveTo('awaiting-approval', 'approval before promotion');
    return awaitDecision(context, desk);
  }
  if (await isHeldBack(context)) {
    await context.moveTo('awaiting-approval', THAW);
    return awaitThaw(context);
  }
  return context.moveTo('promoting', 'every gateway to serve the new champion');
}

/** Continues as new at a point where no effect is in flight, with everything that is known. */
async function carryOver(context: ReleaseContext, desk: ApprovalDesk): Promise<never> {
  // A flood brings new work with each message: without a rest there would be no moment to go over.
  if (patched('rest-before-a-new-run')) {
    desk.rest();
    context.recorder.rest();
  }
  try {
    await condition(() => desk.settled && isSettled(context));
    const { abort, ending } = context.state;
    if (abort !== null && ending === null) throw new Ending('aborted', abort.reason);
  } catch (error) {
    // There is no new run after all: the release ends in this one, and has that to record.
    desk.wake();
    context.recorder.wake();
    throw error;
  }
  return continueAsNew<typeof modelRelease>(context.state.input, context.snapshot());
}

/** Any end that is not success. A failure that nobody foresaw fails the workflow task: fixed code then resumes the release. */
function endingOf(error: unknown, state: ReleaseState): Ending {
  if (state.abort !== null) return new Ending('aborted', state.abort.reason);
  if (error instanceof Ending) return error;
  if (isCancellation(error)) return new Ending('aborted', 'the workflow was cancelled in Temporal');
  if (isRefusal(error)) return new Ending('rolled-back', describeFailure(error));
  throw error;
}

/** The workflow was reset after the release had ended: it ends as its record says, and has changed nothing. */
async function endAsBefore(context: ReleaseContext, { outcome, generation }: RecordedEnd): Promise<void> {
  const { input } = context.state;
  context.state.generation = generation ?? context.state.generation;
  if (context.isOverAsItself)
    return context.moveTo(outcome, 'nothing', `it had ended ${outcome} before its workflow was reset`);
  const other = `release ${input.release} of ${input.model} was of another artifact, by the ledger: the model's workflow has lost its state`;
  return context.moveTo('aborted', 'nothing', `${other}; see \`tenure doctor\``);
}

const REPORT_TRIES = 10;

/** The model's workflow is away or gone: people must know that it does not know, and the model may be made again meanwhile. */
async function unheard(context: ReleaseContext, attempt: number): Promise<void> {
  const { input, stage } = context.state;
  const title = `${input.model} does not know that release ${input.release} ended ${stage}`;
  if (attempt === 1 && patched('unheard-ends-are-told')) {
    const id = context.id('report-not-taken');
    const why = "the model's workflow does not take the report: see `tenure doctor`";
    context.recorder.add(context.entry(id, 'release.report-not-taken', { stage, why }));
    context.parking.tell(id, 'warning', title, why);
  }
  context.waitFor(`the model's workflow to take its report (try ${attempt} of ${REPORT_TRIES})`);
  await sleep('1m', { summary: 'tell the model again how it ended' });
}

/** Everything recorded, everybody answered, the model told. */
async function finish(context: ReleaseContext, desk: ApprovalDesk): Promise<void> {
  const { recorder } = context;
  await recorder.flushWithin('10s');
  if (context.state.over !== undefined) await endAsBefore(context, context.state.over);
  for (let attempt = 1; !(await context.report()) && attempt < REPORT_TRIES; attempt += 1)
    await unheard(context, attempt);
  context.waitFor('nothing');
  do {
    await condition(() => desk.idle && isSettled(context));
    desk.tellJunk();
    await recorder.flush();
  } while (!(desk.idle && isSettled(context)));
}
