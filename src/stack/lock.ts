import { hash, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from '../processes/identity.js';

/**
 * Runs something while holding a lock between processes. The lock is a file that names its holder; the lock of a process
 * that has died is taken over at once.
 * @param limitMs how long to wait for another holder, milliseconds
 * @throws Error naming the holder when the wait is over
 */
export async function withLock<T>(path: string, limitMs: number, act: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const mine = `${JSON.stringify({ ...identify(process.pid), token: randomUUID() })}\n`;
  await acquire(path, mine, limitMs);
  try {
    return await act();
  } finally {
    if ((await contentOf(path)) === mine) await rm(path, { force: true });
  }
}

async function acquire(path: string, mine: string, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  const draft = `${path}.${randomUUID()}`;
  // Written aside and linked, so that nobody ever reads half a lock.
  await writeFile(draft, mine);
  try {
    while (!(await linked(draft, path))) {
      const content = await contentOf(path);
      if (content !== undefined && !isHeld(content)) await breakLock(path, content, limitMs);
      else if (performance.now() > end) {
        throw new Error(
          `${path} has been held by process ${holderOf(content)?.pid ?? 'unknown'} for too long`,
        );
      } else await sleep(20 + Math.floor(Math.random() * 30));
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Takes a dead holder's lock away, by one process at a time: a lock of its own for this very content. Nobody else removes what a dead
 * process has left, and a living one writes other content, so what is read here is what is removed.
 */
function breakLock(path: string, stale: string, limitMs: number): Promise<void> {
  return withLock(`${path}.${hash('sha256', stale, 'hex').slice(0, 16)}`, limitMs, async () => {
    if ((await contentOf(path)) === stale) await rm(path, { force: true });
  });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

const contentOf = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch(() => undefined);

function isHeld(content: string): boolean {
  const holder = holderOf(content);
  return holder !== undefined && isRunning(holder);
}

function holderOf(content: string | undefined): ProcessIdentity | undefined {
  try {
    const { pid, started } = JSON.parse(content ?? '') as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}
