/** Starts a trainer, watches it and ends it with all that it started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, type ProcessIdentity } from '../../../processes/identity.js';
import type { TrainingLog } from '../platform.js';
import { progressOf, type ProgressLine } from './contract.js';
import { endFamily, type Family, MARK, memoryMbOf } from './family.js';
import { BoundedLog, lineReader, readSlowly } from './output.js';

export interface TrainerSettings {
  /** Value of `MARK` for this attempt. */
  readonly mark: string;
  readonly command: readonly string[];
  readonly folder: string;
  /** The whole environment, but for the mark. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** Between being asked to end and being ended. */
  readonly graceMs: number;
  /** Between two looks at it. */
  readonly lookMs: number;
  readonly signal: AbortSignal;
  /** Called with who it is before anything of it runs. @returns whether it may start */
  readonly mayStart: (leader: ProcessIdentity) => Promise<boolean>;
  readonly onLook: (seen: ProgressLine & { readonly memoryMb: number; readonly outputBytes: number }) => void;
}

type Limit = 'timeout' | 'memory';

export interface TrainerEnd {
  readonly why: 'exit' | Limit | 'not-started';
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Most that a look has seen. */
  readonly peakMemoryMb: number;
  readonly log: TrainingLog;
}

/**
 * Waits until it may start; then becomes the trainer. Beside it, in its group, a guard waits for the worker's end of the pipe to be
 * closed, as it also is when the worker is killed: a training does not outlive its worker. The guard is no child of the trainer.
 */
const SCRIPT = `
read -r go <&3 || exit 125
( ( trap '' TERM INT HUP; read -r go <&3; kill -KILL 0 ) </dev/null >/dev/null 2>&1 & )
unset PWD
exec "$@" 3<&-
`;

/** What it wrote last may still be on its way so long; a process that has got away could hold the pipes open for ever. */
const OUTPUT_LIMIT_MS = 2_000;

/** @throws Error when there is no shell, or one of its processes cannot be ended; or the reason of `signal` */
export async function runTrainer(settings: TrainerSettings): Promise<TrainerEnd> {
  const { signal, graceMs } = settings;
  signal.throwIfAborted();
  const shell = await startShell(settings);
  const { child, family, ended, closed } = shell;
  const output = readOutput(child);
  let limit: Limit | null = null;
  let peakMemoryMb = 0;
  let started = false;
  try {
    // It shares the machine with what serves and decides.
    setPriority(family.leader.pid, constants.priority.PRIORITY_LOW);
    started = await settings.mayStart(family.leader);
    signal.throwIfAborted();
    if (started) {
      shell.go();
      limit = await watch(settings, ended, () => {
        const memoryMb = Math.round(memoryMbOf(family));
        peakMemoryMb = Math.max(peakMemoryMb, memoryMb);
        settings.onLook({ ...output.said(), memoryMb, outputBytes: output.log.bytes });
        return memoryMb;
      });
    }
  } finally {
    await endFamily(family, started ? graceMs : 0);
  }
  const how = await ended;
  await Promise.race([closed, sleep(OUTPUT_LIMIT_MS, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  signal.throwIfAborted();
  return { why: started ? (limit ?? 'exit') : 'not-started', ...how, peakMemoryMb, log: output.log.toLog() };
}

interface Shell {
  readonly child: ChildProcess;
  readonly family: Family;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  /** Ended, and nothing holds its output open any more. */
  readonly closed: Promise<void>;
  readonly go: () => void;
}

async function startShell({ mark, command, folder, environment }: TrainerSettings): Promise<Shell> {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'tenure-trainer', ...command], {
    cwd: folder,
    env: { ...environment, [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const ended: Shell['ended'] = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const leader = child.pid === undefined ? undefined : identify(child.pid);
  if (leader === undefined) {
    await ended;
    throw new Error('The shell of the trainer ended before it began');
  }
  const pipe = child.stdio[3] as Writable;
  // Closed with the trainer.
  pipe.on('error', () => undefined);
  return { child, family: { mark, leader }, ended, closed, go: () => void pipe.write('go\n') };
}

function readOutput({ stdout, stderr }: ChildProcess): {
  readonly log: BoundedLog;
  /** The newest of what it has said of its progress. */
  readonly said: () => ProgressLine;
} {
  const log = new BoundedLog();
  let said: ProgressLine = { progress: null, message: null };
  const readLine = lineReader((line) => {
    const news = progressOf(line);
    if (news === null) return;
    said = { progress: news.progress ?? said.progress, message: news.message ?? said.message };
  });
  if (stdout !== null)
    readSlowly(stdout, (part) => {
      log.add(part);
      readLine(part);
    });
  if (stderr !== null) readSlowly(stderr, (part) => log.add(part));
  return { log, said: () => said };
}

/** Until it has ended, is over a limit (which is returned) or is to end. @param look gives its memory, MiB */
function watch(
  { timeoutMs, memoryMb, lookMs, signal }: TrainerSettings,
  ended: Promise<unknown>,
  look: () => number,
): Promise<Limit | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle('timeout'), timeoutMs);
    const looks = setInterval(() => {
      try {
        if (look() > memoryMb) settle('memory');
      } catch (error) {
        stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    }, lookMs);
    const aborted = (): void => settle(null);
    const stop = (): void => {
      clearTimeout(timer);
      clearInterval(looks);
      signal.removeEventListener('abort', aborted);
    };
    const settle = (limit: Limit | null): void => {
      stop();
      resolve(limit);
    };
    signal.addEventListener('abort', aborted, { once: true });
    ended.then(() => settle(null), reject);
  });
}
