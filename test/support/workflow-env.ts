import { randomUUID } from 'node:crypto';
import { IllegalStateError, type UpdateDefinition, WorkflowNotFoundError } from '@temporalio/common';
import { WithStartWorkflowOperation, WorkflowClient, type WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { WorkflowInfo } from '@temporalio/workflow';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  DefaultLogger,
  type InjectedSinks,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import {
  incidentWorkflowId,
  modelWorkflowId,
  releaseWorkflowId,
  retrainingWorkflowId,
  waitingTaskQueue,
} from '../../src/contracts/ids.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import type { ApprovalDecision } from '../../src/contracts/approvals.js';
import {
  applyManifest,
  modelState,
  releaseState,
  submitRelease,
  type Request,
} from '../../src/contracts/messages.js';
import type { ModelView, ReleaseView } from '../../src/contracts/views.js';
import type { ReleaseStage } from '../../src/contracts/model.js';
import type { LifecycleInput } from '../../src/workflows/modelLifecycle.js';
import { initialModelState, type ModelState } from '../../src/lifecycle/model-state.js';
import { builtForSkipping, builtWorkflows } from './built.js';
import { manifest } from './manifests.js';
import type { ScriptSinks } from './never-cancelled.js';
import { ScriptedPlatform } from './scripted-platform.js';
import { getTestStack, startTimeSkipping } from './stack.js';

const { EventType } = proto.temporal.api.enums.v1;

let bundle: Promise<WorkflowBundle> | undefined;

/** The workflow bundle, made once a test run. */
export const workflowBundle = (): Promise<WorkflowBundle> => (bundle ??= builtWorkflows());

/**
 * For the time-skipping server: it loses the workflow task, and all later ones, that cancels an activity which has been scheduled and not
 * been started. Whatever interrupts a release cancels what it is at, at any time; here no activity is told.
 */
const skippingBundle = (): Promise<WorkflowBundle> => (skipping ??= builtForSkipping());

let skipping: Promise<WorkflowBundle> | undefined;

let quiet = false;
/** Expected failures of scripted activities are not worth a line each. Before anything else has to do with a worker, or not at all. */
export function quieten(): void {
  if (quiet) return;
  quiet = true;
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
    });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}

export interface StartOptions extends Omit<LifecycleInput, 'manifest'> {
  /** Serves from the start, as if released long ago as release 1. */
  readonly champion?: string;
  /** Another server than the time-skipping one. */
  readonly env?: TestWorkflowEnvironment;
}

/** A lifecycle's carried state in which a version serves. */
function served(platform: ScriptedPlatform, manifest: Manifest, version: string) {
  const champion = platform.register(manifest.name, version);
  platform.preset(champion);
  const at = '2026-01-01T00:00:00.000Z';
  const state: ModelState = {
    ...initialModelState(manifest),
    manifestRevision: 1,
    champion,
    champions: [{ ...champion, release: 1, since: at, until: null }],
    releases: [
      {
        ...champion,
        release: 1,
        submittedBy: 'eve',
        submittedAt: at,
        stage: 'succeeded',
        reason: null,
        endedAt: at,
      },
    ],
    nextRelease: 2,
    generation: 1,
  };
  return { state, unrecorded: [] };
}

const QUERY_MS = 3000;
export const UPDATE_MS = 15_000;
/** The first one is also what is waited where time cannot be skipped: while an activity runs. */
const STEPS_MS = { first: 50, most: 600_000 };

/** The time that a workflow's script may take, as src/worker.ts sets it. */
const AS_THE_WORKER: object = { isolateExecutionTimeout: '120s' };

/** A model of its own on the time-skipping server, with a scripted platform behind it. */
export class ModelUnderTest {
  readonly platform: ScriptedPlatform;
  readonly env: TestWorkflowEnvironment;
  readonly taskQueue: string;
  readonly manifest: Manifest;
  readonly #ownsEnv: boolean;
  #stopped = false;
  #workers: { worker: Worker; running: Promise<void> }[] = [];

  private constructor(
    env: TestWorkflowEnvironment,
    ownsEnv: boolean,
    platform: ScriptedPlatform,
    manifest: Manifest,
  ) {
    this.env = env;
    this.#ownsEnv = ownsEnv;
    this.platform = platform;
    this.taskQueue = `test-${randomUUID()}`;
    this.manifest = manifest;
  }

  /** Starts workers and applies the manifest; the model's name is made unique. */
  static async start(
    platform: ScriptedPlatform,
    manifest: Manifest,
    options: StartOptions = {},
  ): Promise<ModelUnderTest> {
    quieten();
    const env = options.env ?? (await startTimeSkipping());
    const model = new ModelUnderTest(env, options.env === undefined, platform, {
      ...manifest,
      name: `m-${randomUUID().slice(0, 8)}`,
    });
    await model.startWorkers();
    const { champion, env: _, ...limits } = options;
    const input: LifecycleInput = { manifest: model.manifest, ...limits };
    const startWorkflowOperation = new WithStartWorkflowOperation('modelLifecycle', {
      workflowId: modelWorkflowId(model.name),
      taskQueue: model.taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: champion === undefined ? [input] : [input, served(platform, model.manifest, champion)],
    });
    await env.client.workflow.executeUpdateWithStart(applyManifest, {
      startWorkflowOperation,
      args: [{ requestId: randomUUID(), actor: 'olga', manifest: model.manifest }],
    });
    return model;
  }

  get name(): string {
    return this.manifest.name;
  }

  get handle(): WorkflowHandle {
    return this.env.client.workflow.getHandle(modelWorkflowId(this.name));
  }

  release(number: number): WorkflowHandle {
    return this.env.client.workflow.getHandle(releaseWorkflowId(this.name, number));
  }

  view(): Promise<ModelView> {
    return this.insist(() => this.handle.query(modelState));
  }

  releaseView(number: number): Promise<ReleaseView> {
    return this.insist(() => this.release(number).query(releaseState));
  }

  /** The time-skipping server never answers what reaches a run just when it continues as new: it is asked again. */
  async insist<T>(query: () => Promise<T>, ms = QUERY_MS): Promise<T> {
    for (;;)
      try {
        return await this.env.client.withDeadline(Date.now() + ms, query);
      } catch (error) {
        if (
          this.#stopped ||
          !/deadline|call cancelled/i.test(`${String(error)} ${String((error as Error).cause)}`)
        )
          throw error;
      }
  }

  /** Sends one of the model's updates, with a request id of its own unless one is given. */
  async ask<T, R extends Request>(
    update: UpdateDefinition<T, [R]>,
    fields: Omit<R, 'requestId' | 'actor'> & Partial<Request>,
  ): Promise<T> {
    const request = { requestId: randomUUID(), actor: 'otto', ...fields } as unknown as R;
    return this.insist(() => this.handle.executeUpdate(update, { args: [request] }), UPDATE_MS);
  }

  /** Moves the server's clock. */
  skip(ms: number): Promise<void> {
    return this.env.sleep(ms);
  }

  /** Waits until the model has heard of the end of its release. */
  idle(): Promise<void> {
    return this.until(async () => (await this.view()).inFlight === null);
  }

  /** What an approver would send now; waits until somebody is asked. */
  async decision(number: number, fields: Partial<ApprovalDecision> = {}): Promise<ApprovalDecision> {
    await this.until(async () => (await this.asked(number)) !== null);
    const approval = await this.asked(number);
    if (approval === null) throw new Error('nobody is asked');
    return {
      requestId: randomUUID(),
      gate: approval.gate,
      decision: 'approve',
      approver: 'ann',
      reason: 'looks right',
      digest: approval.digest,
      evidenceHash: approval.evidenceHash,
      ...fields,
    };
  }

  async asked(number: number): Promise<ReleaseView['approval']> {
    return (await this.releaseView(number).catch(() => undefined))?.approval ?? null;
  }

  /** Submits a release of a version, registering it first. */
  async submit(version: string, options: { actor?: string; supersede?: boolean } = {}): Promise<number> {
    this.platform.register(this.name, version);
    const answer = await this.ask(submitRelease, {
      actor: options.actor ?? 'eve',
      version,
      supersede: options.supersede ?? false,
    });
    if (!answer.accepted) throw new Error(answer.reason);
    return answer.release;
  }

  /** Waits for the end of a release; time passes meanwhile. */
  ended(number: number): Promise<ReleaseStage> {
    return this.resultOf<ReleaseStage>(this.release(number));
  }

  /**
   * Waits for the end of one of its workflows, which need not be there yet, while time passes in steps. The `result()` of this server's
   * client has time skip on until it has heard of the end: by hours, or, with no timer left, by ten years.
   */
  async resultOf<T>(handle: WorkflowHandle): Promise<T> {
    if (!this.#ownsEnv) {
      // Accepted is not begun: the model starts its workflow after it has answered.
      await this.until(async () => (await this.#statusOf(handle)) !== null);
      return (await handle.result()) as T;
    }
    await this.passUntil(async () => ![null, 'RUNNING'].includes(await this.#statusOf(handle)));
    const { connection, client } = this.env;
    const { namespace } = client.options;
    const still = new WorkflowClient({ connection, namespace });
    return (await still.getHandle(handle.workflowId).result()) as T;
  }

  /** Lets time pass until something is so, and at most a sixteenth more of it, or ten minutes. */
  async passUntil(condition: () => Promise<boolean>): Promise<void> {
    let passed = 0;
    let step = STEPS_MS.first;
    while (!(await condition())) {
      if (this.#stopped) throw new Error('the test is over');
      await this.skip(step);
      passed += step;
      step = Math.min(step * 2, Math.max(STEPS_MS.most, passed / 16));
    }
  }

  /** Null: it is not there yet. */
  async #statusOf(handle: WorkflowHandle): Promise<string | null> {
    try {
      return (await handle.describe()).status.name;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  /**
   * Waits until a workflow has nothing to do and no activity but these. The time-skipping server loses a workflow task that cancels an
   * activity which has just completed, and its time stands still for good once a workflow is terminated in the middle of something.
   */
  async untilStill(handle: WorkflowHandle, running: readonly string[] = []): Promise<void> {
    await this.until(async () => {
      const { pendingActivities, pendingWorkflowTask } = (await handle.describe()).raw;
      const types = (pendingActivities ?? []).map(({ activityType }) => activityType?.name ?? '');
      if ((pendingWorkflowTask ?? null) !== null || types.some((type) => !running.includes(type)))
        return false;
      const { events } = await handle.fetchHistory();
      const last = events?.at(-1);
      // Either was completed, or what it asked for is there already.
      return !last?.workflowTaskScheduledEventAttributes && !last?.workflowTaskStartedEventAttributes;
    });
  }

  /** Releases a version and waits until it has succeeded. */
  async succeed(version: string): Promise<void> {
    const outcome = await this.ended(await this.submit(version));
    if (outcome !== 'succeeded') throw new Error(`release of ${version} ended ${outcome}`);
    await this.idle();
  }

  /** Polls until something is so; bounded by the test's own timeout. */
  async until(condition: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await condition())) {
      if (this.#stopped) throw new Error('the test is over');
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  untilStage(number: number, stage: ReleaseStage): Promise<void> {
    return this.until(async () => (await this.releaseView(number).catch(() => undefined))?.stage === stage);
  }

  async startWorkers(workflows?: WorkflowBundle): Promise<void> {
    const { awaitLook, assembleTrainingSet, trainChallenger, judgeChallenger, ...activities } = bind(
      this.platform,
    );
    const waiting = { awaitLook, assembleTrainingSet, trainChallenger, judgeChallenger };
    const common = {
      connection: this.env.nativeConnection,
      shutdownGraceTime: 0,
      shutdownForceTime: '2s' as const,
    };
    const workers = await Promise.all([
      Worker.create({
        ...common,
        taskQueue: this.taskQueue,
        workflowBundle: workflows ?? (await (this.#ownsEnv ? skippingBundle() : workflowBundle())),
        ...AS_THE_WORKER,
        // A thread for the workflows costs as much as the test itself, two hundred times; on a real server they have theirs.
        debugMode: this.#ownsEnv,
        ...(this.#ownsEnv ? { sinks: this.#sinks } : {}),
        activities,
      }),
      Worker.create({ ...common, taskQueue: waitingTaskQueue(this.taskQueue), activities: waiting }),
    ]);
    this.#workers = workers.map((worker) => ({ worker, running: worker.run() }));
  }

  get #sinks(): InjectedSinks<ScriptSinks> {
    const fn = ({ workflowId }: WorkflowInfo, activityId: string): void =>
      this.platform.cancelled(workflowId, activityId);
    return { script: { cancelled: { fn, callDuringReplay: false } } };
  }

  async stopWorkers(): Promise<void> {
    for (const { worker } of this.#workers) worker.shutdown();
    await Promise.all(this.#workers.map(({ running }) => running));
    this.#workers = [];
  }

  /** Where its workflows stand, for somebody who looks into a failure: the last events of each. */
  async told(): Promise<string> {
    const lines: string[] = [];
    for (const id of idsOf(this.name)) {
      const handle = this.env.client.workflow.getHandle(id);
      // This server lists none.
      const found = await handle.describe().catch(() => null);
      if (found === null) continue;
      const { pendingActivities, pendingWorkflowTask } = found.raw;
      const activities = (pendingActivities ?? []).map(
        (one) => `${one.activityType?.name}, attempt ${one.attempt}`,
      );
      const { events } = await handle.fetchHistory();
      lines.push(
        `${id}: ${found.status.name}, activities: ${activities.join('; ') || 'none'}, task: ${pendingWorkflowTask?.state ?? 'none'}`,
        ...(events ?? [])
          .slice(-15)
          .map(({ eventId, eventTime, eventType, workflowTaskFailedEventAttributes: broken }) =>
            [
              `  ${String(eventId)} ${new Date(Number(eventTime?.seconds ?? 0) * 1000).toISOString()}`,
              EventType[eventType ?? 0],
              ...(broken?.failure ? [broken.failure.message, broken.failure.stackTrace] : []),
            ].join(' '),
          ),
      );
    }
    return `${lines.join('\n')}\n`;
  }

  /** Ends what is still open, so that nothing of this test runs on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const { releases } = await this.view().catch(() => ({ releases: [] }));
    for (const { release, endedAt } of releases)
      if (endedAt === null)
        await this.release(release)
          .terminate('end of test')
          .catch(() => undefined);
    await this.handle.terminate('end of test').catch(() => undefined);
    await this.stopWorkers();
    if (this.#ownsEnv) await this.env.teardown();
  }
}

const idsOf = (model: string): readonly string[] => [
  modelWorkflowId(model),
  ...[1, 2, 3, 4, 5].flatMap((n) => [
    releaseWorkflowId(model, n),
    incidentWorkflowId(model, n),
    retrainingWorkflowId(model, n),
  ]),
];

/** Own properties only: what Worker.create registers as activities. */
function bind(platform: ScriptedPlatform) {
  const { recordEvents, registerVersion, findVersion, changeTraffic, rehearseRollback, checkConformance } =
    platform;
  const { validateVersion, readBaseline, readFreezeWindows, verifyDecisions, sendAlert, awaitLook } =
    platform;
  const { readRetrainingSigns, assembleTrainingSet, trainChallenger, judgeChallenger } = platform;
  return {
    recordEvents,
    registerVersion,
    findVersion,
    changeTraffic,
    rehearseRollback,
    checkConformance,
    validateVersion,
    readBaseline,
    readFreezeWindows,
    verifyDecisions,
    sendAlert,
    awaitLook,
    readRetrainingSigns,
    assembleTrainingSet,
    trainChallenger,
    judgeChallenger,
  };
}

export interface Started {
  readonly model: ModelUnderTest;
  readonly platform: ScriptedPlatform;
}

/** Gives a suite a function that starts a model for a test; the model is stopped after it. */
export function useModel(): (
  overrides?: Partial<Manifest>,
  options?: StartOptions & { readonly prepare?: (platform: ScriptedPlatform) => void },
) => Promise<Started> {
  const started: ModelUnderTest[] = [];
  afterEach(async function () {
    const failed = this.currentTest?.state === 'failed';
    for (const model of started.splice(0)) {
      // What cannot be told must not hide why the test failed, nor leave the model running.
      if (failed) process.stdout.write(await model.told().catch((error: unknown) => `${String(error)}\n`));
      await model.stop();
    }
  });
  return async (overrides = {}, { prepare, ...options } = {}) => {
    const platform = new ScriptedPlatform();
    prepare?.(platform);
    const model = await ModelUnderTest.start(platform, manifest(overrides), options);
    started.push(model);
    return { model, platform };
  };
}

/** Gives a suite an environment on the test run's real Temporal server, for models of its own. */
export function useRealServer(): () => TestWorkflowEnvironment {
  let env: TestWorkflowEnvironment | undefined;
  before('connect to the Temporal server', async () => {
    quieten();
    const { temporalAddress } = await getTestStack();
    env = await TestWorkflowEnvironment.createFromExistingServer({ address: temporalAddress });
  });
  after(() => env?.teardown());
  return () => {
    if (env === undefined) throw new Error('The suite has not begun');
    return env;
  };
}
