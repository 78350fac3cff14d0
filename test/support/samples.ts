import type { Db } from 'mongodb';
import { createRandom } from './random.js';

const HOUR_MS = 3600_000;

/**
 * Labelled rows as a gateway keeps them, an hour old and older: one input `x` from 0 to 9, and labels that follow
 * sigmoid(slope x + bias).
 */
export function samples(
  model: string,
  rows: number,
  { slope, bias }: { readonly slope: number; readonly bias: number },
  now = Date.now(),
) {
  const random = createRandom(rows);
  return Array.from({ length: rows }, (_, i) => {
    const x = i % 10;
    const at = new Date(now - HOUR_MS - i * 1000);
    return {
      model,
      requestId: `r-${i}`,
      version: 'v1',
      digest: 'd'.repeat(64),
      at,
      inputs: { x },
      score: 0.5,
      label: random.uniform() < 1 / (1 + Math.exp(-slope * x - bias)) ? 1 : 0,
      labelledAt: new Date(at.getTime() + 1000),
      expiresAt: new Date(now + 100 * HOUR_MS),
    };
  });
}

export const putSamples = (db: Db, rows: ReturnType<typeof samples>) =>
  db.collection('samples').insertMany(rows);
