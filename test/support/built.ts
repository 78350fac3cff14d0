import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflows } from '../../src/bundle-workflows.js';

const BUNDLE = 'dist/src/workflow-bundle.js';
const SKIPPING_BUNDLE = 'skipping-bundle.js';
const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Built {
  readonly worker: string;
  readonly gateway: string;
  readonly remove: () => Promise<void>;
}

/** Where `npm test` has built for all of its processes. */
export const SHARED_BUILD = 'TENURE_TEST_BUILD';

/**
 * Worker and gateway of today's source, compiled into a folder of their own: processes that are started a hundred times should
 * neither translate their source nor bundle their workflows each time. Of a build that is shared, `remove` removes nothing.
 */
export async function build(): Promise<Built> {
  const shared = process.env[SHARED_BUILD];
  if (shared !== undefined) return { ...entriesIn(shared), remove: async () => undefined };
  const folder = await buildAnew();
  return { ...entriesIn(folder), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The command's main module: of the shared build, else the source, to be run by tsx. */
export const commandModule = (): string => {
  const shared = process.env[SHARED_BUILD];
  return shared === undefined
    ? join(root, 'src/client/command/main.ts')
    : join(shared, 'dist/src/client/command/main.js');
};

/** Code of the workflows: the shared build's, else bundled now. */
export const builtWorkflows = (): Promise<WorkflowBundle> => shared(BUNDLE) ?? bundle();

/** The same for the time-skipping server, which cannot bear all that the workflows do. */
export const builtForSkipping = (): Promise<WorkflowBundle> =>
  shared(SKIPPING_BUNDLE) ?? bundle(NEVER_CANCELLED);

function shared(file: string): Promise<WorkflowBundle> | undefined {
  const folder = process.env[SHARED_BUILD];
  return folder === undefined ? undefined : readFile(join(folder, file), 'utf8').then((code) => ({ code }));
}

const NEVER_CANCELLED = [join(root, 'test/support/never-cancelled.ts')];

const bundle = (workflowInterceptorModules: string[] = []): Promise<{ readonly code: string }> =>
  bundleWorkflows({ workflowInterceptorModules, logger: new DefaultLogger('ERROR') });

const entriesIn = (folder: string): Pick<Built, 'worker' | 'gateway'> => ({
  worker: join(folder, 'dist/src/worker.js'),
  gateway: join(folder, 'dist/src/gateway/main.js'),
});

/** @returns the folder; whoever asked for it removes it */
export async function buildAnew(): Promise<string> {
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
  await writeFile(join(folder, BUNDLE), (await bundle()).code);
  return folder;
}

/** What the workflow tests run, beside a build: else each of their processes would bundle it. */
export async function addSkippingBundle(folder: string): Promise<void> {
  await writeFile(join(folder, SKIPPING_BUNDLE), (await bundle(NEVER_CANCELLED)).code);
}
