import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, type Executable } from './binaries/index.js';
import { endProcess, findByArgument } from '../processes/identity.js';

/** A server of the stack: how it is started, and how one sees that it answers. */
export interface ServerPlan {
  readonly title: string;
  readonly executable: Executable;
  readonly args: readonly string[];
  /** Beside this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Resolves once it serves; throws while it does not yet. Must end within seconds. */
  readonly answers: () => Promise<void>;
}

/** A start takes a second or two; on a busy machine much more. */
const START_LIMIT_MS = 90_000;

/**
 * Starts a server and waits until it answers.
 * @throws Error with the end of its log when it ends first, or is not there in time (it is ended then)
 */
export async function startServer(plan: ServerPlan): Promise<void> {
  const log = await open(plan.logFile, 'a', 0o600);
  const [command, args] = commandOf(plan.executable, plan.args);
  // In a session of its own: Ctrl-C must reach the owner alone, which then stops the servers in order.
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, ...plan.env },
  });
  child.unref();
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `it ended (${signal ?? `exit code ${code}`})`));
  const until = performance.now() + START_LIMIT_MS;
  try {
    for (;;) {
      if (ended !== undefined) throw new Error(ended);
      try {
        await plan.answers();
        // Another server may have answered, on a port that this one did not get.
        await sleep(20);
        if (ended === undefined) return;
      } catch (error) {
        if (performance.now() > until) {
          const reason = error instanceof Error ? error.message : String(error);
          throw new Error(`no answer within ${START_LIMIT_MS / 1_000} s (${reason})`, { cause: error });
        }
      }
      await sleep(50);
    }
  } catch (error) {
    child.kill('SIGKILL');
    const said = (await readFile(plan.logFile, 'utf8').catch(() => ''))
      .trim()
      .split('\n')
      .slice(-5)
      .join('\n');
    throw new Error(
      `${plan.title} did not start: ${(error as Error).message}. End of ${plan.logFile}:\n${said}`,
      { cause: error },
    );
  } finally {
    child.removeAllListeners();
    await log.close();
  }
}

/**
 * True if the folder's server runs and answers; one that runs but does not answer, or whose port is not known, is ended.
 * @param argument the argument that names the folder
 * @param answers null when its port is not known
 */
export async function isServing(argument: string, answers: (() => Promise<void>) | null): Promise<boolean> {
  if (findByArgument(argument).length === 0) return false;
  if (answers !== null && (await answersInTime(argument, answers))) return true;
  await stopServer(argument, 5_000);
  return false;
}

/** It may have been started a moment ago, by an owner that was killed right after. */
async function answersInTime(argument: string, answers: () => Promise<void>): Promise<boolean> {
  const until = performance.now() + 10_000;
  while (performance.now() < until && findByArgument(argument).length > 0) {
    try {
      await answers();
      return true;
    } catch {
      await sleep(100);
    }
  }
  return false;
}

/** Ends the folder's server: politely, then by force after the grace. */
export async function stopServer(argument: string, graceMs: number): Promise<void> {
  await Promise.all(findByArgument(argument).map((identity) => endProcess(identity, graceMs)));
}
