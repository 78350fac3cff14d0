import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { FREEZE_DAYS, type FreezeWindow } from '../../../src/contracts/manifest.js';
import { readFreezeWindows } from '../../../src/lifecycle/freeze-windows.js';
import { scale } from '../../support/scale.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const window = (changes: Partial<FreezeWindow> = {}): FreezeWindow => ({
  days: ['fri'],
  from: '16:00',
  to: '24:00',
  timeZone: 'Europe/Paris',
  reason: 'weekend',
  ...changes,
});
const read = (at: string, ...windows: readonly FreezeWindow[]) => {
  const { reason, until } = readFreezeWindows(windows, Date.parse(at));
  return [reason, until.replace(':00.000Z', 'Z')];
};

/** What the clocks of a time zone show, by the other way: as text. */
function clock(timeZone: string, at: number): { readonly day: string; readonly time: string } {
  const [day = '', time = ''] = new Date(at)
    .toLocaleString('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' })
    .split(/,? /);
  return { day: day.toLowerCase(), time };
}

/** Whether a window holds at a moment, from its words alone. */
function holds({ days, from, to, timeZone }: FreezeWindow, at: number): boolean {
  const { day, time } = clock(timeZone, at);
  const index = FREEZE_DAYS.findIndex((name) => name === day);
  const starts = (i: number): boolean => days.includes(FREEZE_DAYS[(i + 7) % 7] ?? 'mon');
  if (to > from) return starts(index) && time >= from && time < to;
  return (starts(index) && time >= from) || (starts(index - 1) && time < to);
}

describe('freeze windows', () => {
  it('hold from one time of the clock to another, also past midnight', () => {
    // A Friday in winter; Paris is an hour ahead.
    assert.deepEqual(read('2026-01-09T14:59:59Z', window()), [null, '2026-01-09T15:00Z']);
    assert.deepEqual(read('2026-01-09T15:00:00Z', window()), ['weekend', '2026-01-09T23:00Z']);
    assert.deepEqual(read('2026-01-09T23:00:00Z', window()), [null, '2026-01-16T15:00Z']);
    const night = window({ to: '06:30', reason: 'night' });
    assert.deepEqual(read('2026-01-09T20:00:00Z', night), ['night', '2026-01-10T05:30Z']);
    assert.deepEqual(read('2026-01-10T05:29:00Z', night), ['night', '2026-01-10T05:30Z']);
    // Thursday's night is not one.
    assert.deepEqual(read('2026-01-09T02:00:00Z', night), [null, '2026-01-09T15:00Z']);
  });

  it('that follow each other are one, with the reason of the one that holds now', () => {
    const weekend = [
      window(),
      window({ days: ['sat', 'sun'], from: '00:00' }),
      window({ days: ['mon'], from: '00:00', to: '07:00', reason: 'monday morning' }),
    ];
    assert.deepEqual(read('2026-01-09T16:00:00Z', ...weekend), ['weekend', '2026-01-12T06:00Z']);
    assert.deepEqual(read('2026-01-12T05:00:00Z', ...weekend), ['monday morning', '2026-01-12T06:00Z']);
    const both = [window(), window({ timeZone: 'UTC', reason: 'batch' }), window({ reason: 'batch' })];
    assert.deepEqual(read('2026-01-09T16:30:00Z', ...both), ['weekend; batch', '2026-01-10T00:00Z']);
  });

  it('keep to the clocks when these are changed', () => {
    // Forward: 02:00 to 03:00 does not exist in Paris on 29 March 2026.
    const early = window({ days: ['sun'], from: '02:30', to: '04:00', reason: 'batch' });
    assert.deepEqual(read('2026-03-29T00:59:00Z', early), [null, '2026-03-29T01:00Z']);
    assert.deepEqual(read('2026-03-29T01:00:00Z', early), ['batch', '2026-03-29T02:00Z']);
    const skipped = window({ days: ['sun'], from: '02:10', to: '02:50', reason: 'batch' });
    assert.deepEqual(read('2026-03-29T00:59:00Z', skipped), [null, '2026-04-05T00:10Z']);
    // Back: 02:00 to 03:00 comes twice in New York's 1:00 to 2:00 on 1 November.
    const late = window({ days: ['sun'], from: '01:30', to: '01:45', timeZone: 'America/New_York' });
    assert.deepEqual(read('2026-11-01T05:30:00Z', late), ['weekend', '2026-11-01T05:45Z']);
    assert.deepEqual(read('2026-11-01T05:45:00Z', late), [null, '2026-11-01T06:30Z']);
    assert.deepEqual(read('2026-11-01T06:30:00Z', late), ['weekend', '2026-11-01T06:45Z']);
    // A night in which the clocks are set back is an hour longer.
    const night = window({ days: ['sat'], from: '22:00', to: '06:00', reason: 'night' });
    assert.deepEqual(read('2026-10-24T20:00:00Z', night), ['night', '2026-10-25T05:00Z']);
  });

  it('look two weeks ahead at most, and say that nothing holds where there are none', () => {
    assert.deepEqual(read('2026-01-01T00:00:00Z'), [null, '2026-01-16T00:00Z']);
    const always = window({ days: [...FREEZE_DAYS], from: '00:00' });
    assert.deepEqual(read('2026-01-01T00:00:00Z', always), ['weekend', '2026-01-16T00:00Z']);
  });

  it('agree, minute by minute, with their words and the clocks as text, in every zone and at every change', () => {
    const time = fc.constantFrom('00:00', '00:45', '01:30', '02:00', '02:30', '03:15', '12:00', '23:30');
    const windows = fc.array(
      fc.record({
        days: fc.uniqueArray(fc.constantFrom(...FREEZE_DAYS), { minLength: 1, maxLength: 7 }),
        from: time,
        to: fc.oneof(time, fc.constant('24:00')),
        timeZone: fc.constantFrom(
          'UTC',
          'Europe/Paris',
          'America/New_York',
          'America/St_Johns',
          'Australia/Lord_Howe',
          'Asia/Kathmandu',
          'Pacific/Apia',
          'Africa/Casablanca',
        ),
        reason: fc.constant('why'),
      }),
      { minLength: 1, maxLength: 3 },
    );
    // Around the changes of the clocks of 2026, north and south, and at any other time.
    const start = fc.oneof(
      fc
        .constantFrom('2026-03-07', '2026-03-28', '2026-04-04', '2026-10-03', '2026-10-24', '2026-10-31')
        .map((day) => Date.parse(day)),
      fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2027, 0, 1) }),
    );
    fc.assert(
      fc.property(windows, start, fc.nat(2 * DAY), (drawn, from, offset) => {
        // The same hour to the same hour is no window.
        const some = drawn.filter((one) => one.from !== one.to);
        const at = from + offset;
        const isHeld = some.some((one) => holds(one, at));
        const { reason, until } = readFreezeWindows(some, at);
        assert.equal(reason !== null, isHeld);
        const end = Date.parse(until);
        assert.ok(end > at);
        // Nothing changes before; a minute is the finest that the words have.
        const steps = Math.min(36 * 60, Math.floor((end - 1 - at) / MINUTE));
        for (let i = 0; i <= steps; i += 7) {
          const moment = i + 7 > steps ? end - 1 : at + i * MINUTE;
          assert.equal(
            some.some((one) => holds(one, moment)),
            isHeld,
            new Date(moment).toISOString(),
          );
        }
        if (end < at + 15 * DAY)
          assert.equal(
            some.some((one) => holds(one, end)),
            !isHeld,
          );
      }),
      { seed: 20261125, numRuns: scale(30, 3_000) },
    );
  });
});
