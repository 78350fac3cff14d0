import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outputs } from '../../src/client/command/printer.js';
import { runCommand } from '../../src/client/command/run.js';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Environment = Readonly<Record<string, string>>;

export interface Started {
  readonly ended: Promise<Ran>;
  /** What it has written to stdout, and to stderr, so far. */
  output(): string;
  progress(): string;
  kill(signal: NodeJS.Signals): void;
}

const MAIN = fileURLToPath(new URL('../../src/client/command/main.ts', import.meta.url));

const running = new Set<ChildProcess>();
// A test that fails while a command waits for something must not leave it behind.
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** The command as a process of its own, without a terminal; it lives no longer than its test. @param shell arguments of a shell that starts it */
export function startTenure(
  args: readonly string[],
  env: Environment,
  shell: readonly string[] | null = null,
): Started {
  const command = [process.execPath, '--import', import.meta.resolve('tsx'), MAIN, ...args];
  const [program = '', ...rest] = shell === null ? command : ['/bin/sh', ...shell, ...command];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  running.add(child);
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, ...texts });
    });
  });
  return {
    ended,
    output: () => texts.stdout,
    progress: () => texts.stderr,
    kill: (signal) => void child.kill(signal),
  };
}

export const runTenure = (args: readonly string[], env: Environment): Promise<Ran> =>
  startTenure(args, env).ended;

/** Takes down what is written; with `terminal`, as a terminal would be. */
export function collect(terminal?: { readonly columns: number; readonly rows: number }) {
  const texts = { stdout: '', stderr: '' };
  const output = (name: keyof typeof texts) => ({
    write: (text: string) => {
      texts[name] += text;
      return true;
    },
    ...(terminal === undefined ? {} : { isTTY: true, ...terminal }),
  });
  const outputs: Outputs = { stdout: output('stdout'), stderr: output('stderr') };
  return { outputs, texts };
}

/** The command within this process: the same but for the start, which takes a second. */
export async function tenureHere(args: readonly string[], env: Environment = {}): Promise<Ran> {
  const { outputs, texts } = collect();
  const code = await runCommand(args, outputs, env);
  return { code, ...texts };
}
