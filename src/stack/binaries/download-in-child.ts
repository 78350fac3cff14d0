import { fork } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A download that brings nothing for so long is given up. */
const STALL_MS = 20_000;

/**
 * Runs a script that fills a folder and then sends `{path?}` or `{failure}`; ends it afterwards.
 * @param stallMs how long the folder may stop growing, milliseconds
 * @returns the path that the script tells, if any
 * @throws Error with the failure, or when the script ends or stalls
 */
export function downloadInChild(
  script: string,
  args: readonly string[],
  folder: string,
  say: (text: string) => void,
  stallMs = STALL_MS,
): Promise<string | undefined> {
  const child = fork(script, args, {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: script.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [],
  });
  return new Promise((resolve, reject) => {
    let seen = 0;
    let since = performance.now();
    let told = 0;
    const watch = setInterval(
      () => {
        void sizeOf(folder).then((size) => {
          if (size > seen) {
            seen = size;
            since = performance.now();
          }
          if (size - told > 20e6) {
            told = size;
            say(`downloaded ${Math.round(size / 1e6)} MB`);
          }
          if (performance.now() - since > stallMs) {
            fail(new Error(`nothing came for ${stallMs / 1_000} s`));
          }
        });
      },
      Math.min(500, stallMs),
    );
    const end = (): void => {
      clearInterval(watch);
      child.removeAllListeners();
      child.on('error', () => undefined);
      child.kill('SIGKILL');
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    child.once('message', (message) => {
      const { failure, path } = message as { readonly failure?: string; readonly path?: string };
      if (failure !== undefined) return fail(new Error(failure));
      end();
      resolve(path);
    });
    child.once('error', fail);
    child.once('exit', (code, signal) => fail(new Error(`its download ended (${signal ?? code})`)));
  });
}

/** All files below a folder that may be changing. */
export const filesIn = async (folder: string): Promise<{ path: string; size: number }[]> => {
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
