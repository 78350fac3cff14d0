/** A Prefect server and flows, as processes that can be killed. Its state is in SQLite, its results are on disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../bench.js';
import { freePorts } from '../../src/stack/ports.js';
import { venv } from '../support/venv.js';

const FLOW = fileURLToPath(new URL('../peers/prefect/flow.py', import.meta.url));
const PATIENCE_MS = 300_000;

export interface FlowEnd {
  /** Of all flows together, without the start of the process. */
  readonly seconds: number;
  readonly succeeded: number;
}

export class Prefect {
  readonly #context: BenchContext;
  readonly #python: string;
  readonly #port: number;
  readonly #env: NodeJS.ProcessEnv;
  #server: ChildProcess | null = null;

  private constructor(context: BenchContext, python: string, port: number) {
    this.#context = context;
    this.#python = python;
    this.#port = port;
    this.#env = {
      PATH: process.env['PATH'],
      HOME: context.folder,
      PREFECT_HOME: join(context.folder, 'prefect'),
      PREFECT_API_URL: `http://127.0.0.1:${port}/api`,
      PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
      PREFECT_SERVER_UI_ENABLED: 'false',
      PREFECT_LOGGING_LEVEL: 'ERROR',
      DO_NOT_TRACK: '1',
    };
  }

  /** @throws NotMeasurable where it cannot be installed */
  static async open(context: BenchContext): Promise<Prefect> {
    const requirements = new URL('../peers/prefect/requirements.txt', import.meta.url);
    const python = await venv(context, 'prefect', requirements);
    const [port = 0] = await freePorts(1);
    const prefect = new Prefect(context, python, port);
    await prefect.startServer();
    return prefect;
  }

  async startServer(): Promise<void> {
    const listen = ['--host', '127.0.0.1', '--port', String(this.#port)];
    const server = this.#spawn(['-m', 'prefect', 'server', 'start', '--no-ui', ...listen]);
    this.#server = server.child;
    const end = performance.now() + PATIENCE_MS;
    while (!(await this.#answers())) {
      if (server.child.exitCode !== null || performance.now() > end)
        throw new Error(`The Prefect server did not start:\n${server.said().slice(-1_500)}`);
      await sleep(200);
    }
  }

  /** Runs one flow a release, all at once. @param started gets the process */
  async run(
    url: string,
    releases: readonly string[],
    started?: (flow: ChildProcess) => void,
  ): Promise<FlowEnd> {
    const { child, said } = this.#spawn([FLOW, url, ...releases]);
    started?.(child);
    await new Promise((resolve) => child.once('close', resolve));
    const line = said()
      .split('\n')
      .findLast((text) => text.startsWith('{"seconds"'));
    if (line === undefined) throw new Error(`The flow did not end:\n${said().slice(-1_500)}`);
    return JSON.parse(line) as FlowEnd;
  }

  killServer(): void {
    if (this.#server !== null) kill(this.#server);
  }

  /** States of the flow runs that the server knows. */
  async states(): Promise<readonly string[]> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/api/flow_runs/filter`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    return ((await response.json()) as readonly { readonly state_name: string }[]).map(
      (run) => run.state_name,
    );
  }

  async #answers(): Promise<boolean> {
    const health = `http://127.0.0.1:${this.#port}/api/health`;
    return fetch(health, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** In a group of its own, so that what it starts is ended with it. */
  #spawn(args: readonly string[]): { readonly child: ChildProcess; readonly said: () => string } {
    const child = spawn(this.#python, args, {
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text = `${text}${chunk.toString()}`.slice(-20_000)));
    const end = (): void => kill(child);
    process.once('exit', end);
    child.once('close', () => process.off('exit', end));
    this.#context.defer(end);
    return { child, said: () => text };
  }
}

/** SIGKILL to a process and all that it has started. */
export function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
