import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killStack, type Stack, startStack } from '../../src/stack/index.js';
import { isRunning } from '../../src/processes/identity.js';
import type { StackRecord } from '../../src/stack/record.js';
import { testBinaries } from './stack-binaries.js';

const PREFIX = 'tenure-test-stack-';

export interface ThrowAway {
  readonly stack: Stack;
  /** Of its data. */
  readonly folder: string;
  /** Ends the servers and removes the data. */
  readonly end: () => Promise<void>;
}

/** A stack in a folder of its own, for as long as this process lives. */
export async function startThrowAway(): Promise<ThrowAway> {
  await sweepLeftovers();
  const folder = await realpath(await mkdtemp(join(tmpdir(), PREFIX)));
  // For processes that end without `end`: a failed import, a second Ctrl-C.
  const kill = (): void => killStack(folder);
  process.once('exit', kill);
  const remove = async (): Promise<void> => {
    process.off('exit', kill);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const stack = await startStack({ dataDir: folder, binaries: testBinaries() });
    return { stack, folder, end: () => stack.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Stacks of processes that were killed. */
async function sweepLeftovers(): Promise<void> {
  const entries = await readdir(tmpdir());
  for (const folder of entries.filter((entry) => entry.startsWith(PREFIX))) {
    const dataDir = join(tmpdir(), folder);
    const record = await readFile(join(dataDir, 'stack.json'), 'utf8').catch(() => undefined);
    if (record === undefined) continue;
    const { owner } = JSON.parse(record) as StackRecord;
    if (owner !== null && isRunning(owner)) continue;
    killStack(await realpath(dataDir));
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}
