/** Traffic that stays away, comes back, or stays at another level. */
import assert from 'node:assert/strict';
import type { MonitoringSettings } from '../../../../src/contracts/monitoring.js';
import { lastingStretches } from '../../../../src/statistics/monitor/usual.js';
import { monitoring } from '../../../support/monitoring.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { Monitored } from './made-model.js';

type Rhythm = (hour: number) => number;

/** For each request that is usual so many may send one: nearly a Poisson law. */
const USERS = 100;

/** Requests of a model, hour by hour, that vary as counts do. */
class Traffic {
  readonly monitored: Monitored;
  readonly #rhythm: Rhythm;
  readonly #random: Random;
  #hour = 0;

  constructor(seed: number, rhythm: Rhythm, settings: Partial<MonitoringSettings> = {}) {
    this.#random = createRandom(seed);
    this.#rhythm = rhythm;
    this.monitored = new Monitored(null, settings);
  }

  /** @param level of what the rhythm says */
  hours(count: number, level = 1): this {
    for (let i = 0; i < count; i += 1) {
      const users = Math.round(USERS * level * this.#rhythm(this.#hour));
      this.monitored.hour({ requests: this.#random.binomial(users, 1 / USERS) });
      this.#hour += 1;
    }
    return this;
  }

  get cleared(): readonly string[] {
    return this.monitored.cleared.map(({ cause }) => cause);
  }

  get told(): readonly string[] {
    return this.monitored.found.map(({ severity }) => severity);
  }

  /** Hours until the cause is over. */
  untilCleared(level: number, most: number): number {
    const before = this.cleared.length;
    let hours = 0;
    while (this.cleared.length === before && hours < most) {
      this.hours(1, level);
      hours += 1;
    }
    return hours;
  }
}

const plain: Rhythm = () => 400;
const daily: Rhythm = (hour) => (hour % 24 > 7 && hour % 24 < 18 ? 400 : 60);
/** Nearly nobody comes at night. */
const quiet: Rhythm = (hour) => (hour % 24 > 7 && hour % 24 < 18 ? 400 : hour % 24 > 4 ? 2 : 0);
const weekly: Rhythm = (hour) => (hour % 168 < 120 ? daily(hour) : 30);

const RHYTHMS = [
  { season: 'none', rhythm: plain, before: [12, 24, 100], name: 'no rhythm' },
  { season: 'day', rhythm: daily, before: [8 * 24, 30 * 24], name: 'a day' },
  { season: 'day', rhythm: quiet, before: [8 * 24, 30 * 24], name: 'a day with a quiet night' },
  { season: 'week', rhythm: weekly, before: [3 * 168, 12 * 168], name: 'a week' },
] as const;

describe('An outage of the traffic', () => {
  for (const { season, rhythm, before, name } of RHYTHMS)
    for (const normal of before)
      it(`after ${normal} hours, with the rhythm of ${name}, is open as long as nothing comes, told once, and over when it is`, () => {
        const traffic = new Traffic(11, rhythm, { season });
        traffic.hours(normal);
        assert.deepEqual(traffic.told, []);
        traffic.hours(200, 0);
        assert.deepEqual([traffic.told, traffic.cleared], [['critical'], []]);
        // A night in which two requests are usual says nothing.
        assert.ok(traffic.untilCleared(1, 24) <= (rhythm === quiet ? 16 : 3));
        traffic.hours(48);
        assert.deepEqual([traffic.told, traffic.cleared], [['critical'], ['traffic']]);
      });

  for (const { season, rhythm, name } of RHYTHMS)
    it(`of a third of a year, with the rhythm of ${name}, is over when it is, and what is remembered stays small`, () => {
      const traffic = new Traffic(4, rhythm, { season });
      traffic.hours(6 * 168).hours(120 * 24, 0);
      assert.deepEqual([traffic.told, traffic.cleared], [['critical'], []]);
      assert.ok(JSON.stringify(traffic.monitored.state).length < 20_000);
      traffic.hours(48);
      assert.deepEqual([traffic.told, traffic.cleared], [['critical'], ['traffic']]);
      // What was usual before it is usual still, and the next outage is seen.
      traffic.hours(200).hours(24, 0);
      assert.deepEqual(traffic.told, ['critical', 'critical']);
    });

  it('is not over by single requests, however long they are all that comes', () => {
    const traffic = new Traffic(2, plain);
    traffic.hours(24);
    for (let hour = 0; hour < 1_000; hour += 1) traffic.monitored.hour({ requests: hour % 2 });
    assert.deepEqual([traffic.told, traffic.cleared], [['critical'], []]);
  });

  it('leaves no wrong phases behind when a rhythm is set later: everything begins anew', () => {
    const traffic = new Traffic(3, plain);
    traffic.hours(100).hours(10, 0).hours(20);
    const { state, at } = traffic.monitored;
    assert.ok(state!.volume.history.length > 100);
    const other = new Monitored(null, { season: 'day' }, at);
    other.state = state;
    for (let hour = 0; hour < 3; hour += 1) other.hour({ requests: 400 });
    assert.deepEqual(other.state?.volume.history, [400, 400, 400]);
  });

  it('is known for one in a state that was stored before it was told apart', () => {
    const traffic = new Traffic(3, plain);
    traffic.hours(24);
    const { lasting: _l, few: _f, season: _s, ...volume } = traffic.monitored.state!.volume;
    traffic.monitored.state = { ...traffic.monitored.state!, volume };
    assert.deepEqual(traffic.hours(50, 0).cleared, []);
    assert.deepEqual(traffic.hours(3).cleared, ['traffic']);
  });
});

describe('Traffic of few requests', () => {
  it('is not found odd by the luck of a few more often than the budget allows, at night or all day', () => {
    const hours = scale(40, 200) * 168;
    for (const [season, rhythm] of [
      ['day', quiet],
      ['none', () => 5],
      ['none', () => 10],
    ] as const) {
      const traffic = new Traffic(12, rhythm, { season, falseFindingSeconds: 1_000 * 3_600 });
      const { told } = traffic.hours(hours);
      // A tenth of the budget is the traffic's; five sd of luck.
      const allowed = hours / 10_000;
      assert.ok(told.length <= allowed + 5 * Math.sqrt(allowed), `${told.length}, ${allowed} allowed`);
    }
  });

  it('that stays away is an outage by what hours add up to, and is over when enough were to be expected again', () => {
    const traffic = new Traffic(13, () => 10);
    traffic.hours(200);
    traffic.hours(8, 0);
    assert.deepEqual(traffic.told, ['critical']);
    traffic.hours(200, 0);
    assert.deepEqual(traffic.cleared, []);
    // Ten an hour: fifty are usual in five or six hours, three times in a row.
    const hours = traffic.untilCleared(1, 100);
    assert.ok(hours >= 15 && hours <= 24, `${hours} hours`);
    assert.deepEqual(traffic.told, ['critical']);
  });
});

describe('Another level of the traffic', () => {
  it('is the usual one after a week, two periods and 20 stretches at least', () => {
    assert.equal(lastingStretches(monitoring()), 168);
    assert.equal(lastingStretches(monitoring({ season: 'day' })), 168);
    assert.equal(lastingStretches(monitoring({ season: 'week' })), 2 * 168 + 20);
    assert.equal(lastingStretches(monitoring({ windowSeconds: 300 })), 12 * 168);
    assert.equal(lastingStretches(monitoring({ windowSeconds: 86_400 })), 20);
    assert.equal(lastingStretches(monitoring({ windowSeconds: 86_400, season: 'week' })), 34);
  });

  for (const { season, rhythm, before, name } of RHYTHMS)
    for (const level of [0.4, 3])
      it(`of ${level} times as much, with the rhythm of ${name}: the incident is over then, and what is usual now is watched`, () => {
        const traffic = new Traffic(5, rhythm, { season });
        traffic.hours(before.at(-1)!);
        const lasting = lastingStretches(traffic.monitored.settings);
        const { clearWindows } = traffic.monitored.settings.incidents;
        const hours = traffic.untilCleared(level, 3 * lasting);
        // Only hours with requests count, and of a night or a weekend several have to be taken together.
        const most = rhythm === plain ? clearWindows : rhythm === quiet ? lasting : 24;
        assert.ok(hours >= lasting + clearWindows && hours <= lasting + most, `${hours} hours`);
        assert.deepEqual([traffic.told, traffic.cleared], [['warning'], ['traffic']]);
        traffic.hours(3 * 168, level);
        assert.deepEqual(traffic.told, ['warning']);
        traffic.hours(24, 0);
        assert.deepEqual(traffic.told, ['warning', 'critical']);
      });

  it('of just half as much does not come and go', () => {
    for (let seed = 1; seed <= scale(5, 50); seed += 1) {
      const traffic = new Traffic(seed, plain);
      traffic.hours(100).hours(400, 0.49);
      assert.deepEqual([traffic.told, traffic.cleared], [['warning'], ['traffic']], `seed ${seed}`);
    }
  });

  it('with windows of five minutes, a week of which is more than what is remembered', () => {
    const traffic = new Traffic(6, plain, { windowSeconds: 300 });
    traffic.hours(100);
    assert.equal(traffic.untilCleared(0.3, 3_000), 12 * 168 + 3);
    traffic.hours(300, 0.3);
    assert.deepEqual(traffic.told, ['warning']);
  });

  it('with outages between: hours without requests are not counted, and are no usual ones', () => {
    const traffic = new Traffic(7, plain);
    traffic.hours(100);
    for (let day = 0; day < 7; day += 1) traffic.hours(18, 0.4).hours(6, 0);
    assert.deepEqual(traffic.cleared, []);
    traffic.hours(2 * 24, 0.4);
    assert.deepEqual(traffic.cleared, ['traffic']);
    assert.deepEqual(traffic.hours(1, 0).told.at(-1), 'critical');
  });

  it('that goes back before it has lasted changes nothing', () => {
    const traffic = new Traffic(8, daily, { season: 'day' });
    traffic
      .hours(20 * 24)
      .hours(100, 0.3)
      .hours(3);
    assert.deepEqual(traffic.cleared, ['traffic']);
    traffic.hours(24 * 20);
    assert.deepEqual(traffic.told, ['warning']);
  });
});
