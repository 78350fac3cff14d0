/** All processes of a training, as /proc shows them: its group, and what has left the group but still bears its mark. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity, signal } from '../../../processes/identity.js';

/** Variable of the environment that marks each process of an attempt. */
export const MARK = 'TENURE_TRAINING_ATTEMPT';

export interface Family {
  /** The value of the mark: of one attempt alone, so that ending it never touches the next. */
  readonly mark: string;
  /** First process of its group. */
  readonly leader: ProcessIdentity;
}

interface Member extends ProcessIdentity {
  readonly rssKb: number;
}

/** Whether this machine shows processes in a way that a training can be watched by. */
export const canWatch = (): boolean => process.platform === 'linux' && textOf('/proc/self/environ') !== null;

/**
 * Those that run now. A group number is used again after its last process: so a group counts only while its leader is the one that
 * is known, or one of its processes bears the mark.
 */
function membersOf({ mark: value, leader }: Family): readonly Member[] {
  const mark = `${MARK}=${value}`;
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      inGroup: groupOf(name) === leader.pid,
      isMarked: bears(name, mark),
    }));
  const isOurGroup = isRunning(leader) || all.some(({ inGroup, isMarked }) => inGroup && isMarked);
  return all
    .filter(({ inGroup, isMarked }) => isMarked || (inGroup && isOurGroup))
    .flatMap(({ pid }) => {
      const identity = identify(pid);
      return identity === undefined ? [] : [{ ...identity, rssKb: rssKbOf(pid) }];
    });
}

/** Resident memory of all of them, MiB: pages that they share are counted for each. */
export const memoryMbOf = (family: Family): number =>
  membersOf(family).reduce((sum, { rssKb }) => sum + rssKb, 0) / 1024;

/** How often what is still there is looked for. */
const LOOK_MS = 25;
/** Longer is no process that SIGKILL ends: one that hangs in the system. */
const KILL_LIMIT_MS = 10_000;

/**
 * Ends all of them: politely, until the first of them has ended or the grace is over; then by force.
 * @param graceMs milliseconds; 0: by force at once
 * @throws Error when one is still there
 */
export async function endFamily(family: Family, graceMs: number): Promise<void> {
  if (graceMs > 0 && isRunning(family.leader)) {
    for (const member of membersOf(family)) signal(member, 'SIGTERM');
    await within(graceMs, () => !isRunning(family.leader));
  }
  let left: readonly ProcessIdentity[] = [];
  const isGone = await within(KILL_LIMIT_MS, () => {
    left = membersOf(family);
    // New ones may be born meanwhile: each look ends what it finds.
    left.forEach((member) => signal(member, 'SIGKILL'));
    return left.length === 0;
  });
  if (isGone) return;
  throw new Error(`Processes ${left.map(({ pid }) => pid).join(', ')} of ${family.mark} cannot be ended`);
}

async function within(limitMs: number, isSo: () => boolean): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!isSo()) {
    if (performance.now() > end) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

function groupOf(pid: string): number {
  const stat = textOf(`/proc/${pid}/stat`) ?? '';
  // The second field is the program's name in brackets and may hold anything; the group is the fifth.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

/** Of another user's process nothing can be read: it is none of ours. */
const bears = (pid: string, mark: string): boolean =>
  textOf(`/proc/${pid}/environ`)?.split('\0').includes(mark) ?? false;

const rssKbOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1] ?? 0);

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
