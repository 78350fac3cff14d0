import { readFile } from 'node:fs/promises';
import { NotMeasurable } from '../bench.js';

/** Ticks of /proc a second; 100 on every Linux that Node.js runs on. */
const TICKS = 100;

/** CPU seconds that a process has used so far, all threads, user and system. @throws NotMeasurable where there is no /proc */
export async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => {
    throw new NotMeasurable('the CPU time of another process is read from /proc, which only Linux has');
  });
  // The program's name, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/**
 * Seconds so far in which something that could have run waited for a core, on the whole machine (Linux's pressure stall
 * information); null where the system does not tell.
 */
export async function coreWaitSeconds(): Promise<number | null> {
  const text = await readFile('/proc/pressure/cpu', 'utf8').catch(() => '');
  const total = /^some .*total=(\d+)$/m.exec(text)?.[1];
  return total === undefined ? null : Number(total) / 1e6;
}
