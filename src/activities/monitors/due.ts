/** Which stretches of a model have closed since its last evaluation. Pure. */
import type { MonitoringSettings } from '../../contracts/monitoring.js';
import type { Stretches } from '../../platform/windows/monitored.js';
import { VISIBLE_MS } from '../../lifecycle/monitor-ticks.js';
import { SLOT_SECONDS } from '../../statistics/monitor/availability.js';

const SLOT = SLOT_SECONDS * 1_000;
/** Evaluated in one tick at most, so that a tick after a long night is short; the next one goes on. */
const WINDOWS_MOST = 200;
/** What is older is not made up for. */
const BACK_MOST = 7 * 24 * 3_600_000;

export interface Due {
  readonly windows: Stretches;
  readonly slots: Stretches;
  /** What is not made up for, in words. */
  readonly skipped: readonly string[];
}

/**
 * @param before where the last evaluation ended; null: the model is new, and begins with what has closed last
 * @param now of the database's clock, epoch milliseconds
 * @returns null when nothing has closed
 */
export function dueOf(
  { windowSeconds }: Pick<MonitoringSettings, 'windowSeconds'>,
  before: { readonly evaluatedTo: number; readonly slotsTo: number } | null,
  now: number,
): Due | null {
  const length = windowSeconds * 1_000;
  const visible = now - VISIBLE_MS;
  const closed = floor(visible, length);
  const windowsFrom = ceil(before?.evaluatedTo ?? closed - length, length);
  const from = Math.max(windowsFrom, ceil(visible - BACK_MOST, length));
  const to = Math.min(closed, from + WINDOWS_MOST * length);
  // What is left for the next tick must not be overtaken by slots that come after it.
  const slotsClosed = floor(to < closed ? to : visible, SLOT);
  const slotsFrom = Math.max(
    ceil(before?.slotsTo ?? slotsClosed - SLOT, SLOT),
    ceil(visible - BACK_MOST, SLOT),
  );
  if (to <= from && slotsClosed <= slotsFrom) return null;
  const skipped =
    from > windowsFrom
      ? [
          `Windows from ${timeOf(windowsFrom)} to ${timeOf(from)} are not evaluated: no monitor was there for a week`,
        ]
      : [];
  return {
    windows: { from, to: Math.max(from, to), length },
    slots: { from: slotsFrom, to: Math.max(slotsFrom, slotsClosed), length: SLOT },
    skipped,
  };
}

const floor = (at: number, length: number): number => Math.floor(at / length) * length;
const ceil = (at: number, length: number): number => Math.ceil(at / length) * length;
const timeOf = (at: number): string => new Date(at).toISOString();
