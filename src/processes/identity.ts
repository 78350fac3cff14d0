import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own terms; compared, never read. */
  readonly started: string;
}

/** The identity of a running process, or undefined when there is none (a process that has ended counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

export const isRunning = ({ pid, started }: ProcessIdentity): boolean => identify(pid)?.started === started;

function startedOnLinux(pid: number): string | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === undefined) return undefined;
  // The second field is the program's name in brackets and may hold anything; the third is the state, the 22nd the start.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if ((fields[0] === 'Z' || fields[0] === 'X') && !hasThreads(pid)) return undefined;
  // Ticks since boot: after a reboot the same ticks are another process.
  return `${fields[19]}@${bootId()}`;
}

/** A killed process can show as ended while threads of it still hold its ports and files. */
const hasThreads = (pid: number): boolean =>
  (attempt(() => readdirSync(`/proc/${pid}/task`)) ?? []).length > 1;

const bootId = (): string =>
  attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))?.trim() ?? '';

function startedByPs(pid: number): string | undefined {
  const text = attempt(() =>
    execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }),
  )?.trim();
  if (text === undefined || text === '' || text.startsWith('Z')) return undefined;
  return text.slice(text.indexOf(' ')).trim();
}

/** Processes that were started with this very argument. */
export function findByArgument(argument: string): ProcessIdentity[] {
  const pids = process.platform === 'linux' ? linuxPidsWith(argument) : pidsByPs(argument);
  return pids.flatMap((pid) => identify(pid) ?? []);
}

const linuxPidsWith = (argument: string): number[] =>
  (attempt(() => readdirSync('/proc')) ?? [])
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) =>
      attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
        ?.split('\0')
        .includes(argument),
    )
    .map(Number);

const pidsByPs = (argument: string): number[] =>
  (attempt(() => execFileSync('ps', ['-axo', 'pid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 })) ?? '')
    .split('\n')
    .filter((line) => `${line} `.includes(` ${argument} `))
    .map((line) => Number.parseInt(line, 10));

/**
 * Ends a process: politely, then by force when the grace has passed. Does nothing when it has ended.
 * @param graceMs how long it may take to end by itself, milliseconds
 */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  signal(identity, 'SIGTERM');
  if (await waitForEnd(identity, graceMs)) return;
  signal(identity, 'SIGKILL');
  if (!(await waitForEnd(identity, 10_000))) throw new Error(`Process ${identity.pid} cannot be ended`);
}

/** Sends a signal, but only to the process that is meant. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (isRunning(identity)) attempt(() => process.kill(identity.pid, name));
}

async function waitForEnd(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (isRunning(identity)) {
    if (performance.now() > end) return false;
    await sleep(25);
  }
  return true;
}

/** The value, or undefined where a process or file has just gone. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
