/** A retraining from its start to its end, as its model sees it. */
import {
  ChildWorkflowCancellationType,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { retrainingWorkflowId } from '../../contracts/ids.js';
import { modelContinues } from '../../contracts/messages.js';
import type { RetrainingReport } from '../../contracts/retraining.js';
import { TenureModel, TenureOwner, TenureRiskTier } from '../../contracts/search-attributes.js';
import { person, system } from '../../lifecycle/entries.js';
import { newer, queueRelease, releaseRefusal } from '../../lifecycle/model-state.js';
import { endRetraining, retrainingOf, withRetraining } from '../../lifecycle/retraining.js';
import { modelRetraining } from '../modelRetraining.js';
import { describeFailure } from '../support/failures.js';
import { run } from '../support/run.js';
import type { ModelContext } from './context.js';
import { trainingFailed, trainingWorked } from './incidents.js';

/** Starts the one that was decided on. */
export async function startRetraining(context: ModelContext): Promise<void> {
  const { manifest, champion } = context.state;
  const { running } = retrainingOf(context.state);
  if (running === null) return;
  const { retraining, trigger, by, finding, labelsSince, onset = null } = running;
  if (champion === null) return end(context, retraining, 'cancelled', 'no version serves any more');
  context.update(withRetraining(context.state, { running: { ...running, isStarted: true } }));
  const input = {
    model: manifest.name,
    retraining,
    manifest,
    champion,
    trigger,
    by,
    finding,
    labelsSince,
    onset,
  };
  try {
    const child = await startChild(modelRetraining, {
      workflowId: retrainingWorkflowId(manifest.name, retraining),
      args: [input],
      // One number is one retraining, also after a reset of this workflow.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `${manifest.name}: retraining ${retraining}, by ${trigger}`,
      typedSearchAttributes: [
        { key: TenureModel, value: manifest.name },
        { key: TenureRiskTier, value: manifest.riskTier },
        { key: TenureOwner, value: manifest.owner },
      ],
    });
    void child.result().then(
      () => undefined,
      () => findOut(context, retraining),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Started by a run of this workflow that was reset: it has reported, does so still, or is gone.
    void findOut(context, retraining);
  }
}

/** A retraining that was terminated, or whose report a reset has lost, says nothing any more. */
export async function findOut(context: ModelContext, retraining: number): Promise<void> {
  try {
    await getExternalWorkflowHandle(retrainingWorkflowId(context.model, retraining)).signal(modelContinues);
  } catch (error) {
    const reason = describeFailure(error);
    log.warn('The retraining does not answer', { retraining, reason });
    const isRunning = retrainingOf(context.state).running?.retraining === retraining;
    const hasReported = context.state.retrained?.retraining === retraining;
    if (!/not found/i.test(reason) || !isRunning || hasReported) return;
    // The record of its end was lost, that of its release was not.
    const released = context.state.releases.find(({ version }) => version === versionOf(retraining));
    if (released !== undefined)
      return end(context, retraining, 'submitted', null, released.release, released.version);
    end(context, retraining, 'cancelled', 'its workflow ended without a word');
  }
}

/** Asks the one that runs to end; it reports. */
export async function cancelRetraining(context: ModelContext): Promise<void> {
  const { running } = retrainingOf(context.state);
  if (running === null) return;
  if (!running.isStarted) return end(context, running.retraining, 'cancelled', 'the model is retired');
  await getExternalWorkflowHandle(retrainingWorkflowId(context.model, running.retraining))
    .cancel()
    .catch(() => findOut(context, running.retraining));
}

function end(
  context: ModelContext,
  retraining: number,
  outcome: RetrainingReport['outcome'],
  reason: string | null,
  release: number | null = null,
  version: string | null = null,
): void {
  const endedAt = new Date().toISOString();
  const id = `${retrainingWorkflowId(context.model, retraining)}/end`;
  const { retrained: _, ...rest } = context.state;
  context.update(endRetraining(rest, { retraining, outcome, reason, release, endedAt }));
  const evidence = { outcome, release, version, reason };
  context.recorder.add(context.entry(id, 'retraining.ended', { retraining }, evidence));
}

/** What a retraining has to say; late and repeated reports, and those of unknown ones, change nothing. */
export function receiveReport(context: ModelContext, report: RetrainingReport): void {
  const { running } = retrainingOf(context.state);
  if (running?.retraining !== report.retraining || context.state.retrained !== undefined) return;
  context.update({
    ...context.state,
    head: newer(context.state.head, report.head),
    retrained: report,
  });
}

const versionOf = (retraining: number): string => `retrained-${retraining}`;

/** Registers and releases what is better; whatever becomes of it, the retraining has ended. */
export async function takeReport(context: ModelContext, report: RetrainingReport): Promise<void> {
  const { retraining, outcome, reason, challenger } = report;
  const id = retrainingWorkflowId(context.model, retraining);
  if (outcome === 'failed') trainingFailed(context, id, reason ?? 'without a reason');
  else if (outcome !== 'cancelled') trainingWorked(context);
  if (challenger === null || outcome !== 'submitted') return end(context, retraining, outcome, reason);
  const { running } = retrainingOf(context.state);
  const { champion, manifest } = context.state;
  const refused = (why: string): void => {
    trainingFailed(context, id, why);
    end(context, retraining, 'failed', why);
  };
  // Somebody was faster: nothing is wrong with it.
  if (champion?.digest !== challenger.comparedWith.digest)
    return end(
      context,
      retraining,
      'failed',
      `it was compared with ${challenger.comparedWith.version}, and ${champion?.version ?? 'nothing'} serves now`,
    );
  const version = versionOf(retraining);
  const { digest, trainingDataDigest, comparedWith, metrics } = challenger;
  const answer = await context.parking.untilDone(
    `register ${version}`,
    () =>
      context.busy(() =>
        run('registerVersion', `register ${version}`, {
          manifest,
          version,
          digest,
          lineage: { trainingDataDigest, parentVersion: comparedWith.version, metrics },
          registeredBy: id,
          requestId: id,
          // The same in every repeat.
          at: running?.startedAt ?? new Date().toISOString(),
        }),
      ),
    true,
  );
  if (!answer.accepted) return refused(`version ${version} cannot be registered: ${answer.reason}`);
  context.recorder.see(answer.head);
  const known = { version: answer.record.version, digest: answer.record.digest };
  const refusal = releaseRefusal(context.state, known, false);
  if (refusal !== null) return refused(refusal);
  // Who asked for it by hand cannot approve it.
  const submittedBy = running?.trigger === 'hand' ? running.by : id;
  const now = Date.now();
  const queued = queueRelease(context.state, {
    version: known,
    submittedBy,
    supersede: false,
    now,
    retraining,
  });
  context.update(queued.state);
  const { release } = queued;
  const actor = running?.trigger === 'hand' ? person(submittedBy) : system(id);
  const why = { superseded: [], retraining };
  context.recorder.add(
    context.entry(`${id}/submitted`, 'release.submitted', { release, ...known }, why, actor),
  );
  end(context, retraining, 'submitted', null, release, known.version);
}
