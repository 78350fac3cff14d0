import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions } from '@temporalio/worker';

const workflows = fileURLToPath(new URL('./workflows/', import.meta.url));

/** An import of values from a folder whose code keeps no state: `import {…} from '../../lifecycle/x.js'`, and not `import type`. */
const PURE_IMPORT =
  /^import (?!type )[^;]*?from '((?:\.\.\/)+(?:contracts|lifecycle|statistics)\/[^']+)\.js';/gm;

/**
 * Code of all workflows, from source. Workflows share the pure modules instead of loading them once each: a fleet has thousands of
 * workflows in memory, and a third of what each of them takes is its own copy of the project's modules.
 */
export async function bundleWorkflows(
  options: Pick<BundleOptions, 'logger' | 'workflowInterceptorModules'>,
): Promise<{ readonly code: string }> {
  return bundleWorkflowCode({
    ...options,
    workflowsPath: join(workflows, 'index.ts'),
    preloadModules: [...(await pureModules())],
  });
}

/** Paths of the modules that workflows import from folders without state; what these import comes with them. */
async function pureModules(): Promise<readonly string[]> {
  const files = await readdir(workflows, { recursive: true, withFileTypes: true });
  const found = new Set<string>();
  for (const file of files) {
    if (!file.isFile() || !file.name.endsWith('.ts')) continue;
    const path = join(file.parentPath, file.name);
    for (const [, module] of (await readFile(path, 'utf8')).matchAll(PURE_IMPORT))
      found.add(`${join(dirname(path), module ?? '')}.ts`);
  }
  return [...found].sort();
}
