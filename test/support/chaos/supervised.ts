import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENDS_WITH_PARENT } from '../../../src/client/processes.js';

/** One run of a process, from its start to its death. */
export interface Life {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly ready: Promise<string>;
  readonly died: Promise<void>;
  readonly alive: boolean;
}

export interface SupervisedPlan {
  readonly name: string;
  /** Compiled JavaScript. */
  readonly entry: string;
  /** Of each life anew: where it is to die is part of it. */
  readonly env: () => Readonly<Record<string, string | undefined>>;
  /** The line by which it says that it is ready. */
  readonly ready: RegExp;
  readonly onLine: (line: string) => void;
  /** A life that began. */
  readonly onLife?: (life: Life) => void;
}

const PAUSE_MS = 100;

/** Keeps a process running, as a container platform would: whoever kills it, it is started again. */
export class Supervised {
  readonly name: string;
  readonly #plan: SupervisedPlan;
  #child: ChildProcess | null = null;
  #lives = 0;
  #isReady = false;
  #stopping = false;
  #kept: Promise<void>;

  constructor(plan: SupervisedPlan) {
    this.name = plan.name;
    this.#plan = plan;
    this.#kept = this.#keep();
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** Of the present life; 0 between two. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Whether the present life has said that it is ready. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** SIGKILL of the present life. @returns false when there is none: it is being started again */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child?.kill('SIGTERM');
    const force = setTimeout(() => this.#child?.kill('SIGKILL'), 3_000);
    await this.#kept;
    clearTimeout(force);
  }

  async #keep(): Promise<void> {
    while (!this.#stopping) {
      await this.#live();
      await sleep(PAUSE_MS);
    }
  }

  #live(): Promise<void> {
    const { entry, env, ready, onLine, onLife } = this.#plan;
    const child = spawn(process.execPath, ['--import', ENDS_WITH_PARENT, entry], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: env(),
    });
    this.#child = child;
    this.#lives += 1;
    this.#isReady = false;
    let alive = true;
    const died = new Promise<void>((resolve) => {
      child.once('exit', () => {
        alive = false;
        this.#isReady = false;
        this.#child = null;
        resolve();
      });
    });
    const isReady = new Promise<string>((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream! }).on('line', (line) => {
          onLine(line);
          if (!ready.test(line)) return;
          this.#isReady = alive;
          resolve(line);
        });
    });
    onLife?.({
      pid: child.pid ?? 0,
      ready: isReady,
      died,
      get alive() {
        return alive;
      },
    });
    return died;
  }
}
