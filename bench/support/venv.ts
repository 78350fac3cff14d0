/** Python programs that Tenure is measured beside, each in an environment of its own in the cache, installed when first needed. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchContext, NotMeasurable } from '../bench.js';

const run = promisify(execFile);

/**
 * @param requirements file with every package at its version
 * @returns the environment's python
 * @throws NotMeasurable without Python 3, or where the packages cannot be installed
 */
export async function venv(context: BenchContext, name: string, requirements: URL): Promise<string> {
  const pins = await readFile(requirements);
  const version = createHash('sha256').update(pins).digest('hex').slice(0, 12);
  const folder = join(context.config.binaries.cacheDir, 'venvs', `${name}-${version}`);
  const python = join(folder, 'bin', 'python');
  // Written last: what was cut off is made anew.
  const complete = join(folder, 'complete');
  if (await exists(complete)) return python;
  context.say(`Installing ${name} into ${folder}, once; this takes minutes on a busy machine`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await run('python3', ['-m', 'venv', folder]);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary', ':all:'];
    await run(python, ['-m', 'pip', 'install', ...quiet, '-r', fileURLToPath(requirements)]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const { stderr = String(error) } = error as { readonly stderr?: string };
    throw new NotMeasurable(`${name} cannot be installed by Python 3 with pip: ${stderr.trim().slice(-300)}`);
  }
  await writeFile(complete, '');
  return python;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
