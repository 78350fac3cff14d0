import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessIdentity, signal } from '../processes/identity.js';

/** A stopped process may be in a system call first, which ends: on a busy disk not soon. */
const STOP_LIMIT_MS = 30_000;

/**
 * Stops a process (SIGSTOP) while something is done with what it has on the disk, and lets it go on. It goes on at once also when this
 * process dies meanwhile: a guard of its own, which sees that, lets it.
 * @throws Error when it cannot be stopped, or went on too early
 */
export async function whileFrozen<T>(target: ProcessIdentity, act: () => Promise<T>): Promise<T> {
  const guard = await startGuard(target);
  try {
    signal(target, 'SIGSTOP');
    const until = performance.now() + STOP_LIMIT_MS;
    while (!isFrozen(target.pid)) {
      if (performance.now() > until) throw new Error(`Process ${target.pid} cannot be stopped for a moment`);
      await sleep(2);
    }
    const result = await act();
    if (!isFrozen(target.pid)) throw new Error(`Process ${target.pid} went on while it was to be stopped`);
    return result;
  } finally {
    signal(target, 'SIGCONT');
    guard.stdin?.end();
  }
}

/** Waits for the end of its input, which also comes when this process ends in whatever way. */
async function startGuard({ pid }: ProcessIdentity): Promise<ChildProcess> {
  // In a session of its own: Ctrl-C at the terminal is not for it.
  const guard = spawn('/bin/sh', ['-c', `read line; kill -CONT ${pid} 2>/dev/null`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.stdin?.on('error', () => undefined);
  await once(guard, 'spawn');
  guard.unref();
  return guard;
}

/** Whether all threads of it are stopped. */
function isFrozen(pid: number): boolean {
  if (process.platform !== 'linux')
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .startsWith('T');
  return readdirSync(`/proc/${pid}/task`).every((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    // The name in brackets may hold anything; the state comes after it.
    return text.slice(text.lastIndexOf(')') + 2).startsWith('T');
  });
}
