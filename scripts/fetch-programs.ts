/** Fetches the programs of the embedded stack before the tests need them, so that no test waits for a download. */
import { testBinaries } from '../test/support/stack-binaries.js';
import { findBinary } from '../src/stack/index.js';

const settings = { ...testBinaries(), onProgress: (text: string) => void process.stdout.write(`${text}\n`) };
for (const name of ['temporal', 'temporal-test-server', 'mongod'] as const) {
  const { path } = await findBinary(name, settings);
  process.stdout.write(`${name}: ${path}\n`);
}
