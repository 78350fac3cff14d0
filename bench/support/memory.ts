import { readFile } from 'node:fs/promises';
import { NotMeasurable } from '../bench.js';

export interface Memory {
  /** Proportional set size: what is shared by n processes counts as an nth. MiB. */
  readonly pss: number;
  /** What is in memory, shared or not. MiB. */
  readonly rss: number;
}

/** @throws NotMeasurable where there is no /proc */
export async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => {
    throw new NotMeasurable(
      'the memory of another process is read from /proc/PID/smaps_rollup, which only Linux has',
    );
  });
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { pss: mib('Pss'), rss: mib('Rss') };
}
