/** A worker that trains until it is killed. */
import { readFileSync } from 'node:fs';
import { ProcessPlatform, type TrainingOrder } from '../../../../src/platform/training/index.js';

const { order, folder } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  order: TrainingOrder;
  folder: string;
};
const platform = new ProcessPlatform({ folder, path: process.env['PATH'] ?? '', lookMs: 50 });
await platform.train(order, {
  signal: new AbortController().signal,
  onProgress: ({ progress }) => progress === 0.1 && process.send?.('trains'),
});
