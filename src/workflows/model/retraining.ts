/** What a model's lifecycle does about retraining, beside its main loop: an act on the traffic never waits for it. */
import {
  ChildWorkflowCancellationType,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  patched,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Answer } from '../../contracts/activities.js';
import { retrainingWorkflowId } from '../../contracts/ids.js';
import { modelContinues, type ReasonedRequest } from '../../contracts/messages.js';
import type { RetrainingReport } from '../../contracts/retraining.js';
import { TenureModel, TenureOwner, TenureRiskTier } from '../../contracts/search-attributes.js';
import { person, system } from '../../lifecycle/entries.js';
import { newer, queueRelease, releaseRefusal } from '../../lifecycle/model-state.js';
import {
  type ClockTrigger,
  laterLook,
  nextClockTrigger,
  nextLabelCount,
  scheduleKey,
  wantLater,
} from '../../lifecycle/retraining-clock.js';
import {
  endRetraining,
  holdBack,
  labelsSince,
  requestRetraining,
  retrainingOf,
  type RetrainingDecision,
  type RetrainingRequest,
  settingsOf,
  withRetraining,
} from '../../lifecycle/retraining.js';
import { modelRetraining } from '../modelRetraining.js';
import { describeFailure } from '../support/failures.js';
import { run } from '../support/run.js';
import type { ModelContext } from './context.js';

type Asked = Omit<RetrainingRequest, 'at' | 'labels'>;

/** Decides on a reason to train, and records the decision. Nothing is started here: the desk does that. */
async function askForRetraining(context: ModelContext, asked: Asked): Promise<RetrainingDecision> {
  const early = decide(context, asked, null);
  if (early.kind !== 'count-labels') return early;
  try {
    return decide(context, asked, await countLabels(context));
  } catch (error) {
    if (isCancellation(error)) throw error;
    const held = holdBack(
      context.state,
      { ...asked, at: Date.now() },
      `labels cannot be counted: ${describeFailure(error)}`,
    );
    return keep(context, asked, held);
  }
}

async function countLabels(context: ModelContext): Promise<number> {
  const now = Date.now();
  const input = {
    model: context.model,
    rowsSince: new Date(now - (settingsOf(context.state)?.recentSeconds ?? 0) * 1000).toISOString(),
    labelsSince: labelsSince(context.state, now),
    schedule: null,
  };
  return (await context.busy(() => run('readRetrainingSigns', 'count fresh labels', input))).labels;
}

const decide = (context: ModelContext, asked: Asked, labels: number | null): RetrainingDecision =>
  keep(context, asked, requestRetraining(context.state, { ...asked, at: Date.now(), labels }));

function keep(
  context: ModelContext,
  { trigger, evidence, by, finding }: Asked,
  { state, decision }: ReturnType<typeof requestRetraining>,
): RetrainingDecision {
  if (state !== context.state) context.update(state);
  const actor = trigger === 'hand' ? person(by) : system(by);
  switch (decision.kind) {
    case 'start': {
      const { retraining } = decision;
      const id = `${retrainingWorkflowId(context.model, retraining)}/requested`;
      const why = { trigger, by, finding, evidence };
      context.recorder.add(context.entry(id, 'retraining.requested', { retraining }, why, actor));
      break;
    }
    case 'held-back':
      if (decision.isNews) {
        const id = `${workflowInfo().workflowId}/retraining-held-back/${evidence}/${new Date().toISOString()}`;
        const why = { trigger, reason: decision.reason, finding };
        context.recorder.add(context.entry(id, 'retraining.held-back', {}, why, actor));
      }
      break;
    case 'known':
    case 'count-labels':
  }
  return decision;
}

export async function handleRetrain(
  context: ModelContext,
  request: ReasonedRequest,
): Promise<Answer<{ retraining: number }>> {
  const { actor, requestId } = request;
  const evidence = `hand/${requestId}`;
  const decision = await askForRetraining(context, { trigger: 'hand', evidence, by: actor, finding: null });
  await context.recorder.flushWithin('10s');
  switch (decision.kind) {
    case 'start':
      return { accepted: true, retraining: decision.retraining };
    case 'held-back':
      return { accepted: false, reason: decision.reason };
    case 'known':
    case 'count-labels':
      return { accepted: false, reason: 'this request has started a retraining before' };
  }
}

/** For the policy: a finding asks. One that is held back is looked at again, since a monitor tells of it once. */
export async function askByFinding(
  context: ModelContext,
  wanted: { readonly finding: string; readonly cause: string; readonly by: string },
): Promise<void> {
  const { finding, by } = wanted;
  const evidence = `finding/${finding}`;
  const { kind } = await askForRetraining(context, { trigger: 'finding', evidence, by, finding });
  if (kind === 'held-back' && patched('held-back-findings-wait'))
    context.update(wantLater(context.state, wanted, Date.now()));
}

/** Longer timers are set again. */
const LONGEST_TIMER_MS = 30 * 24 * 3600_000;

/** So often is one that runs looked for. The run that started it sees its end; another one does not. */
const LOOK_FOR_MS = 6 * 3600_000;

/** Ends with its run of the workflow. */
export async function retrainingDesk(context: ModelContext): Promise<never> {
  const { running } = retrainingOf(context.state);
  // Only the run that started a retraining sees it end; another finds out by talking to it.
  if (running?.isStarted === true) void findOut(context, running.retraining);
  for (;;) {
    const due = await nextWork(context);
    const { retrained } = context.state;
    const { running: current } = retrainingOf(context.state);
    if (retrained !== undefined) await takeReport(context, retrained);
    else if (current?.isStarted === false) await context.busy(() => start(context));
    else if (due !== null) await byTheClock(context, due);
  }
}

/** Waits until there is something to do. @returns what the clock asks for, if it is that */
async function nextWork(context: ModelContext): Promise<ClockTrigger | null> {
  const isUrgent = (): boolean =>
    context.state.retrained !== undefined || retrainingOf(context.state).running?.isStarted === false;
  for (;;) {
    if (isUrgent()) return null;
    const { running } = retrainingOf(context.state);
    if (running !== null && patched('running-retrainings-are-looked-for')) {
      const isOver = (): boolean => isUrgent() || retrainingOf(context.state).running !== running;
      const summary = `look for retraining ${running.retraining}`;
      if (!(await condition(isOver, LOOK_FOR_MS, { summary }))) await findOut(context, running.retraining);
      continue;
    }
    const next = nextClockTrigger(context.state, Date.now());
    const at = next?.at ?? null;
    if (at !== null && at <= Date.now()) return next;
    // Any change of the state may bring it forward.
    const changed = (): boolean =>
      isUrgent() || (nextClockTrigger(context.state, Date.now())?.at ?? null) !== at;
    if (at === null) await condition(changed);
    else
      await condition(changed, Math.min(at - Date.now(), LONGEST_TIMER_MS), {
        summary: `retraining: ${next?.kind}`,
      });
  }
}

async function byTheClock(context: ModelContext, due: ClockTrigger): Promise<void> {
  const by = workflowInfo().workflowId;
  switch (due.kind) {
    case 'read-schedule':
      return readSchedule(context, Date.now());
    case 'schedule':
      await askForRetraining(context, { trigger: 'schedule', evidence: due.evidence, by, finding: null });
      return readSchedule(context, Math.max(due.at, Date.now()));
    case 'count-labels':
      return lookAtLabels(context, due.evidence);
    case 'finding':
      context.update(withRetraining(context.state, { wanted: null }));
      return askByFinding(context, due);
    case 'age': {
      const asked = { trigger: 'age' as const, evidence: due.evidence, by, finding: null };
      const { kind } = await askForRetraining(context, asked);
      const ageAt = kind === 'held-back' ? laterLook(Date.now()) : null;
      context.update(withRetraining(context.state, { ageAt }));
    }
  }
}

async function readSchedule(context: ModelContext, after: number): Promise<void> {
  const schedule = settingsOf(context.state)?.triggers.schedule ?? null;
  if (schedule === null) return;
  const from = new Date(after).toISOString();
  const input = {
    model: context.model,
    rowsSince: from,
    labelsSince: from,
    schedule: { ...schedule, after: from },
  };
  const { next } = await context.parking.untilDone('read the schedule of retrainings', () =>
    context.busy(() => run('readRetrainingSigns', 'next moment of the schedule', input)),
  );
  context.update(withRetraining(context.state, { schedule: { key: scheduleKey(schedule), at: next } }));
}

async function lookAtLabels(context: ModelContext, evidence: string): Promise<void> {
  const wanted = settingsOf(context.state)?.triggers.newLabels ?? null;
  const since = Date.parse(labelsSince(context.state, Date.now()));
  const labels = await context.parking.untilDone('count fresh labels', () => countLabels(context));
  const now = Date.now();
  if (wanted === null) return;
  context.update(withRetraining(context.state, { labelsCounted: labels }));
  const by = workflowInfo().workflowId;
  const decision =
    labels < wanted ? null : decide(context, { trigger: 'labels', evidence, by, finding: null }, labels);
  if (decision?.kind === 'start') return;
  const labelsAt = decision === null ? nextLabelCount({ labels, wanted, since, now }) : laterLook(now);
  context.update(withRetraining(context.state, { labelsAt }));
}

async function start(context: ModelContext): Promise<void> {
  const { manifest, champion } = context.state;
  const { running } = retrainingOf(context.state);
  if (running === null) return;
  const { retraining, trigger, by, finding, labelsSince } = running;
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
async function findOut(context: ModelContext, retraining: number): Promise<void> {
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

async function takeReport(context: ModelContext, report: RetrainingReport): Promise<void> {
  const { retraining, outcome, reason, challenger } = report;
  if (challenger === null || outcome !== 'submitted') return end(context, retraining, outcome, reason);
  const { running } = retrainingOf(context.state);
  const { champion, manifest } = context.state;
  const failed = (why: string): void => end(context, retraining, 'failed', why);
  if (champion?.digest !== challenger.comparedWith.digest)
    return failed(
      `it was compared with ${challenger.comparedWith.version}, and ${champion?.version ?? 'nothing'} serves now`,
    );
  const id = retrainingWorkflowId(context.model, retraining);
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
  if (!answer.accepted) return failed(`version ${version} cannot be registered: ${answer.reason}`);
  context.recorder.see(answer.head);
  const known = { version: answer.record.version, digest: answer.record.digest };
  const refusal = releaseRefusal(context.state, known, false);
  if (refusal !== null) return failed(refusal);
  // Who asked for it by hand cannot approve it.
  const submittedBy = running?.trigger === 'hand' ? running.by : id;
  const now = Date.now();
  const queued = queueRelease(context.state, { version: known, submittedBy, supersede: false, now });
  context.update(queued.state);
  const { release } = queued;
  const actor = running?.trigger === 'hand' ? person(submittedBy) : system(id);
  const why = { superseded: [], retraining };
  context.recorder.add(
    context.entry(`${id}/submitted`, 'release.submitted', { release, ...known }, why, actor),
  );
  end(context, retraining, 'submitted', null, release, known.version);
}
