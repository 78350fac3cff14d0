/**
 * A stage for whole releases: a worker and gateways as processes on a real Temporal server and a real mongod, models that are a
 * few hundred bytes, and a manifest whose every stage takes seconds.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { history, type HistoryEntry, verifyLedger } from '../../src/client/audit.js';
import { registerFile } from '../../src/client/models.js';
import { type KeptProcess, startProcess } from '../../src/client/processes.js';
import { openSession, type Session } from '../../src/client/session.js';
import type { Tenure } from '../../src/client/tenure.js';
import { lookAtRelease, type ReleaseSight } from '../../src/client/watch.js';
import { childEnvironment, loadConfig } from '../../src/config.js';
import { modelWorkflowId, releaseWorkflowId } from '../../src/contracts/ids.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import type { ReleaseOutcome } from '../../src/contracts/model.js';
import type { RoutingTable } from '../../src/contracts/routes.js';
import type { ReleaseView } from '../../src/contracts/views.js';
import { MongoRoutingStore } from '../../src/platform/serving/index.js';
import { build, type Built } from './built.js';
import { until } from './gateway.js';
import { labelledRows, MODELS, shortManifest } from './release-plan.js';
import { Traffic, type TrafficOptions } from './release-traffic.js';
import { getTestStack } from './stack.js';

export interface Gateway {
  readonly id: string;
  readonly url: string;
  readonly process: KeptProcess;
}

/** Each look costs the worker a task, on the same two cores. */
const LOOK_EVERY_MS = 400;

/** Where a stage stands: servers that are there already. */
export interface StageServers {
  readonly temporalAddress: string;
  readonly mongodbUri: string;
  /** A home that is there already, and the name of database and task queue in it; it is not removed at the end. */
  readonly home?: { readonly folder: string; readonly name: string };
}

export class ReleaseStage {
  readonly folder: string;
  readonly session: Session;
  tenure!: Tenure;
  worker!: KeptProcess;
  gateways: Gateway[] = [];
  /** How long something may take before it counts as stuck, milliseconds; more where much goes on at once. */
  patienceMs = 40_000;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #all: KeptProcess[] = [];
  readonly #lines: string[] = [];
  #client!: Client;
  #connection: Connection | undefined;
  #dataDigest = '';
  readonly #built: Built;
  readonly #keep: boolean;

  private constructor(folder: string, { temporalAddress, mongodbUri, home }: StageServers, built: Built) {
    this.folder = folder;
    this.#built = built;
    this.#keep = home !== undefined;
    const name = home?.name ?? `release-${randomUUID().slice(0, 12)}`;
    const base = loadConfig({ PATH: process.env['PATH'], TENURE_HOME: folder, TENURE_USER: 'ada' });
    this.#env = {
      ...childEnvironment(base, { temporalAddress, mongodbUri }),
      TENURE_DATABASE: name,
      TENURE_TASK_QUEUE: name,
      TENURE_GATEWAY_PORT: '0',
      TENURE_LOG_LEVEL: 'warn',
      // Rounds of the doctor are asked for where they are tested.
      TENURE_DOCTOR_SECONDS: '0',
      TENURE_REPORT_AT: 'off',
      TENURE_MONITOR_SECONDS: '0',
      TENURE_USER: 'ada',
    };
    this.session = openSession(loadConfig(this.#env));
  }

  /** @param servers the test run's own when absent */
  static async open(gateways: readonly string[], servers?: StageServers): Promise<ReleaseStage> {
    const folder = servers?.home?.folder ?? (await mkdtemp(join(tmpdir(), 'tenure-release-')));
    const stage = new ReleaseStage(folder, servers ?? (await getTestStack()), await build());
    try {
      await stage.#open(gateways);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #open(gateways: readonly string[]): Promise<void> {
    await Promise.all([this.startWorker(), ...gateways.map((id) => this.startGateway(id))]);
    this.tenure = await this.session.tenure();
    const { temporal, namespace } = this.session.config;
    this.#connection = await Connection.connect({ address: temporal?.address ?? '' });
    this.#client = new Client({ connection: this.#connection, namespace });
    this.#dataDigest = await this.put(labelledRows());
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((kept) => kept.stop(5_000)));
    if (!this.#keep) {
      const { db } = await this.session.database();
      await db.dropDatabase().catch(() => undefined);
    }
    await this.#connection?.close();
    await this.session.close();
    if (!this.#keep) await rm(this.folder, { recursive: true, force: true });
    await this.#built.remove();
  }

  /** @param env beside what every process of the stage gets */
  async startWorker(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.worker = (await this.#start('worker', this.#built.worker, /^Worker polls/, env)).process;
  }

  /** Starts a gateway, or one of that name again. */
  async startGateway(id: string): Promise<Gateway> {
    const env = { TENURE_GATEWAY_ID: id };
    const { process: kept, line } = await this.#start(id, this.#built.gateway, /listens on http/, env);
    const gateway = { id, url: line.replace(/^.*listens on /, ''), process: kept };
    this.gateways = [...this.gateways.filter((other) => other.id !== id), gateway].sort((a, b) =>
      a.id.localeCompare(b.id),
    );
    return gateway;
  }

  /** For the command, run against this stage. */
  get environment(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(this.#env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  }

  /** SIGKILL, and it is over when it is over. */
  async kill(kept: KeptProcess): Promise<void> {
    kept.kill('SIGKILL');
    await kept.exited;
  }

  /** Temporal itself, as an operator has it. */
  get temporal(): Client {
    return this.#client;
  }

  /** The last lines that the processes wrote. */
  get said(): string {
    return this.#lines.slice(-40).join('\n');
  }

  async put(content: Uint8Array | string): Promise<string> {
    const { digest } = await this.session.artifacts().put(Buffer.from(content));
    return digest;
  }

  /** Applies a manifest with everything short; what a test does not set is as here. */
  async apply(model: string, changes: Partial<Manifest> = {}, dataDigest = this.#dataDigest): Promise<void> {
    await this.tenure.applyManifest(shortManifest(model, dataDigest, changes));
  }

  async register(model: string, version: string, content: Uint8Array): Promise<string> {
    const file = join(this.folder, 'files', model, `${version}.onnx`);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
    const { digest } = await registerFile(this.session, model, version, file);
    return digest;
  }

  /** A model with v1 in production, and its traffic, which is paused. */
  async model(name: string, changes: Partial<Manifest> = {}, options: TrafficOptions = {}): Promise<Traffic> {
    await this.apply(name, changes);
    await this.register(name, 'v1', MODELS.v1);
    const { release } = await this.tenure.submitRelease(name, 'v1');
    await this.follow(name, release, ({ stage }) => stage === 'soaking');
    const traffic = this.traffic(name, options);
    await this.ends(name, release, 'succeeded');
    traffic.pause();
    return traffic;
  }

  traffic(model: string, options: TrafficOptions = {}): Traffic {
    return new Traffic(
      model,
      this.gateways.map(({ url }) => url),
      options,
    );
  }

  /** Registers a version and submits its release. */
  async submit(model: string, version: string, content: Uint8Array): Promise<number> {
    await this.register(model, version, content);
    return (await this.tenure.submitRelease(model, version)).release;
  }

  /** Looks at a release until something is so; fails when it ends before, or takes too long. */
  async follow(model: string, release: number, is: (view: ReleaseView) => boolean): Promise<ReleaseView> {
    let last: ReleaseSight | null = null;
    const found = await until<ReleaseView>(
      `release ${release} of ${model}`,
      async () => {
        if (last !== null) await sleep(LOOK_EVERY_MS);
        last = await lookAtRelease(this.tenure, model, release);
        const { view, ended } = last;
        if (view !== null && is(view)) return view;
        assert.ok(
          !ended,
          `release ${release} of ${model} has ended: ${last.stage}, ${view?.reason}\n${this.said}`,
        );
        return null;
      },
      this.patienceMs,
    ).catch((error: unknown) => {
      const where = `${last?.stage}, waiting for ${last?.view?.waitingFor}, parked: ${JSON.stringify(last?.view?.parked)}`;
      throw new Error(`${String(error)}: it is ${where}\n${this.said}`, { cause: error });
    });
    return found;
  }

  /** Waits for the end, which must be this one, and until all of it is recorded. */
  async ends(model: string, release: number, outcome: ReleaseOutcome): Promise<ReleaseView> {
    const view = await this.follow(model, release, (seen) => seen.outcome !== null);
    assert.equal(view.outcome, outcome, `${view.reason}\n${this.said}`);
    await this.tenure.outcome(model, release);
    return view;
  }

  async table(model: string): Promise<RoutingTable> {
    const { db } = await this.session.database();
    const table = await new MongoRoutingStore(db).read(model);
    assert.ok(table !== null, `${model} has no routing table`);
    return table;
  }

  /** A model's story as it is stored. */
  async history(model: string): Promise<HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    for await (const entry of history(this.session, model)) entries.push(entry);
    return entries;
  }

  /** A model's story; verified, with the newest event that the workflows know of. */
  async record(model: string): Promise<HistoryEntry[]> {
    const entries = await this.history(model);
    const verified = await verifyLedger(this.session, { model });
    assert.deepEqual(
      [verified.ok, verified.events >= entries.length, verified.headsMatched, verified.headsUnknown],
      [true, true, 1, []],
      JSON.stringify(verified),
    );
    return entries;
  }

  /** Events of the workflow histories of a model and of one of its releases. */
  async historyLengths(
    model: string,
    release: number,
  ): Promise<{ readonly model: number; readonly release: number }> {
    const length = async (id: string): Promise<number> => {
      const { historyLength } = await this.#client.workflow.getHandle(id).describe();
      return historyLength;
    };
    return {
      model: await length(modelWorkflowId(model)),
      release: await length(releaseWorkflowId(model, release)),
    };
  }

  #start(
    name: string,
    entry: string,
    ready: RegExp,
    env: Readonly<Record<string, string>>,
  ): Promise<{ process: KeptProcess; line: string }> {
    return new Promise((resolve, reject) => {
      const kept = startProcess({
        name,
        entry,
        env: { ...this.#env, ...env },
        onLine: (line) => {
          this.#lines.push(`${name}: ${line.slice(0, 500)}`);
          if (this.#lines.length > 500) this.#lines.shift();
          if (ready.test(line)) resolve({ process: kept, line });
        },
      });
      this.#all.push(kept);
      void kept.exited.then(() => reject(new Error(`${name} ended before it was ready:\n${this.said}`)));
    });
  }
}

let shared: Promise<ReleaseStage> | undefined;
let users = 0;

/** The stage that the files of whole releases share: two gateways. It ends with the last of them. */
export function useReleaseStage(): () => ReleaseStage {
  users += 1;
  let stage: ReleaseStage;
  before('set the stage', async function () {
    this.timeout(120_000);
    stage = await (shared ??= ReleaseStage.open(['gateway-1', 'gateway-2']));
  });
  after('leave the stage', async function () {
    this.timeout(60_000);
    users -= 1;
    if (users === 0) await closeShared();
  });
  return () => stage;
}

async function closeShared(): Promise<void> {
  const closing = shared;
  shared = undefined;
  await (await closing?.catch(() => undefined))?.close();
}

// Where a file was loaded and none of its tests was asked for.
after('end the stage', async function () {
  this.timeout(60_000);
  await closeShared();
});
