/** The whole of Tenure as `tenure up` runs it, in a folder of the bench's own: Temporal, MongoDB, one worker, one gateway. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { history, verifyLedger } from '../../src/client/audit.js';
import { registerFile } from '../../src/client/models.js';
import { type KeptProcess, startProcess } from '../../src/client/processes.js';
import { openSession, type Session } from '../../src/client/session.js';
import type { Tenure } from '../../src/client/tenure.js';
import { lookAtRelease } from '../../src/client/watch.js';
import { childEnvironment, loadConfig } from '../../src/config.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import { modelWorkflowId, releaseWorkflowId } from '../../src/contracts/ids.js';
import { MongoRoutingStore } from '../../src/platform/serving/index.js';
import { failPlanText, type FailPlan } from '../../src/fail-points/plan.js';
import { killStack, startStack } from '../../src/stack/index.js';
import { insist } from '../../test/support/chaos/insist.js';
import { labelledRows, MODELS, shortManifest } from '../../test/support/release-plan.js';
import { Traffic } from '../../test/support/release-traffic.js';
import type { BenchContext } from '../bench.js';
import { type Spent, spentOf } from './history.js';

const PATIENCE_MS = 300_000;

/**
 * Everything as light as it can be with every stage there: no approval, one step of a canary that needs 20 keys, a soak of 0 s. What
 * is left is what a release itself costs.
 */
const LIGHT: Partial<Manifest> = {
  canary: {
    ...shortManifest('light', '', {}).canary,
    steps: [{ weight: 0.5, minKeys: 20, minSeconds: 0 }],
    judgement: 'watch',
  },
  soak: { seconds: 0, holdback: 0.1 },
  serving: { ...shortManifest('light', '', {}).serving, leaseSeconds: 15 },
};

export class ReleaseStage {
  readonly #context: BenchContext;
  readonly #dataDir: string;
  readonly #lines: string[] = [];
  readonly #ends: (() => unknown)[] = [];
  #env: Readonly<Record<string, string | undefined>> = {};
  #session!: Session;
  #client!: Client;
  #worker!: KeptProcess;
  #dataDigest = '';
  tenure!: Tenure;
  gatewayUrl = '';

  private constructor(context: BenchContext) {
    this.#context = context;
    this.#dataDir = join(context.folder, 'stack');
    context.defer(() => this.close());
  }

  static async open(context: BenchContext): Promise<ReleaseStage> {
    const stage = new ReleaseStage(context);
    const { temporalAddress, mongodbUri } = await stage.#servers();
    const base = loadConfig({
      ...process.env,
      TENURE_HOME: join(context.folder, 'home'),
      TENURE_USER: 'ada',
    });
    stage.#env = {
      ...childEnvironment(base, { temporalAddress, mongodbUri }),
      TENURE_GATEWAY_PORT: '0',
      TENURE_LOG_LEVEL: 'warn',
      TENURE_USER: 'ada',
    };
    await stage.startWorker();
    stage.gatewayUrl = (await stage.#start('gateway', 'gateway/main', /listens on (http\S+)/)).said;
    stage.#session = openSession(loadConfig(stage.#env), { patienceMs: PATIENCE_MS });
    stage.#defer(() => stage.#session.close());
    stage.tenure = await stage.#session.tenure();
    const connection = await Connection.connect({ address: temporalAddress });
    stage.#defer(() => connection.close());
    stage.#client = new Client({ connection, namespace: base.namespace });
    const { digest } = await stage.#session.artifacts().put(Buffer.from(labelledRows()));
    stage.#dataDigest = digest;
    return stage;
  }

  /** A worker that is behind has its callers turned away for a while; the same request again is the same request. */
  #insist<T>(call: () => Promise<T>): Promise<T> {
    return insist('the release', call, new AbortController().signal, PATIENCE_MS);
  }

  #defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  get #said(): string {
    return this.#lines.slice(-20).join('\n');
  }

  /** Ends all of it before the bench ends, so that what is measured next has the machine. */
  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  async startWorker(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#worker = (await this.#start('worker', 'worker', /^(Worker polls)/, env)).kept;
  }

  /** Starts the worker anew, to die where it is told. @returns a promise of its death */
  async armWorker(plan: FailPlan): Promise<{ readonly died: Promise<unknown> }> {
    await this.#worker.stop();
    const folder = join(this.#context.folder, 'marks');
    await this.startWorker({
      TENURE_FAIL_POINT: failPlanText(plan),
      TENURE_FAIL_FOLDER: folder,
      TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
    });
    return { died: this.#worker.exited };
  }

  /** The worker is dead; SIGKILL to Temporal and MongoDB too, and all are started again on the same data. The gateway serves on. */
  async restartAll(): Promise<void> {
    killStack(this.#dataDir);
    await this.#servers();
    await this.startWorker();
  }

  /** A model with its first version in production. */
  async model(name: string): Promise<void> {
    const manifest = shortManifest(name, this.#dataDigest, LIGHT);
    const requestId = randomUUID();
    await this.#insist(() => this.tenure.applyManifest(manifest, { requestId }));
    const release = await this.submit(name, 'v1');
    await this.ends(name, release);
  }

  async submit(model: string, version: keyof typeof MODELS): Promise<number> {
    const file = join(this.#context.folder, 'files', model, `${version}.onnx`);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, MODELS[version]);
    const registering = { requestId: randomUUID() };
    await this.#insist(() => registerFile(this.#session, model, version, file, registering));
    const requestId = randomUUID();
    return (await this.#insist(() => this.tenure.submitRelease(model, version, { requestId }))).release;
  }

  /** Waits for the end of a release. @throws Error when it is another one */
  async ends(model: string, release: number): Promise<void> {
    const outcome = await this.#insist(() => this.tenure.outcome(model, release));
    if (outcome === 'succeeded') return;
    const { view } = await lookAtRelease(this.tenure, model, release);
    throw new Error(`Release ${release} of ${model} ended ${outcome}: ${view?.reason}\n${this.#said}`);
  }

  /** What a release cost, and how many events its model's history has grown to. */
  async spent(model: string, release: number): Promise<{ readonly release: Spent; readonly model: number }> {
    const history = await this.#client.workflow.getHandle(releaseWorkflowId(model, release)).fetchHistory();
    const { historyLength } = await this.#client.workflow.getHandle(modelWorkflowId(model)).describe();
    return { release: spentOf(history.events ?? []), model: historyLength };
  }

  /** Generations of a model's routing table so far. */
  async generation(model: string): Promise<number> {
    const { db } = await this.#session.database();
    return (await new MongoRoutingStore(db).read(model))?.generation ?? 0;
  }

  /** A model's ledger, verified. @returns its actions; an act that was recorded anew has an id with `/again/` */
  async recorded(model: string): Promise<readonly { readonly id: string; readonly action: string }[]> {
    const { ok } = await verifyLedger(this.#session, { model });
    if (!ok) throw new Error(`The ledger of ${model} does not verify`);
    const entries: { id: string; action: string }[] = [];
    for await (const { event } of history(this.#session, model))
      entries.push({ id: event.id, action: event.action });
    return entries;
  }

  /** Users of a model, each request a new routing key. @param rate requests a second */
  users(model: string, rate: number): Traffic {
    const traffic = new Traffic(model, [this.gatewayUrl], { rate });
    this.#defer(() => traffic.stop());
    return traffic;
  }

  async #servers(): Promise<{ temporalAddress: string; mongodbUri: string }> {
    const { binaries } = this.#context.config;
    const stack = await startStack({ dataDir: this.#dataDir, binaries });
    if (stack.owned) {
      const end = (): void => killStack(this.#dataDir);
      process.once('exit', end);
      this.#defer(async () => {
        await stack.stop();
        process.off('exit', end);
      });
    }
    return stack;
  }

  async #start(
    name: string,
    path: string,
    ready: RegExp,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ kept: KeptProcess; said: string }> {
    const kept = startProcess({
      name,
      entry: new URL(`../../src/${path}.ts`, import.meta.url),
      env: { ...this.#env, ...env },
      onLine: (line) => {
        this.#lines.push(`${name}: ${line.slice(0, 500)}`);
        if (this.#lines.length > 200) this.#lines.shift();
        const found = ready.exec(line);
        if (found !== null) onReady(found[1] ?? '');
      },
    });
    this.#defer(() => kept.stop());
    let onReady: (said: string) => void = () => undefined;
    const said = await new Promise<string>((resolve, reject) => {
      onReady = resolve;
      void kept.exited.then(() => reject(new Error(`The ${name} ended:\n${this.#said}`)));
    });
    return { kept, said };
  }
}
