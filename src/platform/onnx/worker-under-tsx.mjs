// The thread has no loader (see spawn.ts). A build that tests share is loaded at a fifth of the cost; else the source, through tsx.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const built = process.env['TENURE_TEST_BUILD'];
if (built === undefined) {
  const { register } = await import('tsx/esm/api');
  register();
  await import('./worker.ts?tsx');
} else {
  await import(pathToFileURL(join(built, 'dist/src/platform/onnx/worker.js')).href);
}
