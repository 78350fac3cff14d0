/** Reasons to train: by a person, a finding or the clock. Each is decided on and recorded here; nothing is started. */
import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { Answer } from '../../contracts/activities.js';
import { retrainingWorkflowId } from '../../contracts/ids.js';
import type { ReasonedRequest } from '../../contracts/messages.js';
import { person, system } from '../../lifecycle/entries.js';
import {
  type ClockTrigger,
  laterLook,
  nextLabelCount,
  scheduleKey,
} from '../../lifecycle/retraining-clock.js';
import {
  holdBack,
  labelsSince,
  requestRetraining,
  type RetrainingDecision,
  type RetrainingRequest,
  rowsSince,
  settingsOf,
  withRetraining,
} from '../../lifecycle/retraining.js';
import {
  HOURLY_LOOKS,
  type HeldBackFinding,
  isOf,
  letWait,
  lookedAt,
  waitNoMore,
} from '../../lifecycle/waiting-findings.js';
import { describeFailure } from '../support/failures.js';
import { run } from '../support/run.js';
import type { ModelContext } from './context.js';

/** Of a finding with its cause, by which it is known from the record what is waited for, and why the policy asks. */
type Asked = Omit<RetrainingRequest, 'at' | 'labels'> & { readonly cause?: string; readonly reason?: string };

/** Decides on a reason to train, and records the decision. The desk starts what is to be started. */
async function askForRetraining(context: ModelContext, asked: Asked): Promise<RetrainingDecision> {
  const early = decide(context, asked, null);
  if (early.kind !== 'count-labels') return early;
  try {
    return decide(context, asked, await countLabels(context, asked.onset));
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

async function countLabels(context: ModelContext, onset: string | null = null): Promise<number> {
  const now = Date.now();
  const input = {
    model: context.model,
    rowsSince: rowsSince(settingsOf(context.state)?.recentSeconds ?? 0, onset, now),
    labelsSince: labelsSince(context.state, now),
    schedule: null,
  };
  return (await context.busy(() => run('readRetrainingSigns', 'count fresh labels', input))).labels;
}

const decide = (context: ModelContext, asked: Asked, labels: number | null): RetrainingDecision =>
  keep(context, asked, requestRetraining(context.state, { ...asked, at: Date.now(), labels }));

function keep(
  context: ModelContext,
  { trigger, evidence, by, finding, cause, reason, onset = null }: Asked,
  { state, decision }: ReturnType<typeof requestRetraining>,
): RetrainingDecision {
  if (state !== context.state) context.update(state);
  const actor = trigger === 'hand' ? person(by) : system(by);
  switch (decision.kind) {
    case 'start': {
      const { retraining } = decision;
      const id = `${retrainingWorkflowId(context.model, retraining)}/requested`;
      const why = {
        trigger,
        by,
        finding,
        evidence,
        ...(onset === null ? {} : { onset }),
        ...(reason === undefined ? {} : { reason }),
      };
      context.recorder.add(context.entry(id, 'retraining.requested', { retraining }, why, actor));
      break;
    }
    case 'held-back':
      if (decision.isNews) {
        const id = `${workflowInfo().workflowId}/retraining-held-back/${evidence}/${new Date().toISOString()}`;
        const why = {
          trigger,
          reason: decision.reason,
          finding,
          ...(cause === undefined ? {} : { cause }),
          ...(onset === null ? {} : { onset }),
        };
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

const WAIT_BESIDE = 'findings-wait-beside-each-other';

/**
 * For the policy: findings ask, by the first of them. All wait before that: what starts a retraining, or clears a cause, while labels
 * are counted makes them wait no more.
 */
export async function askByFindings(
  context: ModelContext,
  first: HeldBackFinding,
  others: readonly HeldBackFinding[],
): Promise<void> {
  if (!patched(WAIT_BESIDE)) return askAlone(context, first);
  for (const held of [first, ...others]) context.update(letWait(context.state, held, Date.now()));
  await askFor(context, first);
}

/** @returns whether it is held back; else it waits no more */
async function askFor(context: ModelContext, held: HeldBackFinding): Promise<boolean> {
  const { finding } = held;
  const evidence = `finding/${finding}`;
  const { kind } = await askForRetraining(context, { trigger: 'finding', evidence, ...held });
  if (kind === 'held-back') return true;
  context.update(waitNoMore(context.state, isOf(finding)));
  return false;
}

/** Of before, the newest finding alone waited, from when it was held back. */
async function askAlone(context: ModelContext, held: HeldBackFinding): Promise<void> {
  const follows = patched('retrainings-follow-their-change');
  const known = follows ? held : { ...held, onset: null, looks: HOURLY_LOOKS };
  context.update(waitNoMore(context.state, isOf(held.finding)));
  if ((await askFor(context, known)) && patched('held-back-findings-wait'))
    context.update(
      letWait(
        waitNoMore(context.state, () => true),
        known,
        Date.now(),
      ),
    );
}

/** What the clock asks for, and when it asks again. */
export async function askByClock(context: ModelContext, due: ClockTrigger): Promise<void> {
  const by = workflowInfo().workflowId;
  switch (due.kind) {
    case 'read-schedule':
      return readSchedule(context, Date.now());
    case 'schedule':
      await askForRetraining(context, { trigger: 'schedule', evidence: due.evidence, by, finding: null });
      return readSchedule(context, Math.max(due.at, Date.now()));
    case 'count-labels':
      return lookAtLabels(context, due.evidence);
    case 'finding': {
      const { kind: _, at: __, ...held } = due;
      if (!patched(WAIT_BESIDE)) return askAlone(context, held);
      if (await askFor(context, held)) context.update(lookedAt(context.state, held.finding, Date.now()));
      return;
    }
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
