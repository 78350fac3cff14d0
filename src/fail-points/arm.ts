import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FailPoint } from './effects.js';
import { type FailPlan, markName } from './plan.js';
import { setHook } from './reach.js';

export interface FailSettings {
  readonly plans: readonly FailPlan[];
  /** Where marks are left: of a kill, for the test to read; of a pause, which lasts until the test removes it. */
  readonly folder: string;
}

const POLL_MS = 20;

/** For entry points, from the configuration: from now on this process dies or waits where it is told to. Null: nothing. */
export function armFailPoints(settings: FailSettings | null): void {
  if (settings === null) return;
  const { plans, folder } = settings;
  mkdirSync(folder, { recursive: true });
  const hits = new Map<FailPoint, number>();
  setHook(async (point) => {
    const hit = (hits.get(point) ?? 0) + 1;
    hits.set(point, hit);
    const plan = plans.find((planned) => planned.point === point && planned.hit === hit);
    if (plan === undefined) return;
    const mark = join(folder, markName({ ...plan, pid: process.pid }));
    writeFileSync(mark, '');
    if (plan.action === 'kill') {
      process.kill(process.pid, 'SIGKILL');
      // Nothing more is done, however long the signal takes.
      await new Promise<never>(() => undefined);
    }
    while (existsSync(mark)) await sleep(POLL_MS);
  });
}
