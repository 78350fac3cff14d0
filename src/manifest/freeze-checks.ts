import { FREEZE_DAYS, type FreezeWindow } from '../contracts/manifest.js';
import { checkUnique } from './parts.js';
import type { Complain } from './parts.js';

const DAY = 24 * 60;
const WEEK = 7 * DAY;

/** Freeze windows that cannot be meant. */
export function checkFreezeWindows(windows: readonly (FreezeWindow | undefined)[], complain: Complain): void {
  for (const [i, window] of windows.entries()) {
    if (window === undefined) continue;
    checkUnique(window.days, (at, day) =>
      complain(['freezeWindows', i, 'days', at], day, 'it is there already'),
    );
    if (window.from === window.to)
      complain(
        ['freezeWindows', i, 'to'],
        window.to,
        'it is the same as from; for a whole day write from "00:00" to "24:00"',
      );
  }
  const known = windows.flatMap((window) =>
    window === undefined || window.from === window.to ? [] : [window],
  );
  for (const timeZone of new Set(known.map((window) => window.timeZone))) {
    if (coversTheWeek(known.filter((window) => window.timeZone === timeZone)))
      complain(
        ['freezeWindows'],
        known,
        'together they hold all week, so that nothing could ever be promoted; leave an opening',
      );
  }
}

/** By the clocks of one time zone. */
function coversTheWeek(windows: readonly FreezeWindow[]): boolean {
  const held = new Uint8Array(WEEK);
  for (const { days, from, to } of windows) {
    const [begins, ends] = [minutesOf(from), minutesOf(to)];
    const length = ends > begins ? ends - begins : ends - begins + DAY;
    for (const day of days) {
      const start = FREEZE_DAYS.indexOf(day) * DAY + begins;
      for (let minute = start; minute < start + length; minute += 1) held[minute % WEEK] = 1;
    }
  }
  return held.every((minute) => minute === 1);
}

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
};
