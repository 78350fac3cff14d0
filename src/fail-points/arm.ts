import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getSystemErrorMap } from 'node:util';
import type { FailPoint } from './effects.js';
import { type FailAction, type FailPlan, markName } from './plan.js';
import { setHook } from './reach.js';

export interface FailSettings {
  readonly plans: readonly FailPlan[];
  /** Where marks are left: of a kill, for the test to read; of all else, which lasts until the test removes it. */
  readonly folder: string;
}

const POLL_MS = 20;

type LastingAction = Exclude<FailAction, 'kill' | 'pause'>;
const isLasting = (action: FailAction): action is LastingAction => action !== 'kill' && action !== 'pause';

/** For entry points, from the configuration: from now on this process dies, waits or fails where it is told to. Null: nothing. */
export function armFailPoints(settings: FailSettings | null): void {
  if (settings === null) return;
  const { plans, folder } = settings;
  mkdirSync(folder, { recursive: true });
  const hits = new Map<FailPoint, number>();
  setHook(async (point) => {
    const hit = (hits.get(point) ?? 0) + 1;
    hits.set(point, hit);
    for (const plan of plans) {
      if (plan.point !== point || hit < plan.hit) continue;
      const mark = join(folder, markName({ ...plan, pid: process.pid }));
      if (hit === plan.hit) writeFileSync(mark, '');
      if (isLasting(plan.action)) await hamper(plan.action, point, mark);
      else if (hit === plan.hit) await stop(plan.action, mark);
    }
  });
}

async function stop(action: 'kill' | 'pause', mark: string): Promise<void> {
  if (action === 'kill') {
    process.kill(process.pid, 'SIGKILL');
    // Nothing more is done, however long the signal takes.
    await new Promise<never>(() => undefined);
  }
  while (existsSync(mark)) await sleep(POLL_MS);
}

async function hamper(action: LastingAction, point: FailPoint, mark: string): Promise<void> {
  if (!existsSync(mark)) return;
  const [kind, value = ''] = action.split('-');
  if (kind === 'slow') return sleep(Number(value));
  const { errno } = constants;
  const number = errno[value as keyof typeof errno] ?? 0;
  throw Object.assign(new Error(`${value}: ${getSystemErrorMap().get(-number)?.[1] ?? 'failed'}, ${point}`), {
    code: value,
    errno: -number,
  });
}
