import { MongoBinary } from 'mongodb-memory-server-core/lib/util/MongoBinary.js';
import {
  ResolveConfigVariables,
  setDefaultValue,
} from 'mongodb-memory-server-core/lib/util/resolveConfig.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';

// Started by vendor.ts with the binary's name, the folder to fill and the version; reports once, then is ended.

/** Returns the program's path where the mechanism tells it; it may be in a cache of its own. */
async function download(binary: string, downloadDir: string, version: string): Promise<string | undefined> {
  if (binary === 'mongod') {
    setDefaultValue(ResolveConfigVariables.MAX_RETRIES, '1');
    return MongoBinary.getPath({ downloadDir, version });
  }
  const server = { executable: { type: 'cached-download', downloadDir } } as const;
  const env =
    binary === 'temporal'
      ? await TestWorkflowEnvironment.createLocal({ server })
      : await TestWorkflowEnvironment.createTimeSkipping({ server });
  await env.teardown();
  return undefined;
}

const [binary = '', downloadDir = '', version = ''] = process.argv.slice(2);
// Ended with its parent, rather than left downloading for nobody.
process.once('disconnect', () => process.exit(1));
try {
  process.send?.({ path: await download(binary, downloadDir, version) });
} catch (error) {
  process.send?.({ failure: rootOf(error) });
}

/** The end of a chain of causes in one line, each part of it once, addresses without their queries. */
function rootOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: unknown };
  if (cause !== undefined) return rootOf(cause);
  const line = (message ?? String(error))
    .replaceAll(/\?[^\s)]*/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return [...new Set(line.split(': '))].join(': ').slice(0, 500);
}
