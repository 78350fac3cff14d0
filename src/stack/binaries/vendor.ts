import { fork } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BinaryName } from './pins.js';

/** A download that brings nothing for so long is given up. */
const STALL_MS = 20_000;

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
    await downloadInChild(binary, work, say);
    const program = await biggestFile(work);
    await chmod(program, 0o755);
    await rename(program, join(folder, binary));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function downloadInChild(binary: BinaryName, work: string, say: (text: string) => void): Promise<void> {
  const underTsx = import.meta.url.endsWith('.ts');
  const script = fileURLToPath(new URL(`./vendor-child.${underTsx ? 'ts' : 'js'}`, import.meta.url));
  const child = fork(script, [binary, work], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: underTsx ? ['--import', import.meta.resolve('tsx')] : [],
  });
  return new Promise((resolve, reject) => {
    let seen = 0;
    let since = performance.now();
    let told = 0;
    const watch = setInterval(() => {
      void sizeOf(work).then((size) => {
        if (size > seen) {
          seen = size;
          since = performance.now();
        }
        if (size - told > 20e6) {
          told = size;
          say(`downloaded ${Math.round(size / 1e6)} MB`);
        }
        if (performance.now() - since > STALL_MS) {
          finish(new Error(`nothing came for ${STALL_MS / 1_000} s`));
        }
      });
    }, 500);
    const finish = (error?: Error): void => {
      clearInterval(watch);
      child.removeAllListeners();
      child.on('error', () => undefined);
      child.kill('SIGKILL');
      if (error === undefined) resolve();
      else reject(error);
    };
    child.once('message', (message) => {
      const failure = (message as { readonly failure?: string }).failure;
      finish(failure === undefined ? undefined : new Error(failure));
    });
    child.once('error', finish);
    child.once('exit', (code, signal) => finish(new Error(`its download ended (${signal ?? code})`)));
  });
}

const filesIn = async (folder: string): Promise<{ path: string; size: number }[]> => {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry);
      const info = await stat(path).catch(() => undefined);
      return info?.isFile() === true ? [{ path, size: info.size }] : [];
    }),
  );
  return found.flat();
};

const sizeOf = async (folder: string): Promise<number> =>
  (await filesIn(folder)).reduce((sum, { size }) => sum + size, 0);

/** The program: beside it there are at most a digest and a lock. */
async function biggestFile(folder: string): Promise<string> {
  const [first] = (await filesIn(folder)).sort((a, b) => b.size - a.size);
  if (first === undefined) throw new Error('its download brought no file');
  return first.path;
}
