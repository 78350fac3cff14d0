import { Worker } from 'node:worker_threads';
import type { ThreadSettings } from './protocol.js';

const isSource = import.meta.url.endsWith('.ts');

/** Under tsx the worker's file is TypeScript, and the loader has to be brought into the thread. */
const file = new URL(isSource ? './worker-under-tsx.mjs' : './worker.js', import.meta.url);

/**
 * ONNX Runtime (1.29 and later) reports sessions, with models' names and hashes, to its maker over the internet, and leaves files in
 * the user's cache, unless this is in the environment of the process before it is loaded.
 */
const NO_TELEMETRY = 'ORT_DISABLE_TELEMETRY';

/** Starts the thread of a model; flags of the process are inherited, but for those of tsx. */
export function spawn(workerData: ThreadSettings, name: string): Worker {
  process.env[NO_TELEMETRY] = '1';
  return new Worker(file, { workerData, name, ...(isSource ? { execArgv: [] } : {}) });
}
