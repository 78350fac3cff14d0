import assert from 'node:assert/strict';
import { dueOf } from '../../../../src/activities/monitors/due.js';

const HOUR = 3_600_000;
const SLOT = 300_000;
const at = (time: string): number => Date.parse(`2026-11-28T${time}Z`);
const hourly = { windowSeconds: 3600 };

describe('what of a model is due', () => {
  it('begins with what has closed last', () => {
    const due = dueOf(hourly, null, at('12:07:00.000'));
    assert.deepEqual(due?.windows, { from: at('11:00:00.000'), to: at('12:00:00.000'), length: HOUR });
    assert.deepEqual(due?.slots, { from: at('12:00:00.000'), to: at('12:05:00.000'), length: SLOT });
  });

  it('is nothing until a window or a slot has closed, and what was stored in it is visible', () => {
    const before = { evaluatedTo: at('12:00:00.000'), slotsTo: at('12:55:00.000') };
    assert.equal(dueOf(hourly, before, at('13:00:09.000')), null);
    assert.equal(dueOf(hourly, before, at('13:00:11.000'))?.windows.to, at('13:00:00.000'));
  });

  it('is everything since the last time, so much a tick, the windows not behind the slots', () => {
    const before = { evaluatedTo: at('02:00:00.000'), slotsTo: at('02:00:00.000') };
    const due = dueOf(hourly, before, at('12:07:00.000'));
    assert.deepEqual([due?.windows.from, due?.windows.to], [at('02:00:00.000'), at('12:00:00.000')]);
    assert.deepEqual([due?.slots.from, due?.slots.to], [at('02:00:00.000'), at('12:05:00.000')]);
    const short = dueOf({ windowSeconds: 60 }, before, at('12:07:00.000'));
    assert.equal(short?.windows.to, at('05:20:00.000'));
    assert.equal(short?.slots.to, at('05:20:00.000'));
    assert.deepEqual(short?.skipped, []);
  });

  it('is not more than a week, and says what is left out', () => {
    const long = at('12:07:00.000') - 30 * 24 * HOUR;
    const due = dueOf(hourly, { evaluatedTo: long, slotsTo: long }, at('12:07:00.000'));
    assert.equal(due?.windows.from, at('13:00:00.000') - 7 * 24 * HOUR);
    assert.match(
      due?.skipped.join() ?? '',
      /^Windows from .* are not evaluated: no monitor was there for a week$/,
    );
  });

  it('begins at a window of the length in force, after the manifest has changed it', () => {
    const before = { evaluatedTo: at('11:40:00.000'), slotsTo: at('11:40:00.000') };
    const due = dueOf(hourly, before, at('13:07:00.000'));
    assert.deepEqual([due?.windows.from, due?.windows.to], [at('12:00:00.000'), at('13:00:00.000')]);
  });
});
