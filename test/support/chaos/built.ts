import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Built {
  readonly worker: string;
  readonly gateway: string;
  readonly remove: () => Promise<void>;
}

/**
 * Compiles worker and gateway of today's source into a folder of their own: processes that are started a hundred times should
 * neither translate their source nor bundle their workflows each time.
 */
export async function build(): Promise<Built> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-built-'));
  const out = join(folder, 'dist');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const compiler = join(root, 'node_modules/.bin/tsc');
  await promisify(execFile)(
    compiler,
    ['-p', join(root, 'tsconfig.build.json'), '--outDir', out, '--noCheck', '--sourceMap', 'false'],
    { cwd: root },
  );
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'src/workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  await writeFile(join(out, 'src/workflow-bundle.js'), code);
  return {
    worker: join(out, 'src/worker.js'),
    gateway: join(out, 'src/gateway/main.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
