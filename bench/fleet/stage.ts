/** Temporal, MongoDB, one worker and one gateway as they are run, in a folder of the bench's own; what each of them spends. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger } from '@temporalio/worker';
import type { Db } from 'mongodb';
import { openSession, type Session } from '../../src/client/session.js';
import type { Tenure } from '../../src/client/tenure.js';
import { childEnvironment, loadConfig } from '../../src/config.js';
import { monitorWorkflowId } from '../../src/contracts/ids.js';
import { bundleWorkflows } from '../../src/bundle-workflows.js';
import { ensureMonitors } from '../../src/platform/schedules/monitors.js';
import { findByArgument, identify } from '../../src/processes/identity.js';
import { killStack, startStack } from '../../src/stack/index.js';
import { mongodArgument } from '../../src/stack/mongod.js';
import { temporalArgument } from '../../src/stack/temporal.js';
import type { BenchContext } from '../bench.js';
import { compiled } from '../support/compiled.js';
import { cpuSeconds } from '../support/cpu.js';
import { memoryOf } from '../support/memory.js';
import { startPart } from '../support/processes.js';
import type { ClientsSeen, ClientsSettings } from '../processes/clients.js';
import type { FeederSettings } from '../processes/feeder.js';
import { placeWaiting } from './waiting.js';

/** CPU seconds by process, and the seconds that passed. */
export interface Spent {
  readonly seconds: number;
  readonly cpu: Readonly<Record<string, number>>;
}

const PATIENCE_MS = 120_000;
const FIRST_TICKS_MS = 600_000;
export const TASK_QUEUE = 'tenure';
export const LOOP_QUEUE = 'timer-loops';
export const LOOP_WORKER = 'loop worker';

export class FleetStage {
  readonly #context: BenchContext;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #pids: Record<string, number>;
  readonly #session: Session;
  readonly gatewayUrl: string;
  readonly client: Client;
  readonly db: Db;
  readonly tenure: Tenure;
  readonly monitors: { readonly shards: number; readonly seconds: number };

  private constructor(given: {
    context: BenchContext;
    env: Readonly<Record<string, string | undefined>>;
    pids: Record<string, number>;
    session: Session;
    gatewayUrl: string;
    client: Client;
    db: Db;
    tenure: Tenure;
    monitors: FleetStage['monitors'];
  }) {
    this.#context = given.context;
    this.#env = given.env;
    this.#pids = given.pids;
    this.#session = given.session;
    ({
      gatewayUrl: this.gatewayUrl,
      client: this.client,
      db: this.db,
      tenure: this.tenure,
      monitors: this.monitors,
    } = given);
  }

  /** The monitors do not run yet. */
  static async open(context: BenchContext, more: Readonly<Record<string, string>> = {}): Promise<FleetStage> {
    const dataDir = join(context.folder, 'stack');
    const { temporalAddress, mongodbUri } = await startServers(context, dataDir);
    const base = loadConfig({
      ...process.env,
      TENURE_HOME: join(context.folder, 'home'),
      TENURE_USER: 'ada',
    });
    const env = {
      ...childEnvironment(base, { temporalAddress, mongodbUri }),
      TENURE_GATEWAY_PORT: '0',
      TENURE_LOG_LEVEL: 'error',
      TENURE_USER: 'ada',
      TENURE_MONITOR_SECONDS: '60',
      // Of rounds that come between, one phase would have more than another.
      TENURE_DOCTOR_SECONDS: '0',
      TENURE_REPORT_AT: 'off',
      ...more,
    };
    await bundle();
    const worker = await startPart(context, {
      name: 'worker',
      module: 'src/worker',
      env,
      ready: /^(Worker polls)/,
    });
    const gateway = await startPart(context, {
      name: 'gateway',
      module: 'src/gateway/main',
      env,
      ready: /listens on (http\S+)/,
    });
    const config = loadConfig(env);
    const session = openSession(config, { patienceMs: PATIENCE_MS });
    context.defer(() => session.close());
    const connection = await Connection.connect({ address: temporalAddress });
    context.defer(() => connection.close());
    const server = (argument: string): number => findByArgument(argument)[0]?.pid ?? 0;
    const stage = new FleetStage({
      context,
      env,
      pids: {
        Temporal: server(temporalArgument(dataDir)),
        mongod: server(mongodArgument(dataDir)),
        worker: worker.pid,
        gateway: gateway.pid,
      },
      session,
      gatewayUrl: gateway.said,
      client: new Client({ connection, namespace: config.namespace }),
      db: (await session.database()).db,
      tenure: await session.tenure(),
      monitors: config.monitors,
    });
    await stage.stopMonitors();
    return stage;
  }

  /** As a worker starts them. */
  startMonitors(): Promise<void> {
    return ensureMonitors(this.client, TASK_QUEUE, this.monitors);
  }

  /** Waits until each monitor has evaluated all of its models once: its first tick reads every profile. */
  async firstTicks(): Promise<void> {
    const [began, end] = [new Date(), performance.now() + FIRST_TICKS_MS];
    const beats = this.db.collection('monitors');
    while ((await beats.countDocuments({ seenAt: { $gt: began } })) < this.monitors.shards) {
      if (performance.now() > end) throw new Error('The first ticks of the monitors do not end');
      await sleep(1_000);
    }
  }

  async stopMonitors(): Promise<void> {
    for (let shard = 0; shard < this.monitors.shards; shard += 1)
      await this.client.workflow
        .getHandle(monitorWorkflowId(TASK_QUEUE, shard))
        .terminate('not measured now');
  }

  async startFeeder(given: Omit<FeederSettings, 'url'>): Promise<void> {
    const settings: FeederSettings = { url: this.gatewayUrl, ...given };
    const { pid } = await startPart(this.#context, {
      name: 'feeder',
      module: 'bench/processes/feeder',
      args: [await this.#settingsFile('feeder', settings)],
      env: this.#env,
      ready: /^(The feeder feeds)/,
    });
    this.#pids['feeder'] = pid;
  }

  /** An argument holds 128 KiB, which the names of some 10,000 models fill. */
  async #settingsFile(of: string, settings: object): Promise<string> {
    const file = join(this.#context.folder, `${of}-settings.json`);
    await writeFile(file, JSON.stringify(settings));
    return file;
  }

  stopFeeder(): void {
    const { feeder } = this.#pids;
    if (feeder !== undefined) process.kill(feeder, 'SIGTERM');
    delete this.#pids['feeder'];
  }

  /** Starts people who ask and decide. @returns ends them, and says what they saw */
  async startClients(
    given: Omit<ClientsSettings, 'file' | 'waiting'> & { readonly releases: number },
  ): Promise<() => Promise<ClientsSeen>> {
    const { releases, ...rest } = given;
    const { folder } = this.#context;
    const waiting = await placeWaiting(this.#session, folder, releases);
    const settings: ClientsSettings = { ...rest, waiting, file: join(folder, 'clients.json') };
    const { pid } = await startPart(this.#context, {
      name: 'clients',
      module: 'bench/processes/clients',
      args: [await this.#settingsFile('clients', settings)],
      env: this.#env,
      ready: /^(The clients are)/,
    });
    this.#pids['clients'] = pid;
    return async () => {
      process.kill(pid, 'SIGTERM');
      delete this.#pids['clients'];
      while (identify(pid) !== undefined) await sleep(100);
      return JSON.parse(await readFile(settings.file, 'utf8')) as ClientsSeen;
    };
  }

  async startLoopWorker(): Promise<void> {
    const { pid } = await startPart(this.#context, {
      name: 'worker of the timer loops',
      module: 'bench/processes/timer-loops',
      args: [LOOP_QUEUE],
      env: this.#env,
      ready: /^(The timer loops)/,
    });
    this.#pids[LOOP_WORKER] = pid;
  }

  /** How often these models have been evaluated so far, whoever did it. */
  async evaluations(models: readonly string[]): Promise<number> {
    const found = await this.db
      .collection<{ readonly _id: string; readonly revision: number }>('detectors')
      .find({ _id: { $in: [...models] } }, { projection: { revision: 1 } })
      .toArray();
    return found.reduce((sum, { revision }) => sum + revision, 0);
  }

  /** What each process spends while so many seconds pass. */
  async spend(seconds: number): Promise<Spent> {
    const pids = Object.entries(this.#pids);
    const read = () => Promise.all(pids.map(([, pid]) => cpuSeconds(pid)));
    const began = performance.now();
    const before = await read();
    await sleep(seconds * 1_000);
    const after = await read();
    const cpu = pids.map(
      ([name], i) => [name, (after[i] ?? Number.NaN) - (before[i] ?? Number.NaN)] as const,
    );
    return { seconds: (performance.now() - began) / 1_000, cpu: Object.fromEntries(cpu) };
  }

  /** Proportional set size by process, MiB. */
  async memory(): Promise<Readonly<Record<string, number>>> {
    const all = Object.entries(this.#pids).map(
      async ([name, pid]) => [name, (await memoryOf(pid)).pss] as const,
    );
    return Object.fromEntries(await Promise.all(all));
  }
}

async function startServers(context: BenchContext, dataDir: string) {
  const stack = await startStack({ dataDir, binaries: context.config.binaries, onProgress: context.say });
  const end = (): void => killStack(dataDir);
  process.once('exit', end);
  context.defer(async () => {
    await stack.stop();
    process.off('exit', end);
  });
  return stack;
}

/** The compiled worker looks for its workflows beside it. */
async function bundle(): Promise<void> {
  const worker = await compiled('src/worker');
  const { code } = await bundleWorkflows({ logger: new DefaultLogger('ERROR') });
  await writeFile(new URL('./workflow-bundle.js', worker), code);
}
