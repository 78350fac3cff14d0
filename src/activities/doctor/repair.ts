import { Context, heartbeat } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import {
  type Difference,
  type DifferenceCode,
  differenceKey,
  type ReconcileRequestFields,
  type Remedy,
  type RepairInput,
  type RepairStep,
} from '../../contracts/doctor.js';
import { modelWorkflowId, releaseWorkflowId } from '../../contracts/ids.js';
import { reconcileModel, releaseReported } from '../../contracts/messages.js';
import { lifecycleStart } from '../../contracts/starting.js';
import { effect } from '../../fail-points/index.js';
import type { LedgerReader, LedgerWriter } from '../../ledger/index.js';
import { differences } from '../../lifecycle/doctor/differences.js';
import { recordedEnd } from '../../lifecycle/doctor/releases.js';
import { ledgerEntry, person } from '../../lifecycle/entries.js';
import { recoverModel, recoveredEntry } from '../../lifecycle/recovery.js';
import type { ModelView } from '../../contracts/views.js';
import { type Facts, gather, type Sources } from './gather.js';

export interface Repairing extends Sources {
  readonly client: Client;
  readonly ledger: LedgerWriter & LedgerReader;
  readonly taskQueue: string;
}

/** In this order: each stands on the ones before it. */
const ORDER: readonly Remedy[] = [
  'recover',
  'stop-release',
  'tell-end',
  'take-back',
  'let-go',
  'register',
  'realign',
];
const REASON = 'the parts were found to disagree';

/**
 * Mends what is still as it was found, by acts that are on record. Each is the same act in every try, so this may die anywhere
 * and be repeated: what was begun and has no outcome on record is done to its end first.
 */
export async function repair(deps: Repairing, input: RepairInput): Promise<readonly RepairStep[]> {
  const { keys, model } = input;
  const steps = new Map<string, RepairStep>();
  const note = (key: string, outcome: RepairStep['outcome'], what: string): unknown =>
    steps.set(key, { key, outcome, what });
  for (const key of keys) {
    const begun = await unfinished(deps, input, key);
    if (begun !== null) note(key, 'done', await mend(deps, input, await look(deps, model), begun));
  }
  for (const remedy of ORDER) {
    heartbeat();
    const facts = await look(deps, model);
    const found = differences(facts).filter((difference) => keys.includes(differenceKey(difference)));
    for (const difference of found) {
      const key = differenceKey(difference);
      if (facts.parts.bad !== null)
        note(key, 'refused', 'the record of the model is broken: nothing is repaired by it');
      else if (difference.remedy === null) note(key, 'refused', difference.advice);
      else if (difference.remedy === remedy)
        note(key, 'done', await mend(deps, input, facts, wrongOf(difference)));
    }
  }
  return keys.map((key) => steps.get(key) ?? { key, outcome: 'done', what: 'it is not there any more' });
}

/** A difference, as much of it as a repair needs and its record keeps. */
interface Wrong {
  readonly code: DifferenceCode;
  readonly subject: string;
  readonly remedy: Remedy;
  /** What was found, in words. */
  readonly found: string;
}

const wrongOf = ({ code, subject, remedy, expected, found }: Difference): Wrong => ({
  code,
  subject,
  remedy: remedy ?? 'realign',
  found: `${code}: expected ${expected}; found: ${found}`.slice(0, 1_000),
});

/** Repairs that are acts of their own: the others are recorded by the model. */
const OWN_ACTS: Readonly<Partial<Record<DifferenceCode, Remedy>>> = {
  'release-unknown': 'stop-release',
  'release-unreported': 'tell-end',
  'registry-missing': 'register',
};

/** An earlier try has recorded that it begins, and no outcome: what it was to mend may look mended. */
async function unfinished({ ledger }: Repairing, input: RepairInput, key: string): Promise<Wrong | null> {
  const [, code, ...rest] = key.split('/');
  const subject = rest.join('/');
  const remedy = OWN_ACTS[code as DifferenceCode];
  if (remedy === undefined) return null;
  const id = actIdOf(input, remedy, subject);
  const intent = await ledger.find(input.model, `${id}/intent`);
  if (intent === null || (await ledger.find(input.model, id)) !== null) return null;
  return { code: code as DifferenceCode, subject, remedy, found: text(intent.evidence['found']) };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

async function look(deps: Repairing, model: string): Promise<Facts> {
  const gateways = await deps.routes.gateways();
  const { releases } = await deps.executions.hints();
  return gather(deps, model, { gateways, hints: releases.get(model) ?? [], whole: false });
}

function mend(deps: Repairing, input: RepairInput, facts: Facts, wrong: Wrong): Promise<string> {
  switch (wrong.remedy) {
    case 'recover':
      return recover(deps, input, facts, wrong);
    case 'stop-release':
      return stopRelease(deps, input, wrong);
    case 'tell-end':
      return tellEnd(deps, input, facts, wrong);
    case 'take-back':
      return takeBack(deps, input, wrong);
    case 'let-go':
      return letGo(deps, input, wrong);
    case 'register':
      return register(deps, input, facts, wrong);
    case 'realign':
      return realign(deps, input, wrong);
  }
}

/** The same in every try. */
const actIdOf = ({ model, requestId }: RepairInput, remedy: Remedy, subject: string): string =>
  `${modelWorkflowId(model)}/doctor/${requestId}/${remedy}/${subject.replaceAll(' ', '-')}`;

/** An act of the repair itself: recorded that it begins, done, recorded that it is done. */
async function recordedAct(
  { ledger }: Repairing,
  input: RepairInput,
  { remedy, subject, found }: Wrong,
  options: { readonly action: string; readonly about: Readonly<Record<string, unknown>> },
  act: () => Promise<unknown>,
): Promise<void> {
  const id = actIdOf(input, remedy, subject);
  const entry = (suffix: string, ending: string) =>
    ledgerEntry({
      stream: input.model,
      id: `${id}${suffix}`,
      action: `${options.action}${ending}`,
      actor: person(input.actor),
      subject: options.about,
      evidence: { found },
      now: Date.now(),
    });
  await ledger.append([entry('/intent', '-requested')]);
  await act();
  await ledger.append([entry('', '')]);
}

async function recover(
  { client, taskQueue }: Repairing,
  { actor }: RepairInput,
  { parts, recorded }: Facts,
  { found }: Wrong,
): Promise<string> {
  const { model, head, releases, lifecycle } = parts;
  const running = releases.flatMap(({ state, release }) => (state === 'open' ? [release] : []));
  const about = { head, now: Date.now(), reason: found };
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

async function stopRelease(deps: Repairing, input: RepairInput, wrong: Wrong): Promise<string> {
  const number = numberIn(wrong);
  const workflow = releaseWorkflowId(input.model, number);
  const options = { action: 'model.release-stopped', about: { workflow } };
  await recordedAct(deps, input, wrong, options, async () => {
    await effect('doctor.stop-release', () => terminated(deps.client, workflow, wrong.found));
    await reconcile(deps, input, wrong, {});
  });
  return `release ${number} was terminated, and the routing table set again from the state of the model`;
}

async function terminated(client: Client, workflow: string, reason: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflow).terminate(reason);
  } catch (error) {
    // Closed meanwhile, or by an earlier try.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function tellEnd(deps: Repairing, input: RepairInput, facts: Facts, wrong: Wrong): Promise<string> {
  const { model, head } = facts.parts;
  const number = numberIn(wrong);
  const end = recordedEnd(facts, number);
  if (end?.endedAt == null) return 'nothing: its end is not on record any more';
  const { stage, endedAt: at, reason } = end;
  const state = facts.recorded.state;
  const report = {
    release: number,
    stage,
    at,
    reason,
    champion: state?.champion ?? null,
    former: null,
    generation: state?.generation ?? null,
    head,
  };
  const options = { action: 'model.release-end-told', about: { ended: number, stage } };
  await recordedAct(deps, input, wrong, options, () =>
    effect('doctor.tell-end', () =>
      deps.client.workflow.getHandle(modelWorkflowId(model)).signal(releaseReported, report),
    ),
  );
  await settled(deps.client, model);
  return `the model was told that release ${number} ended ${stage}`;
}

async function takeBack(deps: Repairing, input: RepairInput, wrong: Wrong): Promise<string> {
  const lost = numberIn(wrong);
  await reconcile(deps, input, wrong, { lost });
  return `the model took the traffic of release ${lost} back`;
}

async function letGo(deps: Repairing, input: RepairInput, wrong: Wrong): Promise<string> {
  const lostIncident = numberIn(wrong);
  await reconcile(deps, input, wrong, { lostIncident });
  return `the model was told to let go of incident ${lostIncident}`;
}

async function realign(deps: Repairing, input: RepairInput, wrong: Wrong): Promise<string> {
  await reconcile(deps, input, wrong, {});
  return 'the routing table was set again from the state of the model';
}

async function reconcile(
  { client }: Repairing,
  { model, actor, requestId }: RepairInput,
  { code, subject, found }: Wrong,
  lost: Pick<ReconcileRequestFields, 'lost' | 'lostIncident'>,
): Promise<void> {
  const request = {
    requestId: `doctor-${requestId}-${code}-${subject}`.slice(0, 200),
    actor,
    reason: REASON,
    found: [found],
    ...lost,
  };
  await effect('doctor.reconcile', () =>
    client.workflow
      .getHandle(modelWorkflowId(model))
      .executeUpdate(reconcileModel, { args: [request], updateId: request.requestId }),
  );
  await settled(client, model);
}

async function register(
  deps: Repairing,
  input: RepairInput,
  { versions }: Facts,
  wrong: Wrong,
): Promise<string> {
  const record = versions.find(({ version }) => version === wrong.subject);
  if (record === undefined) return 'nothing: its registration is not on record any more';
  const { version, digest } = record;
  const options = { action: 'version.restored', about: { version, digest } };
  await recordedAct(deps, input, wrong, options, () => deps.registry.register(record));
  return `${version} was put back into the registry`;
}

const numberIn = ({ subject }: Wrong): number => Number(/\d+$/.exec(subject)?.[0] ?? 0);

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
