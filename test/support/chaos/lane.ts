import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSession, type Session } from '../../../src/client/session.js';
import { childEnvironment, loadConfig } from '../../../src/config.js';
import { type FailMark, failPlanText, type FailPlan, parseMark } from '../../../src/fail-points/plan.js';
import type { StageServers } from '../release-stage.js';
import type { Built } from '../built.js';
import { insist } from './insist.js';
import { Pool } from './pool.js';
import { type Life, Supervised } from './supervised.js';

export interface LaneOptions {
  readonly name: string;
  readonly servers: StageServers;
  readonly built: Built;
  /** How many; they are called `gateway-1` and so on. */
  readonly gateways: number;
  /** Where the next life of `worker` or of a gateway is to die or wait. @param marks folder with the marks of those before */
  readonly plans?: (process: string, marks: string) => readonly FailPlan[];
  /** Shared by lanes that are given up together. */
  readonly play?: AbortController;
  /** The load balancer leaves out who does not answer its health checks. */
  readonly checking?: boolean;
  /** What the environment of one process has besides; asked for each life. */
  readonly env?: (process: string) => Readonly<Record<string, string>>;
}

/** How long a call waits for a worker that may be dead. */
const PATIENCE_MS = 20_000;
const LINES = 400;
const WORKER_READY = /^Worker polls/;

/** A worker and gateways under a supervisor, on servers that others may share, with a database and task queues of its own. */
export class Lane {
  readonly name: string;
  readonly folder: string;
  readonly session: Session;
  readonly pool: Pool;
  readonly worker: Supervised;
  readonly gateways: readonly Supervised[];
  readonly #given: AbortController;
  readonly #supervise: (
    who: string,
    entry: string,
    ready: RegExp,
    onLife?: (life: Life) => void,
  ) => Supervised;
  readonly #more: Supervised[] = [];
  readonly #built: Built;
  readonly #lines: string[] = [];

  private constructor(folder: string, options: LaneOptions) {
    const { name, servers, built, gateways, plans, env: own } = options;
    this.name = name;
    this.#given = options.play ?? new AbortController();
    this.pool = new Pool({ checking: options.checking === true });
    this.folder = folder;
    const id = `chaos-${name}-${randomUUID().slice(0, 8)}`;
    const base = loadConfig({ PATH: process.env['PATH'], TENURE_HOME: folder, TENURE_USER: 'ada' });
    const env = {
      ...childEnvironment(base, servers),
      TENURE_DATABASE: id,
      TENURE_TASK_QUEUE: id,
      TENURE_GATEWAY_PORT: '0',
      TENURE_LOG_LEVEL: 'warn',
      // Lanes share a server, on which one installation's monitors have their ids.
      TENURE_MONITOR_SECONDS: '0',
      TENURE_USER: 'ada',
    };
    this.session = openSession(loadConfig(env), { patienceMs: PATIENCE_MS });
    this.#built = built;
    this.#supervise = (who, entry, ready, onLife) =>
      new Supervised({
        name: who,
        entry,
        ready,
        env: () => ({
          ...env,
          TENURE_GATEWAY_ID: who,
          ...own?.(who),
          ...this.#armed(plans?.(who, this.marksFolder) ?? []),
        }),
        onLine: (line) => {
          this.#lines.push(`${new Date().toISOString().slice(11, 23)} ${who}: ${line.slice(0, 2_000)}`);
          if (this.#lines.length > LINES) this.#lines.shift();
        },
        ...(onLife === undefined ? {} : { onLife }),
      });
    this.worker = this.#supervise('worker', built.worker, WORKER_READY);
    this.gateways = Array.from({ length: gateways }, (_, i) => {
      const who = `gateway-${i + 1}`;
      return this.#supervise(
        who,
        built.gateway,
        /listens on http/,
        (life) => void this.pool.watch(who, life),
      );
    });
  }

  static async open(options: LaneOptions): Promise<Lane> {
    const folder = await mkdtemp(join(tmpdir(), `tenure-chaos-${options.name}-`));
    await mkdir(join(folder, 'marks'));
    return new Lane(folder, options);
  }

  /** One more on the same task queues. */
  addWorker(who: string): Supervised {
    const worker = this.#supervise(who, this.#built.worker, WORKER_READY);
    this.#more.push(worker);
    return worker;
  }

  async close(): Promise<void> {
    await Promise.all([this.worker, ...this.gateways, ...this.#more].map((process) => process.stop()));
    // Whose servers are gone has nothing to drop.
    await this.session
      .database()
      .then(({ db }) => db.dropDatabase())
      .catch(() => undefined);
    await this.session.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Aborted, with the reason, when what is played on it is given up. */
  get signal(): AbortSignal {
    return this.#given.signal;
  }

  giveUp(reason: unknown): void {
    this.#given.abort(reason);
  }

  /** Repeats a call until somebody is there to answer it, or the play is given up. */
  insist<T>(what: string, call: () => Promise<T>, patienceMs?: number): Promise<T> {
    return insist(what, call, this.signal, patienceMs);
  }

  /** Whether every process of it is ready for work. */
  get runs(): boolean {
    return this.worker.isReady && this.pool.targets.length === this.gateways.length;
  }

  /** @param name `worker` or that of a gateway */
  process(name: string): Supervised {
    const found = [this.worker, ...this.gateways].find((process) => process.name === name);
    if (found === undefined) throw new Error(`No process ${name} in lane ${this.name}`);
    return found;
  }

  /** The last lines that the processes wrote. */
  said(lines = 40): string {
    return this.#lines.slice(-lines).join('\n');
  }

  /** Where its processes were killed or wait now. */
  async marks(): Promise<readonly FailMark[]> {
    const files = await readdir(join(this.folder, 'marks'));
    return files.flatMap((file) => parseMark(file) ?? []);
  }

  get marksFolder(): string {
    return join(this.folder, 'marks');
  }

  #armed(plans: readonly FailPlan[]): Readonly<Record<string, string>> {
    if (plans.length === 0) return {};
    return {
      TENURE_FAIL_POINT: plans.map(failPlanText).join(','),
      TENURE_FAIL_FOLDER: this.marksFolder,
      TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
    };
  }
}
