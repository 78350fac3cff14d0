import { Context, heartbeat } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import {
  type Difference,
  differenceKey,
  type Remedy,
  type RepairInput,
  type RepairStep,
} from '../../contracts/doctor.js';
import { modelWorkflowId, releaseWorkflowId } from '../../contracts/ids.js';
import { reconcileModel, releaseReported } from '../../contracts/messages.js';
import { lifecycleStart } from '../../contracts/starting.js';
import { effect } from '../../fail-points/index.js';
import type { LedgerWriter } from '../../ledger/index.js';
import { differences } from '../../lifecycle/doctor/differences.js';
import { recordedEnd } from '../../lifecycle/doctor/releases.js';
import { ledgerEntry, person } from '../../lifecycle/entries.js';
import { recoverModel, recoveredEntry } from '../../lifecycle/recovery.js';
import type { ModelView } from '../../contracts/views.js';
import { type Facts, gather, type Sources } from './gather.js';

export interface Repairing extends Sources {
  readonly client: Client;
  readonly ledger: LedgerWriter;
  readonly taskQueue: string;
}

/** In this order: each stands on the ones before it. */
const ORDER: readonly Remedy[] = ['recover', 'stop-release', 'tell-end', 'take-back', 'register', 'realign'];
const REASON = 'the parts were found to disagree';

/**
 * Mends what is still as it was found, by acts that are on record. Each is the same act in every try, so this may die anywhere
 * and be repeated.
 */
export async function repair(deps: Repairing, input: RepairInput): Promise<readonly RepairStep[]> {
  const { keys } = input;
  const steps = new Map<string, RepairStep>();
  const note = (key: string, outcome: RepairStep['outcome'], what: string): unknown =>
    steps.set(key, { key, outcome, what });
  for (const remedy of ORDER) {
    heartbeat();
    const facts = await look(deps, input.model);
    const found = differences(facts).filter((difference) => keys.includes(differenceKey(difference)));
    for (const difference of found) {
      const key = differenceKey(difference);
      if (facts.parts.bad !== null)
        note(key, 'refused', 'the record of the model is broken: nothing is repaired by it');
      else if (difference.remedy === null) note(key, 'refused', difference.advice);
      else if (difference.remedy === remedy) note(key, 'done', await mend(deps, input, facts, difference));
    }
  }
  return keys.map((key) => steps.get(key) ?? { key, outcome: 'done', what: 'it is not there any more' });
}

async function look(deps: Repairing, model: string): Promise<Facts> {
  const gateways = await deps.routes.gateways();
  const { releases } = await deps.executions.hints();
  return gather(deps, model, { gateways, hints: releases.get(model) ?? [], whole: false });
}

function mend(deps: Repairing, input: RepairInput, facts: Facts, difference: Difference): Promise<string> {
  switch (difference.remedy) {
    case 'recover':
      return recover(deps, input, facts, difference);
    case 'stop-release':
      return stopRelease(deps, input, facts, difference);
    case 'tell-end':
      return tellEnd(deps, input, facts, difference);
    case 'take-back':
      return takeBack(deps, input, difference);
    case 'register':
      return register(deps, input, facts, difference);
    case 'realign':
    case null:
      return realign(deps, input, difference);
  }
}

const foundIn = ({ code, expected, found }: Difference): string =>
  `${code}: expected ${expected}; found: ${found}`.slice(0, 1_000);

/** An event of the repair itself, under an id that is the same in every try. */
const entry = (
  { model, actor, requestId }: RepairInput,
  what: string,
  action: string,
  subject: Readonly<Record<string, unknown>>,
  evidence: Readonly<Record<string, unknown>>,
) =>
  ledgerEntry({
    stream: model,
    id: `${modelWorkflowId(model)}/doctor/${requestId}/${what}`,
    action,
    actor: person(actor),
    subject,
    evidence,
    now: Date.now(),
  });

async function recover(
  { client, taskQueue }: Repairing,
  { actor }: RepairInput,
  { parts, recorded }: Facts,
  difference: Difference,
): Promise<string> {
  const { model, head, releases, lifecycle } = parts;
  const running = releases.flatMap(({ state, release }) => (state === 'open' ? [release] : []));
  const about = { head, now: Date.now(), reason: foundIn(difference) };
  const recovered = recoverModel(recorded, { ...about, running });
  const { state, champion, aborted, kept } = recovered;
  if (state === null) return 'nothing: no manifest is on record';
  // The workflow records this first, then ends what was in flight.
  const unrecorded = [recoveredEntry(model, recovered, { ...about, actor: person(actor) })];
  try {
    await effect('doctor.recover', () =>
      client.workflow.start('modelLifecycle', {
        ...lifecycleStart(state.manifest, taskQueue),
        workflowIdConflictPolicy: lifecycle.state === 'open' ? 'TERMINATE_EXISTING' : 'FAIL',
        args: [{ manifest: state.manifest }, { state, unrecorded }],
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  await settled(client, model);
  const flying = [
    ...aborted.map((one) => `release ${one} ends aborted`),
    ...kept.map((one) => `release ${one} goes on`),
  ];
  return [
    `the workflow was started from the record: ${champion?.version ?? 'nothing'} serves`,
    ...flying,
  ].join('; ');
}

async function stopRelease(
  deps: Repairing,
  input: RepairInput,
  { parts }: Facts,
  difference: Difference,
): Promise<string> {
  const { client, ledger } = deps;
  const { model } = parts;
  const number = releaseIn(difference);
  const id = releaseWorkflowId(model, number);
  const evidence = { found: foundIn(difference) };
  await ledger.append([
    entry(input, `stop-${number}/intent`, 'model.release-stopped-requested', { workflow: id }, evidence),
  ]);
  await effect('doctor.stop-release', () => client.workflow.getHandle(id).terminate(foundIn(difference)));
  await ledger.append([entry(input, `stop-${number}`, 'model.release-stopped', { workflow: id }, evidence)]);
  return `release ${number} was terminated; ${await realign(deps, input, difference)}`;
}

async function tellEnd(
  { client, ledger }: Repairing,
  input: RepairInput,
  facts: Facts,
  difference: Difference,
): Promise<string> {
  const { model, head } = facts.parts;
  const number = releaseIn(difference);
  const end = recordedEnd(facts, number);
  if (end?.endedAt == null) return 'nothing: its end is not on record any more';
  const { stage, endedAt: at, reason } = end;
  const report = {
    release: number,
    stage,
    at,
    reason,
    champion: facts.recorded.state?.champion ?? null,
    former: null,
    generation: facts.recorded.state?.generation ?? null,
    head,
  };
  await effect('doctor.tell-end', () =>
    client.workflow.getHandle(modelWorkflowId(model)).signal(releaseReported, report),
  );
  await ledger.append([
    entry(
      input,
      `end-${number}`,
      'model.release-end-told',
      { ended: number, stage },
      { found: foundIn(difference) },
    ),
  ]);
  await settled(client, model);
  return `the model was told that release ${number} ended ${stage}`;
}

async function takeBack(deps: Repairing, input: RepairInput, difference: Difference): Promise<string> {
  const lost = releaseIn(difference);
  await reconcile(deps, input, difference, { lost });
  return `the model took the traffic of release ${lost} back`;
}

async function realign(deps: Repairing, input: RepairInput, difference: Difference): Promise<string> {
  await reconcile(deps, input, difference, {});
  return 'the routing table was set again from the state of the model';
}

async function reconcile(
  { client }: Repairing,
  { model, actor, requestId }: RepairInput,
  difference: Difference,
  lost: { readonly lost?: number },
): Promise<void> {
  const request = {
    requestId: `doctor-${requestId}-${difference.code}-${difference.subject}`.slice(0, 200),
    actor,
    reason: REASON,
    found: [foundIn(difference)],
    ...lost,
  };
  await effect('doctor.reconcile', () =>
    client.workflow
      .getHandle(modelWorkflowId(model))
      .executeUpdate(reconcileModel, { args: [request], updateId: request.requestId }),
  );
  await settled(client, model);
}

/** Well within the activity's own time; what takes longer goes on by itself, and shows in what is left. */
const SETTLED_MS = 90_000;
const POLL_MS = 500;

/** Waits until the model has done what it has to do. */
async function settled(client: Client, model: string): Promise<void> {
  const handle = client.workflow.getHandle(modelWorkflowId(model));
  const until = performance.now() + SETTLED_MS;
  while (performance.now() < until) {
    heartbeat();
    const view = await client
      .withDeadline(Date.now() + 10_000, () => handle.query<Partial<ModelView>>('modelState'))
      .catch(() => null);
    if (view !== null && (view.acts ?? []).length === 0) return;
    await Context.current().sleep(POLL_MS);
  }
}

async function register(
  { registry, ledger }: Repairing,
  input: RepairInput,
  { versions }: Facts,
  difference: Difference,
): Promise<string> {
  const record = versions.find(({ version }) => version === difference.subject);
  if (record === undefined) return 'nothing: its registration is not on record any more';
  const { version, digest } = record;
  const evidence = { found: foundIn(difference) };
  await ledger.append([
    entry(input, `register-${version}/intent`, 'version.restored-requested', { version, digest }, evidence),
  ]);
  await registry.register(record);
  await ledger.append([
    entry(input, `register-${version}`, 'version.restored', { version, digest }, evidence),
  ]);
  return `${version} was put back into the registry`;
}

const releaseIn = ({ subject }: Difference): number => Number(/\d+$/.exec(subject)?.[0] ?? 0);
