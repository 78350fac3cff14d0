import { delimiter, join, resolve } from 'node:path';
import { type Executable, mustServe } from './executable.js';
import { type BinaryName, PINS } from './pins.js';

export async function fromExplicitPath(binary: BinaryName, path: string | undefined): Promise<Executable> {
  if (path === undefined) throw new Error(`${PINS[binary].setting} is not set`);
  const executable = { path: resolve(path), libraryPath: undefined };
  await mustServe(binary, executable);
  return executable;
}

/** The first program of this name on the search path that serves. */
export async function fromSearchPath(
  binary: BinaryName,
  searchPath: string | undefined,
): Promise<Executable> {
  const reasons: string[] = [];
  for (const folder of (searchPath ?? '').split(delimiter).filter((entry) => entry !== '')) {
    const executable = { path: resolve(join(folder, binary)), libraryPath: undefined };
    try {
      await mustServe(binary, executable);
      return executable;
    } catch (error) {
      const { message } = error as Error;
      if (!message.endsWith('does not exist')) reasons.push(message);
    }
  }
  throw new Error(reasons.length === 0 ? `no ${binary} on it` : reasons.join('; '));
}
