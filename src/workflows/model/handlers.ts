import { ApplicationFailure, patched } from '@temporalio/workflow';
import type { Answer } from '../../contracts/activities.js';
import type {
  AbortRequest,
  ApplyManifestRequest,
  FreezeRequest,
  ReasonedRequest,
  ReconcileRequest,
  RegisterVersionRequest,
  RollBackRequest,
  SubmitReleaseRequest,
} from '../../contracts/messages.js';
import type { VersionRecord } from '../../contracts/model.js';
import { rollBackTarget } from '../../lifecycle/champions.js';
import { promotionHold } from '../../lifecycle/model-incidents.js';
import {
  dropQueued,
  isRetiring,
  queueRelease,
  release,
  releaseRefusal,
} from '../../lifecycle/model-state.js';
import { retrainingOf } from '../../lifecycle/retraining.js';
import { basisChangedBy, withBasisChange } from '../../lifecycle/revalidation.js';
import { tableProblem, withTable } from '../../lifecycle/table-sight.js';
import { describeFailure } from '../support/failures.js';
import { run } from '../support/run.js';
import type { ModelContext } from './context.js';
import { cancelRetraining } from './retraining-run.js';

/** The component that should answer is away; the caller may send the same request again. */
const unavailable = (error: unknown): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `${describeFailure(error)}; the same request can be sent again`,
    'Unavailable',
  );

export async function handleApply(
  context: ModelContext,
  request: ApplyManifestRequest,
): Promise<Answer<{ revision: number }>> {
  const { state } = context;
  const { manifest } = request;
  if (isRetiring(state)) return context.refuse(request, 'applyManifest', `model ${context.model} is retired`);
  if (state.manifestRevision > 0 && JSON.stringify(manifest) === JSON.stringify(state.manifest))
    return { accepted: true, revision: state.manifestRevision };
  const revision = state.manifestRevision + 1;
  const applied = { ...state, manifest, manifestRevision: revision };
  const fields = basisChangedBy(state, manifest);
  // For versions of the code from before it a validation was due by the clock alone: nobody was told now.
  const isValidatedAnew = fields.length > 0 && patched('a-changed-manifest-is-validated-anew');
  context.update(isValidatedAnew ? withBasisChange(applied, fields, Date.now()) : applied);
  return context.answer(
    request,
    { accepted: true, revision },
    'manifest.applied',
    { revision },
    { manifest },
  );
}

export async function handleRegister(
  context: ModelContext,
  request: RegisterVersionRequest,
): Promise<Answer<{ record: VersionRecord }>> {
  const { actor, requestId, version, digest, lineage } = request;
  if (isRetiring(context.state))
    return context.refuse(request, 'registerVersion', `model ${context.model} is retired`);
  const { manifest } = context.state;
  const input = {
    manifest,
    version,
    digest,
    lineage,
    registeredBy: actor,
    requestId,
    at: new Date().toISOString(),
  };
  const answer = await run('registerVersion', `register ${version}`, input).catch((error: unknown) => {
    throw unavailable(error);
  });
  if (!answer.accepted) return context.refuse(request, 'registerVersion', answer.reason);
  context.recorder.see(answer.head);
  return { accepted: true, record: answer.record };
}

export async function handleSubmit(
  context: ModelContext,
  request: SubmitReleaseRequest,
): Promise<Answer<{ release: number; queued: boolean }>> {
  const { actor, requestId, version, supersede } = request;
  const record = await run('findVersion', `find ${version}`, { model: context.model, version }).catch(
    (error: unknown) => {
      throw unavailable(error);
    },
  );
  if (record === null)
    return context.refuse(
      request,
      'submitRelease',
      `version ${version} of ${context.model} is not registered: register it first`,
    );
  const known = { version: record.version, digest: record.digest };
  if (isAtRest(context)) {
    const problem = tableProblem(context.state, record.table);
    if (problem !== null) return context.refuse(request, 'submitRelease', problem);
    context.update(withTable(context.state, record.table));
  }
  const refusal = releaseRefusal(context.state, known, supersede);
  if (refusal !== null) return context.refuse(request, 'submitRelease', refusal);
  const queued = queueRelease(context.state, {
    version: known,
    submittedBy: actor,
    supersede,
    now: Date.now(),
  });
  context.update(queued.state);
  const { release, superseded, abort } = queued;
  const { inFlight, pending, queue } = context.state;
  const waits = inFlight !== null || pending.length > 0 || queue.length > 1;
  const answer = context.answer(
    request,
    { accepted: true, release, queued: waits },
    'release.submitted',
    { release, ...known },
    { superseded: abort === null ? superseded : [...superseded, abort] },
  );
  if (abort !== null) await context.abortInFlight(actor, `superseded by release ${release}`, requestId);
  return answer;
}

/** Nobody changes the model's traffic now. */
const isAtRest = ({ state: { inFlight, pending, queue } }: ModelContext): boolean =>
  inFlight === null && pending.length === 0 && queue.length === 0;

/** Of a release that has not started; one that started meanwhile is told to end. */
export async function handleAbort(context: ModelContext, request: AbortRequest): Promise<Answer<object>> {
  const { actor, requestId, release: number, reason } = request;
  const { state } = context;
  const known = release(state, number);
  if (state.inFlight === number) {
    await context.abortInFlight(actor, reason, requestId);
    return { accepted: true };
  }
  if (known === undefined || !state.queue.includes(number)) {
    const why = known === undefined ? 'is not known' : `is over: it ended ${known.stage}`;
    return context.refuse(request, 'abortQueued', `release ${number} of ${context.model} ${why}`);
  }
  context.update(dropQueued(state, number, reason, Date.now()));
  const { version, digest } = known;
  const subject = { release: number, version, digest };
  return context.answer(request, { accepted: true }, 'release.aborted', subject, { reason, queued: true });
}

export async function handleRollBack(
  context: ModelContext,
  request: RollBackRequest,
): Promise<Answer<{ to: string }>> {
  const { actor, requestId, to, reason } = request;
  const found = rollBackTarget(context.state, to);
  if ('refusal' in found) return context.refuse(request, 'rollBackModel', found.refusal);
  const { target } = found;
  const act = { kind: 'roll-back' as const, to: target, by: actor, reason, requestId, at: null };
  context.update({ ...context.state, pending: [...context.state.pending, act] });
  // A release in flight stands between: it is ended first, which may already be the whole way back.
  await context.abortInFlight(actor, `rolled back to ${target.version}: ${reason}`, requestId);
  return context.answer(
    request,
    { accepted: true, to: target.version },
    'model.rollback-requested',
    { ...target },
    { reason },
  );
}

export async function handleFreeze(context: ModelContext, request: FreezeRequest): Promise<Answer<object>> {
  const { actor, reason, until } = request;
  if (until !== undefined && !(Date.parse(until) > Date.now()))
    return context.refuse(request, 'freezeModel', `until is ${until}: a time in the future is needed`);
  context.update({ ...context.state, freeze: { reason, by: actor, until: until ?? null } });
  await context.tellFreeze(true, reason);
  return context.answer(request, { accepted: true }, 'model.frozen', {}, { reason, until: until ?? null });
}

export async function handleUnfreeze(
  context: ModelContext,
  request: ReasonedRequest,
): Promise<Answer<object>> {
  if (context.state.freeze === null) {
    const hold = promotionHold(context.state, Date.now());
    const also = hold === null ? '' : `; ${hold.reason}: that holds promotion back until it is resolved`;
    return context.refuse(request, 'unfreezeModel', `model ${context.model} is not frozen${also}`);
  }
  context.update({ ...context.state, freeze: null });
  await context.tellFreeze(false, request.reason);
  return context.answer(request, { accepted: true }, 'model.unfrozen', {}, { reason: request.reason });
}

export async function handleRetire(context: ModelContext, request: ReasonedRequest): Promise<Answer<object>> {
  const { actor, requestId, reason } = request;
  const { state } = context;
  if (isRetiring(state))
    return context.refuse(request, 'retireModel', `model ${context.model} is already retired`);
  const act = { kind: 'retire' as const, by: actor, reason, requestId, at: null };
  context.update({ ...state, pending: [...state.pending, act] });
  await context.abortInFlight(actor, `the model is retired: ${reason}`, requestId);
  if (retrainingOf(context.state).running !== null) await cancelRetraining(context);
  return context.answer(request, { accepted: true }, 'model.retirement-requested', {}, { reason });
}

/** The doctor found that the parts disagree: this state is the one that stands, and the table is set again from it. */
export async function handleReconcile(
  context: ModelContext,
  request: ReconcileRequest,
): Promise<Answer<object>> {
  const { actor, requestId, reason, found, lost, lostIncident } = request;
  if (lostIncident !== undefined) {
    // It is asked after before it is let go: a doctor can be behind.
    context.incidents.ask(lostIncident);
    const subject = { incident: lostIncident };
    return context.answer(request, { accepted: true }, 'incident.asked-after', subject, { reason, found });
  }
  const { inFlight } = context.state;
  const isLost = lost !== undefined && lost === inFlight;
  // Taking a lost release back sets the table too.
  if (isLost) context.lose(lost);
  else {
    const act = { kind: 'realign' as const, by: actor, reason, found, requestId, at: null };
    context.update({ ...context.state, pending: [...context.state.pending, act] });
    // The traffic is the release's while one is in flight: it is ended first.
    await context.abortInFlight(actor, reason, requestId);
  }
  return context.answer(request, { accepted: true }, 'model.realignment-requested', isLost ? { lost } : {}, {
    reason,
    found,
  });
}
