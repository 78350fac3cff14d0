import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.js';
import { type Bench, type BenchContext, NotMeasurable } from '../bench.js';
import { type Figure, notMeasurable } from '../figure.js';

export interface SessionSettings {
  readonly config: Config;
  readonly profiles: string | null;
  readonly runs?: number | undefined;
  readonly rounds?: number | undefined;
  readonly say: (text: string) => void;
}

/**
 * Runs one bench and ends what it has started, whatever happens.
 * @throws Error when it fails, or when its figures are not those that it names
 */
export async function runBench(bench: Bench, settings: SessionSettings): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-bench-'));
  const ends: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
  const context: BenchContext = {
    ...settings,
    folder,
    say: (text) => settings.say(`${bench.name}: ${text}`),
    defer: (end) => void ends.push(end),
  };
  try {
    const figures = await bench.run(context);
    const names = figures.map(({ name }) => name);
    if (names.join() !== bench.figures.join())
      throw new Error(`${bench.name} gave the figures ${names.join(', ')}, not ${bench.figures.join(', ')}`);
    return figures;
  } catch (error) {
    if (error instanceof NotMeasurable)
      return bench.figures.map((name) => notMeasurable(name, error.message));
    throw error;
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
