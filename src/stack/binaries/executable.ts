import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type BinaryName, PINS } from './pins.js';

const run = promisify(execFile);

/** A program that was found, ready to be started. */
export interface Executable {
  readonly path: string;
  /** A folder of shared libraries that this program alone needs, or undefined. */
  readonly libraryPath: string | undefined;
}

/**
 * Program and arguments that start an executable. Its libraries are named through `env`, which replaces itself by the
 * program: the process id is the program's, and all else of the environment is inherited.
 */
export const commandOf = (executable: Executable, args: readonly string[]): [string, string[]] =>
  executable.libraryPath === undefined
    ? [executable.path, [...args]]
    : ['/usr/bin/env', [`LD_LIBRARY_PATH=${executable.libraryPath}`, executable.path, ...args]];

/** @throws Error naming why this is not a program that can be run */
export async function mustBeRunnable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Error(`${path} does not exist`);
  if (!found.isFile()) throw new Error(`${path} is not a file`);
  await access(path, constants.X_OK).catch(() => {
    throw new Error(`${path} may not be executed`);
  });
}

/**
 * Runs the program for its version and checks that it is new enough.
 * @throws Error naming why it does not serve
 */
export async function mustServe(name: BinaryName, executable: Executable): Promise<void> {
  await mustBeRunnable(executable.path);
  const { least } = PINS[name];
  if (least === undefined) return;
  const [program, args] = commandOf(executable, ['--version']);
  const { stdout } = await run(program, args, { timeout: 20_000 }).catch((error: unknown) => {
    throw new Error(`${executable.path} does not run: ${lastLine(error)}`, { cause: error });
  });
  const version = /\bv?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${executable.path} does not tell its version`);
  if (isOlder(version, least)) {
    throw new Error(`${executable.path} is version ${version}, at least ${least} is needed`);
  }
}

/** Compares versions of three numbers. */
export function isOlder(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** What a program that failed said last; its message else. */
export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: unknown; message?: unknown };
  const lines = (typeof stderr === 'string' ? stderr : '').trim().split('\n');
  const last = lines.at(-1)?.trim() ?? '';
  return (last === '' ? String(message) : last).slice(0, 500);
}
