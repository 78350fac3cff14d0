import { Worker } from 'node:worker_threads';
import type { ThreadSettings } from './protocol.js';

/** Under tsx the worker's file is TypeScript, and the loader has to be brought into the thread. */
const file = new URL(
  import.meta.url.endsWith('.ts') ? './worker-under-tsx.mjs' : './worker.js',
  import.meta.url,
);

/** Starts the thread of a model; flags of the process are inherited. */
export const spawn = (workerData: ThreadSettings, name: string): Worker =>
  new Worker(file, { workerData, name });
