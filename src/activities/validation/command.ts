/** Runs a program without a shell, in a process group of its own that does not outlive it. */
import { spawn } from 'node:child_process';
import { signalGroup } from '../../processes/group.js';

export interface CommandSettings {
  readonly command: readonly string[];
  /** Working folder. */
  readonly folder: string;
  /** The whole environment of the program. */
  readonly environment: Readonly<Record<string, string>>;
  /** For its standard input. */
  readonly input: string;
  readonly timeoutMs: number;
  /** Bytes of standard output before it is ended; standard error keeps the last so many. */
  readonly maxOutput: number;
  readonly signal: AbortSignal;
}

export interface CommandEnd {
  readonly why: 'exit' | 'timeout' | 'output';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws Error when the program cannot be started, or with the reason of `signal` when that is aborted */
export async function runCommand(settings: CommandSettings): Promise<CommandEnd> {
  const [program, ...args] = settings.command;
  if (program === undefined) throw new Error('The command is empty');
  settings.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: settings.folder,
      env: { ...settings.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      // Leader of its own process group, so that what it started can be ended with it.
      detached: true,
    });
    let why: CommandEnd['why'] = 'exit';
    const killGroup = (): void => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    };
    const stop = (reason: CommandEnd['why']): void => {
      if (why === 'exit') why = reason;
      killGroup();
    };
    const timer = setTimeout(() => stop('timeout'), settings.timeoutMs);
    const aborted = (): void => killGroup();
    settings.signal.addEventListener('abort', aborted, { once: true });
    const output: Buffer[] = [];
    let outputBytes = 0;
    let errors = Buffer.alloc(0);
    child.stdout.on('data', (part: Buffer) => {
      outputBytes += part.length;
      if (outputBytes > settings.maxOutput) stop('output');
      else output.push(part);
    });
    child.stderr.on('data', (part: Buffer) => {
      errors = Buffer.concat([errors, part]).subarray(-settings.maxOutput);
    });
    // A program that does not read its input is not at fault.
    child.stdin.on('error', () => {});
    child.stdin.end(settings.input);
    const settle = (): void => {
      clearTimeout(timer);
      settings.signal.removeEventListener('abort', aborted);
    };
    child.once('error', (error) => {
      settle();
      reject(
        new Error(
          `${program} cannot be started: ${error.message}; use an absolute path or one on the worker's PATH`,
        ),
      );
    });
    // What it left running in its group would hold the pipes open, and must not outlive the gate.
    child.once('exit', killGroup);
    child.once('close', (exitCode, signal) => {
      settle();
      if (settings.signal.aborted) reject(settings.signal.reason as Error);
      else
        resolve({
          why,
          exitCode,
          signal,
          stdout: Buffer.concat(output).toString('utf8'),
          stderr: errors.toString('utf8'),
        });
    });
  });
}
