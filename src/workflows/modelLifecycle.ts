import {
  condition,
  continueAsNew,
  ParentClosePolicy,
  ChildWorkflowCancellationType,
  setHandler,
  setWorkflowOptions,
  startChild,
  workflowInfo,
  ApplicationFailure,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { releaseWorkflowId } from '../contracts/ids.js';
import type { LedgerEntry } from '../contracts/ledger.js';
import type { Manifest } from '../contracts/manifest.js';
import {
  applyManifest,
  freezeModel,
  modelState,
  registerVersion,
  releaseReported,
  retireModel,
  retryParked,
  rollBackModel,
  submitRelease,
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
import {
  applyReport,
  expiredWarm,
  initialModelState,
  isFrozen,
  modelView,
  nextDeadline,
  nextToStart,
  release,
  startRelease,
  type ModelState,
} from '../lifecycle/model-state.js';
import type { ReleaseReport } from '../contracts/views.js';
import { dropExpiredWarm, perform } from './model/acts.js';
import { ModelContext } from './model/context.js';
import {
  handleApply,
  handleFreeze,
  handleRegister,
  handleRetire,
  handleRollBack,
  handleSubmit,
  handleUnfreeze,
} from './model/handlers.js';
import { modelRelease } from './modelRelease.js';
import { isHistoryLong, settleHandlers } from './support/continuing.js';

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, modelLifecycle);

export interface LifecycleInput {
  /** The manifest that the model starts with; applied, and recorded, by the update that starts the workflow. */
  readonly manifest: Manifest;
  /** Tests lower it: continue as new after so many events of history. */
  readonly historyLimit?: number;
}

interface Carried {
  readonly state: ModelState;
  readonly unrecorded: readonly LedgerEntry[];
}

/** The one owner of a model's state, as long as the model lives. Sleeps until something happens to the model. */
export async function modelLifecycle(input: LifecycleInput, carried?: Carried): Promise<never> {
  const context = new ModelContext(
    carried?.state ?? initialModelState(input.manifest),
    carried?.unrecorded ?? [],
  );

  /** The same request again gets the same answer; anything else is handled. */
  const once =
    <R extends Request, A>(handle: (context: ModelContext, request: R) => Promise<A>) =>
    (request: R): Promise<A> => {
      const known = context.answered(request);
      return known === undefined ? handle(context, request) : Promise.resolve(known as A);
    };
  setHandler(modelState, () => modelView(context.snapshot(), Date.now()), {
    description: 'What the model is doing',
  });
  setHandler(applyManifest, once(handleApply), { validator: checkManifest(context) });
  setHandler(registerVersion, once(handleRegister), { validator: checkRequest });
  setHandler(submitRelease, once(handleSubmit), { validator: checkRequest });
  setHandler(rollBackModel, once(handleRollBack), { validator: checkRequest });
  setHandler(freezeModel, once(handleFreeze), { validator: checkRequest });
  setHandler(unfreezeModel, once(handleUnfreeze), { validator: checkRequest });
  setHandler(retireModel, once(handleRetire), { validator: checkRequest });
  setHandler(releaseReported, (report) => {
    if (isReport(report)) context.update(applyReport(context.state, report));
  });
  setHandler(retryParked, () => context.parking.retry());
  void context.recorder.work();
  context.show();

  for (;;) {
    await waitForWork(context, input.historyLimit);
    if (mayContinueAsNew(context, input.historyLimit)) {
      await settleHandlers();
      await condition(() => context.recorder.settled);
      await continueAsNew<typeof modelLifecycle>(
        { ...input, manifest: context.state.manifest },
        { state: context.snapshot(), unrecorded: context.recorder.unrecorded },
      );
    }
    await work(context);
  }
}

/** Signals cannot be refused: what is no report is let go. */
const isReport = (value: unknown): value is ReleaseReport => {
  const report = value as Partial<ReleaseReport> | null | undefined;
  return (
    typeof report?.release === 'number' &&
    typeof report.stage === 'string' &&
    typeof report.at === 'string' &&
    typeof report.head?.sequence === 'number'
  );
};

/** Shape only: a refusal for a reason is decided in the handler, and recorded. */
function checkRequest(request: Request): void {
  for (const field of ['requestId', 'actor'] as const) {
    const value: unknown = request?.[field];
    if (typeof value !== 'string' || value.length === 0 || value.length > 500)
      throw ApplicationFailure.nonRetryable(
        `${field} must be a text of 1 to 500 characters`,
        'InvalidRequest',
      );
  }
}

const checkManifest =
  (context: ModelContext) =>
  (request: Request & { readonly manifest?: Manifest }): void => {
    checkRequest(request);
    if (request.manifest?.name !== context.model)
      throw ApplicationFailure.nonRetryable(
        `manifest.name is ${String(request.manifest?.name)}: this is the workflow of ${context.model}`,
        'InvalidRequest',
      );
  };

const hasWork = ({ state }: ModelContext): boolean =>
  (state.pending.length > 0 && state.inFlight === null) || nextToStart(state) !== null;

/** Work by the clock waits while a release is in flight: the traffic is the release's. */
const isOverdue = ({ state }: ModelContext, now: number): boolean =>
  (state.inFlight === null && !state.retired && expiredWarm(state, now).length > 0) ||
  (state.freeze !== null && !isFrozen(state, now));

async function waitForWork(context: ModelContext, limit: number | undefined): Promise<void> {
  const ready = (): boolean =>
    hasWork(context) || isOverdue(context, Date.now()) || mayContinueAsNew(context, limit);
  while (!ready()) {
    const deadline = nextDeadline(context.state);
    const known = context.state;
    // A change of the state may bring the deadline forward: wait anew.
    const changed = (): boolean => ready() || nextDeadline(context.state) !== nextDeadline(known);
    if (deadline === null || deadline <= Date.now()) await condition(changed);
    else await condition(changed, deadline - Date.now(), { summary: 'end of a rollback window or a freeze' });
  }
}

/** Not between a release and its parent where it can be helped: a child's end is seen by the run that started it. */
function mayContinueAsNew({ state }: ModelContext, limit: number | undefined): boolean {
  const waits = state.inFlight !== null && limit === undefined;
  return waits ? workflowInfo().continueAsNewSuggested : isHistoryLong(limit);
}

async function work(context: ModelContext): Promise<void> {
  const { state } = context;
  const now = Date.now();
  const act = state.pending[0];
  if (state.freeze !== null && !isFrozen(state, now)) return thaw(context);
  if (act !== undefined && state.inFlight === null) return perform(context, act);
  const next = nextToStart(state);
  if (next !== null) return start(context, next);
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

async function start(context: ModelContext, number: number): Promise<void> {
  const summary = release(context.state, number);
  if (summary === undefined)
    throw ApplicationFailure.nonRetryable(`Release ${number} is queued but not known`, 'InvalidState');
  const { manifest, champion, warm, generation } = context.state;
  const { version, digest, submittedBy, submittedAt } = summary;
  context.update(startRelease(context.state, number));
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
    frozen: isFrozen(context.state, Date.now()),
  };
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
  }
}

/** A release that was terminated cannot report or compensate: its traffic is taken back for it. */
async function watch(context: ModelContext, number: number, result: Promise<unknown>): Promise<void> {
  try {
    await result;
  } catch {
    const summary = release(context.state, number);
    if (summary === undefined || summary.endedAt !== null) return;
    const reason = 'the workflow of the release ended without compensating';
    const act = { kind: 'restore' as const, release: number, reason, requestId: `restore-${number}` };
    context.update({ ...context.state, inFlight: null, pending: [act, ...context.state.pending] });
  }
}
