/** Bundles the workflows once, so that a worker starts at once and every worker of a build runs the same code. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DefaultLogger } from '@temporalio/worker';
import { bundleWorkflows } from '../src/bundle-workflows.js';

const LIMIT_BYTES = 1_300_000;

const target = fileURLToPath(new URL('../dist/src/workflow-bundle.js', import.meta.url));
const { code } = await bundleWorkflows({ logger: new DefaultLogger('ERROR') });
// A library that finds its way in shows in the size first; the source map at the end does not count.
const size = code.indexOf('//# sourceMappingURL=');
if (size < 0 || size > LIMIT_BYTES)
  throw new Error(
    `The workflow bundle has ${size} bytes of code, at most ${LIMIT_BYTES} are allowed: what got into it?`,
  );
await mkdir(fileURLToPath(new URL('../dist/src/', import.meta.url)), { recursive: true });
await writeFile(target, code);
process.stdout.write(`Workflow bundle: ${size} bytes of code\n`);
