import { strict as assert } from 'node:assert';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';

/** The workflows as they are, with `text` in one file replaced. */
export async function changedBundle(
  file: string,
  text: string,
  replacement: string,
): Promise<WorkflowBundle> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-broken-'));
  try {
    await cp(fileURLToPath(new URL('../../src', import.meta.url)), join(folder, 'src'), { recursive: true });
    const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
    const path = join(folder, 'src', file);
    const source = await readFile(path, 'utf8');
    assert.ok(source.includes(text), `${file} has no longer: ${text}`);
    await writeFile(path, source.replace(text, replacement));
    return await bundleWorkflowCode({
      workflowsPath: join(folder, 'src/workflows/index.ts'),
      logger: new DefaultLogger('ERROR'),
      webpackConfigHook: (config) => ({
        ...config,
        resolve: { ...config.resolve, modules: [modules] },
        resolveLoader: { ...config.resolveLoader, modules: [modules] },
      }),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
