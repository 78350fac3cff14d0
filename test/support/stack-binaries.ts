import { loadConfig } from '../../src/config.js';
import type { BinarySettings } from '../../src/stack/index.js';

/** Where tests look for programs: the environment's own paths, PATH, and the user's cache. Says what it downloads. */
export const testBinaries = (): BinarySettings => ({
  ...loadConfig().binaries,
  onProgress: (text) => process.stderr.write(`${text}\n`),
});
