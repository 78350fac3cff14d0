import {
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  ParentClosePolicy,
  ChildWorkflowCancellationType,
  setHandler,
  startChild,
  workflowInfo,
  ApplicationFailure,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { releaseWorkflowId } from '../contracts/ids.js';
import type { LedgerEntry } from '../contracts/ledger.js';
import type { Manifest } from '../contracts/manifest.js';
import {
  abortQueued,
  applyManifest,
  freezeModel,
  incidentReported,
  modelState,
  monitorReported,
  reconcileModel,
  registerVersion,
  releaseReported,
  retireModel,
  retrainingReported,
  retrainModel,
  retryParked,
  rollBackModel,
  submitRelease,
  troubleReported,
  unfreezeModel,
  type Request,
} from '../contracts/messages.js';
import {
  TenureModel,
  TenureOwner,
  TenureRiskTier,
  TenureStage,
  TenureVersion,
} from '../contracts/search-attributes.js';
import { promotionHold } from '../lifecycle/model-incidents.js';
import { reportProblem } from '../lifecycle/model-reports.js';
import {
  expiredWarm,
  initialModelState,
  isFrozen,
  nextDeadline,
  nextToStart,
  release,
  startRelease,
  type ModelState,
} from '../lifecycle/model-state.js';
import { nextRevalidationNotice, revalidationNotice } from '../lifecycle/revalidation.js';
import { retrainingReportProblem } from '../lifecycle/retraining.js';
import { perform } from './model/acts.js';
import { ModelContext } from './model/context.js';
import {
  handleAbort,
  handleApply,
  handleFreeze,
  handleReconcile,
  handleRegister,
  handleRetire,
  handleRollBack,
  handleSubmit,
  handleUnfreeze,
} from './model/handlers.js';
import { retrainingDesk } from './model/retraining-desk.js';
import { handleRetrain } from './model/retraining-requests.js';
import { receiveReport } from './model/retraining-run.js';
import { modelRelease } from './modelRelease.js';
import * as shapes from './model/shapes.js';
import { receiveIncidentReport, receiveReleaseReport, remindOfRevalidation } from './model/incidents.js';
import { receiveMonitorReport } from './model/monitor.js';
import { receiveTrouble } from './model/troubles.js';
import { dropExpiredWarm } from './model/warm.js';
import { beside } from './support/beside.js';
import { isHistoryLong, isSettled } from './support/continuing.js';

export interface LifecycleInput {
  /** The manifest that the model starts with; applied, and recorded, by the update that starts the workflow. */
  readonly manifest: Manifest;
  /** Tests lower it: continue as new after so many events of history. */
  readonly historyLimit?: number;
  /** The same for the model's releases. */
  readonly releaseHistoryLimit?: number;
}

interface Carried {
  readonly state: ModelState;
  readonly unrecorded: readonly LedgerEntry[];
}

/** The one owner of a model's state, as long as the model lives. Sleeps until something happens to the model. */
export async function modelLifecycle(input: LifecycleInput, carried?: Carried): Promise<never> {
  const state = carried?.state ?? initialModelState(input.manifest);
  const context = new ModelContext(state, carried?.unrecorded ?? [], input.historyLimit);
  /** The same request again gets the same answer; anything else is handled. */
  const once =
    <R extends Request, A extends { readonly accepted: boolean }>(
      message: string,
      handle: (context: ModelContext, request: R) => Promise<A>,
    ) =>
    (request: R): Promise<A> =>
      CancellationScope.nonCancellable(() => context.once(message, handle, request));

  setHandler(modelState, () => context.view(), {
    description: 'What the model is doing',
  });
  setHandler(applyManifest, once('applyManifest', handleApply), { validator: shapes.apply(context.model) });
  setHandler(registerVersion, once('registerVersion', handleRegister), { validator: shapes.register });
  setHandler(submitRelease, once('submitRelease', handleSubmit), { validator: shapes.submit });
  setHandler(abortQueued, once('abortQueued', handleAbort), { validator: shapes.abort });
  setHandler(rollBackModel, once('rollBackModel', handleRollBack), { validator: shapes.rollBack });
  setHandler(freezeModel, once('freezeModel', handleFreeze), { validator: shapes.freeze });
  setHandler(unfreezeModel, once('unfreezeModel', handleUnfreeze), { validator: shapes.reasoned });
  setHandler(retireModel, once('retireModel', handleRetire), { validator: shapes.reasoned });
  setHandler(reconcileModel, once('reconcileModel', handleReconcile), { validator: shapes.reconcile });
  // Signals cannot be refused: what is no report is let go.
  setHandler(releaseReported, (report) => {
    if (reportProblem(report) === null) receiveReleaseReport(context, report);
  });
  setHandler(monitorReported, async (report) => {
    if (shapes.isMonitorReport(report))
      await CancellationScope.nonCancellable(() => receiveMonitorReport(context, report));
  });
  setHandler(troubleReported, (trouble) => {
    if (shapes.isTrouble(trouble)) receiveTrouble(context, trouble);
  });
  setHandler(incidentReported, async (report) => {
    if (shapes.isIncidentReport(report))
      await CancellationScope.nonCancellable(() => receiveIncidentReport(context, report));
  });
  setHandler(retrainModel, once('retrainModel', handleRetrain), { validator: shapes.reasoned });
  setHandler(retrainingReported, (report) => {
    if (retrainingReportProblem(report) === null) receiveReport(context, report);
  });
  setHandler(retryParked, () => context.parking.retry());
  // A model is retired, not cancelled: who asks the server to cancel its workflow is told so by the record.
  CancellationScope.current().cancelRequested.catch(() => context.ignoreCancellation());
  return CancellationScope.nonCancellable(() => live(context, input));
}

async function live(context: ModelContext, input: LifecycleInput): Promise<never> {
  const { state } = context;
  beside(context.recorder.work());
  beside(context.incidents.work(() => isLong(context)));
  beside(retrainingDesk(context));
  context.show();
  // Only the run that started a release sees it end; another finds out by talking to it.
  if (state.inFlight !== null) void context.tellFreeze(isFrozen(state, Date.now()), 'the model continues');
  context.incidents.askHolding();

  for (;;) {
    await waitForWork(context);
    if (mayContinueAsNew(context))
      await continueAsNew<typeof modelLifecycle>(
        { ...input, manifest: context.state.manifest },
        { state: context.snapshot(), unrecorded: context.recorder.unrecorded },
      );
    await work(context, input.releaseHistoryLimit);
  }
}

const isActDue = ({ state }: ModelContext): boolean => state.pending.length > 0 && state.inFlight === null;

const hasWork = (context: ModelContext): boolean => isActDue(context) || nextToStart(context.state) !== null;

/** Work by the clock waits while a release is in flight: the traffic is the release's. */
const isOverdue = ({ state }: ModelContext, now: number): boolean =>
  (state.inFlight === null && !state.retired && expiredWarm(state, now).length > 0) ||
  (state.freeze !== null && !isFrozen(state, now)) ||
  (nextRevalidationNotice(state) ?? Number.POSITIVE_INFINITY) <= now;

/** Longer timers are set again: a freeze may be until the year 9999, which no server's timer can hold. */
const LONGEST_TIMER_MS = 30 * 24 * 3600_000;

/** The next moment of anything that happens by the clock, epoch milliseconds. */
function nextTime(state: ModelState): number | null {
  const times = [nextDeadline(state), nextRevalidationNotice(state)].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}

async function waitForWork(context: ModelContext): Promise<void> {
  const ready = (): boolean =>
    hasWork(context) || isOverdue(context, Date.now()) || mayContinueAsNew(context);
  while (!ready()) {
    const deadline = nextTime(context.state);
    const known = context.state;
    // A change of the state may bring the deadline forward: wait anew.
    const changed = (): boolean => ready() || nextTime(context.state) !== nextTime(known);
    const left = deadline === null ? 0 : Math.min(deadline - Date.now(), LONGEST_TIMER_MS);
    if (left <= 0) await condition(changed);
    else
      await condition(changed, left, { summary: 'end of a rollback window or a freeze, or a revalidation' });
  }
}

/** Where it can be helped not between a release and its parent. */
function isLong({ state, historyLimit }: ModelContext): boolean {
  const waits = state.inFlight !== null && historyLimit === undefined;
  return waits ? workflowInfo().continueAsNewSuggested : isHistoryLong(historyLimit);
}

/**
 * An act that is due goes first, a ledger that is away holds nothing up. A child's end is seen by the run
 * that started it.
 */
function mayContinueAsNew(context: ModelContext): boolean {
  const { state } = context;
  return (
    isLong(context) &&
    isSettled(context) &&
    !context.isBusy &&
    context.incidents.settled &&
    (!isActDue(context) || state.pending[0]?.at !== null)
  );
}

async function work(context: ModelContext, releaseHistoryLimit: number | undefined): Promise<void> {
  const { state } = context;
  const now = Date.now();
  const act = state.pending[0];
  if (state.freeze !== null && !isFrozen(state, now)) return thaw(context);
  const notice = revalidationNotice(state, now);
  if (notice !== null) return remindOfRevalidation(context, notice);
  if (act !== undefined && state.inFlight === null) return perform(context, act);
  const next = nextToStart(state);
  if (next !== null) return start(context, next, releaseHistoryLimit);
  if (state.inFlight === null && !state.retired && expiredWarm(state, now).length > 0)
    return dropExpiredWarm(context);
}

async function thaw(context: ModelContext): Promise<void> {
  const { freeze } = context.state;
  context.update({ ...context.state, freeze: null });
  const id = `${workflowInfo().workflowId}/thaw/${freeze?.until}`;
  context.recorder.add(context.entry(id, 'model.unfrozen', {}, { reason: 'the time of the freeze is over' }));
  await context.tellFreeze(false, 'the time of the freeze is over');
}

async function start(context: ModelContext, number: number, historyLimit: number | undefined): Promise<void> {
  const summary = release(context.state, number);
  if (summary === undefined)
    throw ApplicationFailure.nonRetryable(`Release ${number} is queued but not known`, 'InvalidState');
  const { manifest, champion, warm, generation } = context.state;
  const { version, digest, submittedBy, submittedAt } = summary;
  context.update(startRelease(context.state, number));
  const hold = promotionHold(context.state, Date.now(), number);
  const input = {
    model: manifest.name,
    release: number,
    manifest,
    version: { version, digest },
    champion,
    warm: warm.map((kept) => ({ version: kept.version, digest: kept.digest })),
    submittedBy,
    submittedAt,
    generation,
    frozen: hold !== null,
    freeze: context.state.freeze ?? hold,
    ...(historyLimit === undefined ? {} : { historyLimit }),
  };
  context.starting = number;
  try {
    const child = await startChild(modelRelease, {
      workflowId: releaseWorkflowId(manifest.name, number),
      args: [input],
      // A release outlives any run of its parent, and compensates by itself.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `${manifest.name}: release ${number} of ${version}`,
      typedSearchAttributes: [
        { key: TenureModel, value: manifest.name },
        { key: TenureStage, value: 'validating' },
        { key: TenureVersion, value: version },
        { key: TenureRiskTier, value: manifest.riskTier },
        { key: TenureOwner, value: manifest.owner },
      ],
    });
    void watch(context, number, child.result());
  } catch (error) {
    // Started by an earlier run of this workflow (a reset): it reports by signal all the same.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  } finally {
    context.starting = null;
  }
}

/** A release that ended well has reported; one that was terminated has not. */
async function watch(context: ModelContext, number: number, result: Promise<unknown>): Promise<void> {
  try {
    await result;
  } catch {
    // The run of a release that is reset ends as if it were terminated, and another goes on.
    if (patched('ask-before-losing'))
      await context.tellFreeze(isFrozen(context.state, Date.now()), 'goes on?');
    else context.lose(number);
  }
}
