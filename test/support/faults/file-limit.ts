import { execFileSync } from 'node:child_process';

/**
 * From now on the kernel lets no file of this process grow beyond so many bytes (RLIMIT_FSIZE; `null`: any). It is how a write is
 * refused half-way in a process that runs, on every Linux and without rights; the error is EFBIG where a full disk has ENOSPC.
 */
export function limitFiles(pid: number, bytes: number | null): void {
  // The soft limit alone, which may be raised again.
  execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes ?? 'unlimited'}:`], { stdio: 'pipe' });
}
