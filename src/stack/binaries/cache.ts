import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Executable, mustBeRunnable, mustServe } from './executable.js';
import type { BinaryName } from './pins.js';

/*
 * <cache>/<binary>/<label>/<binary>    the program
 * <cache>/<binary>/<label>/lib/        shared libraries for it alone, where it needs some
 * <cache>/<binary>/.new-<random>/      a download in progress; renamed to <label> when it is whole and has run once
 */

const LIBRARIES = 'lib';
const UNFINISHED = '.new-';

const executableIn = (folder: string, binary: BinaryName): Executable => ({
  path: join(folder, binary),
  libraryPath: existsSync(join(folder, LIBRARIES)) ? join(folder, LIBRARIES) : undefined,
});

/** Anything under a label was checked before it got there. */
export async function fromCache(
  cacheDir: string,
  binary: BinaryName,
  labels: readonly string[],
): Promise<Executable> {
  for (const label of labels) {
    const executable = executableIn(join(cacheDir, binary, label), binary);
    const runnable = await mustBeRunnable(executable.path).then(
      () => true,
      () => false,
    );
    if (runnable) return executable;
  }
  throw new Error(`no ${binary} in ${cacheDir}`);
}

/**
 * Lets a fetch fill an empty folder with the program (and `lib`, if need be), checks that it runs, and puts the folder in
 * its place in one step. To be called under the binary's lock.
 */
export async function installFrom(
  cacheDir: string,
  binary: BinaryName,
  label: string,
  fetch: (folder: string) => Promise<void>,
): Promise<Executable> {
  const shelf = join(cacheDir, binary);
  await mkdir(shelf, { recursive: true });
  await sweep(shelf);
  const draft = join(shelf, `${UNFINISHED}${randomUUID()}`);
  await mkdir(draft);
  try {
    await fetch(draft);
    await mustServe(binary, executableIn(draft, binary));
    const place = join(shelf, label);
    await rm(place, { recursive: true, force: true });
    await rename(draft, place);
    return executableIn(place, binary);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Removes what killed downloads have left; a day old, for caches on file systems that several machines share. */
async function sweep(shelf: string): Promise<void> {
  for (const entry of await readdir(shelf)) {
    const path = join(shelf, entry);
    const changed = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (entry.startsWith(UNFINISHED) && changed !== undefined && Date.now() - changed > 86_400_000) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
