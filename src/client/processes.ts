import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ProcessPlan {
  /** In log lines and messages. */
  readonly name: string;
  /** Module to run, as a `file:` URL or an absolute path: TypeScript, or the JavaScript compiled from it. */
  readonly entry: string | URL;
  readonly args?: readonly string[];
  /** The whole environment of the process; that of this one when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Start it again when it ends by itself, after a pause that doubles from 0.5 s to 30 s while it keeps ending early. */
  readonly restart?: boolean;
  /** Each line that it writes; without this its output is this process's own. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** That it has ended, or was started again, in words. */
  readonly onEvent?: (text: string) => void;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface KeptProcess {
  readonly name: string;
  /** Of the process that runs now; null between two, and at the end. */
  readonly pid: number | null;
  readonly restarts: number;
  /** Sends a signal, and nothing more: with `restart` a killed process is started again. Harmless when none runs. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it for good: SIGTERM, and SIGKILL when the grace has passed. May be called again. */
  stop(graceMs?: number): Promise<ProcessEnd>;
  /** The last end, after which nothing is started again. */
  readonly exited: Promise<ProcessEnd>;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Having lived so long, a process has started well. */
const HEALTHY_MS = 30_000;
const DEFAULT_GRACE_MS = 15_000;

/**
 * Runs a module as a process of its own, in the way this one runs (compiled, or through tsx), and keeps it running if asked to.
 * It is told to end when this process has gone, however that happened.
 */
export function startProcess(plan: ProcessPlan): KeptProcess {
  return new Keeper(plan);
}

class Keeper implements KeptProcess {
  readonly exited: Promise<ProcessEnd>;
  restarts = 0;
  readonly #plan: ProcessPlan;
  #child: ChildProcess | null = null;
  #pause = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #last: ProcessEnd = { code: null, signal: null };
  #end: (end: ProcessEnd) => void = () => undefined;

  constructor(plan: ProcessPlan) {
    this.#plan = plan;
    this.exited = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#start();
  }

  get name(): string {
    return this.#plan.name;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(graceMs: number = DEFAULT_GRACE_MS): Promise<ProcessEnd> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (this.#child === null) this.#end(this.#last);
    else this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child?.kill('SIGKILL'), graceMs);
    const end = await this.exited;
    clearTimeout(force);
    return end;
  }

  #start(): void {
    const { entry, args = [], env, onLine } = this.#plan;
    const output = onLine === undefined ? 'inherit' : 'pipe';
    const child = spawn(process.execPath, [...nodeArguments(entry), ...args], {
      stdio: ['ignore', output, output, 'ipc'],
      // A group of its own: Ctrl-C at the terminal is for this process, which ends the others in order.
      detached: true,
      ...(env === undefined ? {} : { env }),
    });
    this.#child = child;
    const startedAt = performance.now();
    if (child.stdout !== null) read(child.stdout, (line) => onLine?.(line, 'stdout'));
    if (child.stderr !== null) read(child.stderr, (line) => onLine?.(line, 'stderr'));
    child.once('error', (error) => {
      this.#plan.onEvent?.(`${this.name} cannot be started: ${error.message}`);
      if (child.pid === undefined) this.#ended({ code: null, signal: null }, 0);
    });
    child.once('exit', (code, signal) => this.#ended({ code, signal }, performance.now() - startedAt));
  }

  #ended(end: ProcessEnd, livedMs: number): void {
    this.#child = null;
    this.#last = end;
    const how = end.signal === null ? `with code ${end.code}` : `by ${end.signal}`;
    if (this.#stopping || this.#plan.restart !== true) {
      if (!this.#stopping) this.#plan.onEvent?.(`${this.name} ended ${how}`);
      this.#end(end);
      return;
    }
    if (livedMs >= HEALTHY_MS) this.#pause = FIRST_PAUSE_MS;
    this.#plan.onEvent?.(`${this.name} ended ${how}; it is started again in ${this.#pause / 1000} s`);
    this.#timer = setTimeout(() => {
      this.restarts += 1;
      this.#start();
    }, this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
  }
}

function read(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
}

/** What node is started with: this process's own options, tsx where the module is TypeScript and only there, and an eye on this process. */
function nodeArguments(entry: string | URL): string[] {
  const path = entry instanceof URL || entry.startsWith('file:') ? fileURLToPath(entry) : entry;
  const typescript = path.endsWith('.ts') || path.endsWith('.mts');
  const inherited = handedDown(process.execArgv, typescript);
  const loader = typescript && !inherited.some(isTsx) ? ['--import', import.meta.resolve('tsx')] : [];
  return [...inherited, ...loader, '--import', ENDS_WITH_PARENT, path];
}

const isTsx = (option: string): boolean => /(^|[/\\=])tsx($|[/\\])/.test(option);

/**
 * Options of this process that another one is to have: not the debugger's port, which two cannot have, and tsx only for TypeScript:
 * it costs a compiled module half a second of its start.
 */
export function handedDown(options: readonly string[], typescript: boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < options.length; i += 1) {
    // `--import=x`, or `--import x` as two.
    const width = /^--(import|require|loader)$/.test(options[i] ?? '') ? 2 : 1;
    const option = options.slice(i, i + width);
    i += width - 1;
    const isDebugger = option[0]?.startsWith('--inspect') === true;
    if (!isDebugger && (typescript || !option.some(isTsx))) kept.push(...option);
  }
  return kept;
}

/** Runs in the process before its module does. The channel is no reason for it to live on; without it, it is to end. */
export const ENDS_WITH_PARENT = `data:text/javascript,${encodeURIComponent(
  "process.once('disconnect',()=>process.kill(process.pid,'SIGTERM'));process.channel?.unref();",
)}`;
