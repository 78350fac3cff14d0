import { startStack } from '../../../src/stack/index.js';
import { testBinaries } from '../../support/stack-binaries.js';

// A process of its own that owns the stack of a folder: says so, and waits to be killed, or told to stop.
const [dataDir = ''] = process.argv.slice(2);
const { stop, ...addresses } = await startStack({ dataDir, binaries: testBinaries() });
process.send?.(addresses);
process.once('message', () => {
  void stop().then(() => process.disconnect());
});
