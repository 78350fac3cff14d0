import { MongoBinary } from 'mongodb-memory-server-core/lib/util/MongoBinary.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';

// Started by vendor.ts with the binary's name and the folder to fill; reports once, then is ended.

async function download(binary: string, downloadDir: string): Promise<void> {
  if (binary === 'mongod') {
    await MongoBinary.getPath({ downloadDir });
    return;
  }
  const server = { executable: { type: 'cached-download', downloadDir } } as const;
  const env =
    binary === 'temporal'
      ? await TestWorkflowEnvironment.createLocal({ server })
      : await TestWorkflowEnvironment.createTimeSkipping({ server });
  await env.teardown();
}

const [binary = '', downloadDir = ''] = process.argv.slice(2);
// Ended with its parent, rather than left downloading for nobody.
process.once('disconnect', () => process.exit(1));
try {
  await download(binary, downloadDir);
  process.send?.({});
} catch (error) {
  process.send?.({ failure: rootOf(error) });
}

/** The end of a chain of causes in one line, each part of it once. */
function rootOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: unknown };
  if (cause !== undefined) return rootOf(cause);
  const line = (message ?? String(error)).replaceAll(/\s+/g, ' ').trim();
  return [...new Set(line.split(': '))].join(': ').slice(0, 500);
}
