import { copyFile, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { effect } from '../fail-points/index.js';
import { whileFrozen } from './frozen.js';
import { withLock } from './lock.js';
import { findByArgument, isRunning } from '../processes/identity.js';
import { readRecord } from './record.js';
import { stopServer } from './server.js';
import { temporalArgument } from './temporal.js';

const DATABASE = 'temporal.sqlite';
/** SQLite's own: the file, what a transaction would be undone from, and what is not yet in the file. The rest is made anew. */
const isPart = (name: string): boolean => [DATABASE, `${DATABASE}-journal`, `${DATABASE}-wal`].includes(name);

const LOCK_LIMIT_MS = 30_000;

/** Temporal's database of a folder's embedded stack, at rest for a moment. */
export interface TemporalFiles {
  /** Absolute paths; none when there is no database. */
  readonly files: readonly string[];
  /** Whether the server runs, and stands still. */
  readonly frozen: boolean;
}

/**
 * Does something with the files of Temporal's database while nobody writes them: the server is stopped for as long as it takes
 * (SIGSTOP), and nobody starts one. What is copied then is what a kill in this moment would have left, and SQLite makes it whole.
 */
export async function withTemporalAtRest<T>(
  folder: string,
  act: (files: TemporalFiles) => Promise<T>,
): Promise<T> {
  const dataDir = await realpath(folder);
  return withLock(join(dataDir, 'stack.lock'), LOCK_LIMIT_MS, async () => {
    const [server] = findByArgument(temporalArgument(dataDir));
    const atRest = async (frozen: boolean): Promise<T> => act({ files: await partsIn(dataDir), frozen });
    return server === undefined ? atRest(false) : whileFrozen(server, () => atRest(true));
  });
}

/** Whether a folder has a database of an embedded Temporal. */
export const hasTemporalFiles = async (folder: string): Promise<boolean> =>
  (await partsIn(folder)).length > 0;

/**
 * Puts files in the place of Temporal's database, or leaves none there; harmless when repeated. A server that was left running by a
 * killed owner is ended first.
 * @param files named as they were when `withTemporalAtRest` gave them
 * @throws Error while somebody runs the stack of this folder
 */
export async function replaceTemporalFiles(folder: string, files: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const dataDir = await realpath(folder);
  await withLock(join(dataDir, 'stack.lock'), LOCK_LIMIT_MS, async () => {
    await stopServer(temporalArgument(dataDir), 10_000);
    for (const part of await partsIn(dataDir)) await rm(part);
    await rm(join(dataDir, `${DATABASE}-shm`), { force: true });
    // The file itself last: without it there is no database.
    const inOrder = [...files].sort((a, b) => basename(b).length - basename(a).length);
    for (const file of inOrder) {
      if (!isPart(basename(file))) throw new Error(`${file} is no part of Temporal's database`);
      const draft = join(dataDir, `${basename(file)}.restoring`);
      await copyFile(file, draft);
      await syncFile(draft);
      await effect('restore.temporal', () => rename(draft, join(dataDir, basename(file))));
    }
    await syncFile(dataDir);
  });
}

/** Who runs the stack of a folder; null when nobody does, whatever servers a killed owner may have left. */
export async function stackOwner(folder: string): Promise<number | null> {
  const dataDir = await realpath(folder).catch(() => null);
  if (dataDir === null) return null;
  const { owner } = await readRecord(dataDir);
  return owner !== null && isRunning(owner) ? owner.pid : null;
}

const partsIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).filter(isPart).map((name) => join(folder, name));

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
