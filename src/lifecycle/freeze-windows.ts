import type { FreezeReading } from '../contracts/activities.js';
import { FREEZE_DAYS, type FreezeWindow } from '../contracts/manifest.js';

/**
 * When the freeze windows of a manifest hold. A window holds at a moment when the clocks of its time zone say so: where they are
 * set back it holds in both of the hours, where they are set forward the skipped hour does not exist.
 *
 * What a time zone is comes from the data of the process (`Intl`), which another build of Node.js may have otherwise: not for
 * workflow code, which must say the same in every replay. There an activity asks.
 */

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;
/** Nobody waits longer without asking again. */
const HORIZON_MS = 15 * DAY_MINUTES * MINUTE;

/** What holds at a moment, and until when that stays so, two weeks ahead at most. */
export function readFreezeWindows(windows: readonly FreezeWindow[], at: number): FreezeReading {
  const clocks = windows.map((window) => new WindowClock(window));
  const holding = clocks.filter((clock) => clock.holdsAt(at));
  const isHeld = holding.length > 0;
  const horizon = at + HORIZON_MS;
  let until = at;
  do {
    until = Math.min(horizon, ...clocks.map((clock) => clock.steadyUntil(until)));
  } while (until < horizon && clocks.some((clock) => clock.holdsAt(until)) === isHeld);
  return {
    reason: isHeld ? [...new Set(holding.map(({ window }) => window.reason))].join('; ') : null,
    until: new Date(until).toISOString(),
  };
}

/** One window, and the clocks of its time zone. */
class WindowClock {
  readonly window: FreezeWindow;
  readonly #from: number;
  readonly #to: number;
  readonly #format: Intl.DateTimeFormat;

  constructor(window: FreezeWindow) {
    this.window = window;
    this.#from = minutesOf(window.from);
    this.#to = minutesOf(window.to);
    this.#format = formatOf(window.timeZone);
  }

  holdsAt(at: number): boolean {
    const { day, minute } = this.#wall(at);
    const { days } = this.window;
    const overnight = this.#to <= this.#from;
    if (days.includes(day) && minute >= this.#from && (overnight || minute < this.#to)) return true;
    return overnight && days.includes(dayBefore(day)) && minute < this.#to;
  }

  /** The next moment, after this one, at which anything might change. */
  steadyUntil(at: number): number {
    const { minute } = this.#wall(at);
    const next = Math.min(...[this.#from, this.#to, DAY_MINUTES].filter((boundary) => boundary > minute));
    const start = at - modulo(at, MINUTE);
    const then = start + (next - minute) * MINUTE;
    const offset = this.#offset(at);
    if (this.#offset(then) === offset) return then;
    // The clocks are changed in between: up to there.
    let [before, after] = [start, then];
    while (after - before > MINUTE) {
      const middle = before + Math.floor((after - before) / (2 * MINUTE)) * MINUTE;
      if (this.#offset(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }

  /** Milliseconds that the clocks are ahead of UTC. */
  #offset(at: number): number {
    const part = Object.fromEntries(this.#format.formatToParts(at).map(({ type, value }) => [type, value]));
    const [year, month, day] = [Number(part['year']), Number(part['month']), Number(part['day'])];
    const shown = Date.UTC(year, month - 1, day, Number(part['hour']), Number(part['minute']));
    return shown - (at - modulo(at, MINUTE));
  }

  #wall(at: number): { readonly day: FreezeWindow['days'][number]; readonly minute: number } {
    const wall = new Date(at + this.#offset(at));
    // Sunday is 0 there.
    const day = FREEZE_DAYS[(wall.getUTCDay() + 6) % 7] ?? 'mon';
    return { day, minute: wall.getUTCHours() * 60 + wall.getUTCMinutes() };
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  formats.set(timeZone, format);
  return format;
}

const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
};

const dayBefore = (day: FreezeWindow['days'][number]): FreezeWindow['days'][number] =>
  FREEZE_DAYS[(FREEZE_DAYS.indexOf(day) + 6) % 7] ?? day;

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
