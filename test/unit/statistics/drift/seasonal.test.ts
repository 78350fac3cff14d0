/** A stream with the rhythm of a week against baselines by phase. */
import assert from 'node:assert/strict';
import { INITIAL_RUN_LENGTH, watchScore } from '../../../../src/statistics/drift/run-length.js';
import { scoreSeasonal } from '../../../../src/statistics/drift/seasonal.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';

const BUDGET = 17_520;

/** Days and week-ends in a stream of noise 1, scored and watched window by window. */
class Week {
  readonly values: (number | null)[] = [];
  #state = INITIAL_RUN_LENGTH;
  readonly #random: Random;
  readonly #perDay: number;

  constructor(random: Random, perDay: number) {
    this.#random = random;
    this.#perDay = perDay;
  }

  get period(): number {
    return 7 * this.#perDay;
  }

  /** Adds a window, and says whether it or the watch gives a finding: half of the budget each. */
  next(shift = 0): boolean {
    const at = this.values.length;
    const rhythm =
      3 * Math.sin((2 * Math.PI * at) / this.#perDay) + (at % this.period >= 5 * this.#perDay ? 2 : 0);
    return this.add(rhythm + shift + this.#random.normal());
  }

  add(value: number): boolean {
    this.values.push(value);
    const scored = scoreSeasonal(this.values.slice(-8 * this.period - 220), this.period);
    if (scored.state === 'insufficient') return false;
    const rule = { windowsBetweenFalseFindings: 2 * BUDGET };
    const watched = watchScore(this.#state, rule, scored.score);
    this.#state = watched.state;
    return watched.look.alarm !== 'none' || scored.p <= 1 / (2 * BUDGET);
  }
}

describe('seasonal baselines', () => {
  it('hours of a week: silent for 12 weeks, a step of .5 sd is found within a week', () => {
    const random = createRandom(168);
    const runs = scale(2, 60);
    let findings = 0;
    let found = 0;
    for (let run = 0; run < runs; run += 1) {
      const week = new Week(random, 24);
      for (let window = 0; window < 12 * week.period; window += 1) if (week.next()) findings += 1;
      for (let window = 0; window < week.period; window += 1) {
        if (!week.next(0.5)) continue;
        found += 1;
        break;
      }
    }
    const expected = (runs * 12 * 168) / BUDGET;
    assert.ok(
      findings <= scale(0, expected + 3 * Math.sqrt(expected)),
      `${findings} findings in ${runs} runs`,
    );
    assert.ok(found >= 0.85 * runs, `${found} of ${runs}`);
  });

  it('days of a week, means of 500 rows: silent for 12 weeks, a step of .5 sd of the rows is found within a week', () => {
    const random = createRandom(7);
    const runs = scale(20, 1000);
    let findings = 0;
    for (let run = 0; run < runs; run += 1) {
      const week = new Week(random, 1);
      for (let window = 0; window < 12 * 7; window += 1) if (week.next()) findings += 1;
      const found = Array.from({ length: 7 }, () => week.next(0.5 * Math.sqrt(500)));
      assert.ok(found.includes(true), `run ${run}`);
    }
    const expected = (runs * 12 * 7) / BUDGET;
    assert.ok(
      findings <= scale(0, expected + 3 * Math.sqrt(expected)),
      `${findings} findings in ${runs} runs`,
    );
  });

  it('without the phase the same stream hides the step in its rhythm', () => {
    const random = createRandom(5);
    const week = new Week(random, 24);
    for (let window = 0; window < 6 * week.period; window += 1) week.next();
    const known = scoreSeasonal(week.values, week.period);
    assert.ok(known.state === 'known' && Math.abs(known.spread - 1) < 0.25, JSON.stringify(known));
    // A period that is not the stream's: what differs between phases becomes its noise.
    const wrong = scoreSeasonal(week.values, 13);
    assert.ok(wrong.state === 'known' && wrong.spread > 1.8, JSON.stringify(wrong));
  });

  it('one odd week and missing windows do not move the baseline', () => {
    const random = createRandom(9);
    const steady = Array.from({ length: 70 }, () => random.normal());
    const odd: (number | null)[] = steady.map((value, i) => (i >= 35 && i < 42 ? value + 50 : value));
    odd[10] = null;
    odd[60] = null;
    const plain = scoreSeasonal([...steady, 0], 7);
    const shaken = scoreSeasonal([...odd, 0], 7);
    assert.ok(plain.state === 'known' && shaken.state === 'known');
    assert.ok(Math.abs(plain.centre - shaken.centre) < 0.6 && shaken.spread < 1.6 * plain.spread);
    assert.ok(shaken.p > 0.01);
  });

  it('says what it waits for, and never gives a number before', () => {
    const reasons = [
      [1],
      Array.from({ length: 15 }, (_, i) => i % 3),
      Array.from({ length: 70 }, () => 4),
    ].map((values) => {
      const scored = scoreSeasonal(values, 7);
      return scored.state === 'insufficient' ? scored.reason : 'a number';
    });
    assert.match(reasons[0]!, /^Fewer than 2 windows at this phase/);
    assert.match(reasons[1]!, /^0 windows that could be compared with their phase, at least 20/);
    assert.match(reasons[2]!, /does not vary/);
  });
});
