import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadInChild, filesIn } from './download-in-child.js';
import { type BinaryName, MONGOD_VERSION } from './pins.js';

const SCRIPT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './vendor-child.ts' : './vendor-child.js', import.meta.url),
);

/**
 * Fetches a program by its vendor's own mechanism and puts it into the folder. This happens in a child process: it can be
 * ended when it stalls, and the Temporal SDK's process-wide runtime is left for the caller to set up.
 * @throws Error naming why it cannot
 */
export async function fetchFromVendor(
  binary: BinaryName,
  folder: string,
  say: (text: string) => void,
): Promise<void> {
  const work = join(folder, 'download');
  await mkdir(work);
  try {
    say("asking the vendor's download site");
    const told = await downloadInChild(SCRIPT, [binary, work, MONGOD_VERSION], work, say);
    const program = join(folder, binary);
    // A program in the mechanism's own cache stays there.
    if (told !== undefined && !told.startsWith(work)) await copyFile(told, program);
    else await rename(told ?? (await biggestFile(work)), program);
    await chmod(program, 0o755);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The program: beside it there are at most a digest and a lock. */
async function biggestFile(folder: string): Promise<string> {
  const [first] = (await filesIn(folder)).sort((a, b) => b.size - a.size);
  if (first === undefined) throw new Error('its download brought no file');
  return first.path;
}
