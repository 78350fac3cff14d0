import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = new URL('../../', import.meta.url);
let compiling: Promise<unknown> | undefined;

/**
 * The JavaScript of a module, as it is run in production: what a loader of TypeScript adds would be measured too. Compiled when
 * first asked for.
 * @param module path from the project's root, without ending
 */
export async function compiled(module: string): Promise<URL> {
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', ROOT));
  compiling ??= promisify(execFile)(process.execPath, [tsc, '-p', fileURLToPath(new URL('bench', ROOT))]);
  await compiling;
  return new URL(`dist/${module}.js`, ROOT);
}
