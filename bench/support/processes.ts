import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { startProcess } from '../../src/client/processes.js';
import type { BenchContext } from '../bench.js';
import { compiled } from './compiled.js';

export interface Part {
  readonly name: string;
  /** Its module: path from the project's root, without ending. */
  readonly module: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its line by which it is known to serve; what the pattern's first group holds is given back. */
  readonly ready: RegExp;
}

const PATIENCE_MS = 60_000;

/**
 * Starts a part of a bench as a process, waits until it serves, and ends it with the bench.
 * @returns what its line says, e.g. its address
 * @throws Error with the last lines when it ends instead
 */
export async function startPart(context: BenchContext, part: Part): Promise<{ said: string; pid: number }> {
  const lines: string[] = [];
  let onReady: (said: string) => void = () => {};
  const ready = new Promise<string>((resolve) => {
    onReady = resolve;
  });
  const kept = startProcess({
    ...part,
    ...(await started(part, context.profiles)),
    onLine: (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      const found = part.ready.exec(line);
      if (found !== null) onReady(found[1] ?? line);
    },
  });
  context.defer(() => kept.stop());
  const ended = kept.exited.then((end) => {
    throw new Error(`The ${part.name} ended with ${end.signal ?? end.code}:\n${lines.join('\n')}`);
  });
  const late = AbortSignal.timeout(PATIENCE_MS);
  const tooLate = new Promise<never>((_resolve, reject) => {
    late.addEventListener('abort', () =>
      reject(
        new Error(`The ${part.name} did not start within ${PATIENCE_MS / 1_000} s:\n${lines.join('\n')}`),
      ),
    );
  });
  const said = await Promise.race([ready, ended, tooLate]);
  ended.catch(() => {});
  tooLate.catch(() => {});
  return { said, pid: kept.pid ?? 0 };
}

/** Starts a program that is no part of Tenure, and ends it with the bench. What it writes is told when it fails by itself. */
export function startProgram(
  context: BenchContext,
  program: string,
  args: readonly string[],
): { running(): boolean } {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let tail = '';
  const keep = (chunk: Buffer): void => {
    tail = `${tail}${chunk.toString()}`.slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let ending = false;
  let running = true;
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      running = false;
      if (!ending) context.say(`${program} ended with ${signal ?? code}:\n${tail}`);
      resolve();
    });
    child.once('error', (error) => {
      running = false;
      context.say(`${program} cannot be started: ${error.message}`);
      resolve();
    });
  });
  context.defer(async () => {
    ending = true;
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(force);
  });
  return { running: () => running };
}

async function started(
  { module, args = [], name }: Part,
  profiles: string | null,
): Promise<{ entry: URL; args: readonly string[] }> {
  const entry = await compiled(module);
  if (profiles === null) return { entry, args };
  const file = join(profiles, `${name.replaceAll(/\W+/g, '-')}.cpuprofile`);
  return { entry: await compiled('bench/processes/profiled'), args: [entry.href, file, ...args] };
}
