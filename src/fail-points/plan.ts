import { type FailPoint, isFailPoint } from './effects.js';

/** What is to happen at one fail point. */
export interface FailPlan {
  readonly point: FailPoint;
  /** At which reaching of it in this process, from 1; each plan acts once. */
  readonly hit: number;
  /**
   * `kill`: SIGKILL of the process itself. `pause`: it waits there until the test lets it go on. The others last from this hit
   * on until the test ends them: `slow-500` takes 500 ms longer, as a slow disk would; `fail-ENOSPC` throws the system error of
   * that code, as a full one would.
   */
  readonly action: FailAction;
}

export type FailAction = 'kill' | 'pause' | `slow-${number}` | `fail-${string}`;

const ENTRY =
  /^(?<point>[a-z][\w.-]*?)(?::(?<hit>[1-9]\d{0,5}))?(?:=(?<action>kill|pause|slow-[1-9]\d{0,5}|fail-E[A-Z]{2,15}))?$/i;

/** In the form of the environment: `name[:hit][=kill|pause|slow-MS|fail-CODE]`, by default the first hit and `kill`. */
export const failPlanText = ({ point, hit, action }: FailPlan): string => `${point}:${hit}=${action}`;

/**
 * Reads entries separated by commas.
 * @throws Error in words that fit after the name of the setting
 */
export function parseFailPlans(text: string): readonly FailPlan[] {
  return text.split(',').map((entry) => {
    const { point = '', hit = '1', action = 'kill' } = ENTRY.exec(entry.trim())?.groups ?? {};
    if (!isFailPoint(point))
      throw new Error(
        `"${entry.trim()}" is not name[:hit][=kill|pause|slow-MS|fail-CODE] with a name of src/fail-points/effects.ts and .before or .after`,
      );
    return { point, hit: Number(hit), action: action as FailPlan['action'] };
  });
}

/** What a process that was killed, waits or is hampered at a fail point has said, in the folder that it was given. */
export interface FailMark extends FailPlan {
  readonly pid: number;
}

/** Name of the file by which it says so. */
export const markName = ({ point, hit, action, pid }: FailMark): string =>
  `${point}@${hit}@${pid}.${action === 'kill' ? 'killed' : action === 'pause' ? 'paused' : action}`;

const MARK = /^(?<point>[^@]+)@(?<hit>\d+)@(?<pid>\d+)\.(?<action>killed|paused|slow-\d+|fail-[A-Z]+)$/;

/** @returns null for any other file */
export function parseMark(file: string): FailMark | null {
  const { point = '', hit, pid, action } = MARK.exec(file)?.groups ?? {};
  if (!isFailPoint(point)) return null;
  const said = action === 'killed' ? 'kill' : action === 'paused' ? 'pause' : (action as FailAction);
  return { point, hit: Number(hit), pid: Number(pid), action: said };
}
