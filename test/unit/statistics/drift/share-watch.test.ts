import assert from 'node:assert/strict';
import { isShareAway, type ShareWatch, watchShares } from '../../../../src/statistics/drift/share-watch.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { multinomial } from './simulate.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** Two common values, rare ones, and one of two in a thousand. */
const SHARES = [0.4, 0.3, 0.15, 0.08, 0.04, 0.02, 0.008, 0.002];
const HOUR = 3_600_000;

const named = (counts: readonly number[]): Record<string, number> =>
  Object.fromEntries(counts.map((count, i) => [NAMES[i]!, count]));
/** `by` of the rows go from `a` to `b`. */
const moved = (by: number): number[] => SHARES.map((share, i) => share + (i === 0 ? -by : i === 1 ? by : 0));

class Watched {
  readonly reference: Record<string, number>;
  readonly #random: Random;
  readonly #rule;
  state: readonly ShareWatch[] = [];
  windows = 0;

  constructor(random: Random, windowsBetweenFalseFindings: number, reference = 5_000) {
    this.#random = random;
    this.#rule = { windowsBetweenFalseFindings, alpha: 0.001 };
    this.reference = named(multinomial(random, reference, SHARES));
  }

  window(shares: readonly number[] = SHARES, rows = 500) {
    const counts = { reference: this.reference, window: named(multinomial(this.#random, rows, shares)) };
    const look = watchShares(this.state, { ...this.#rule, from: this.windows * HOUR }, counts);
    this.state = JSON.parse(JSON.stringify(look.state)) as ShareWatch[];
    this.windows += 1;
    return { ...look, away: isShareAway(this.state, this.#rule, counts, 2) };
  }
}

describe('the watch of categories', () => {
  it('alarms falsely no sooner than asked, on average, whatever the reference', () => {
    const random = createRandom(44);
    const [runs, asked, windows] = [scale(20, 2_000), 100, 200];
    let alarms = 0;
    for (let run = 0; run < runs; run += 1) {
      const watched = new Watched(random, asked);
      for (let i = 0; i < windows; i += 1) if (watched.window().alarm !== null) alarms += 1;
    }
    const allowed = (runs * windows) / asked;
    assert.ok(alarms <= allowed + 3 * Math.sqrt(allowed), `${alarms} alarms, ${allowed} allowed`);
  });

  it('is exact in counts: with a reference that is known well, alarms come no sooner either', () => {
    const random = createRandom(45);
    const [runs, asked, windows] = [scale(20, 2_000), 50, 100];
    let alarms = 0;
    for (let run = 0; run < runs; run += 1) {
      const watched = new Watched(random, asked, 10_000_000);
      for (let i = 0; i < windows; i += 1) if (watched.window(SHARES, 50).alarm !== null) alarms += 1;
    }
    const allowed = (runs * windows) / asked;
    assert.ok(alarms <= allowed + 3 * Math.sqrt(allowed), `${alarms} alarms, ${allowed} allowed`);
    if (scale(0, 1) === 1) assert.ok(alarms > 0, 'so careful that it never alarms');
  });

  it('finds a small change that stays, as well after 900 windows as after 10, and says of what, by how much and since when', () => {
    const random = createRandom(46);
    for (const before of [10, 900]) {
      const delays: number[] = [];
      for (let run = 0; run < scale(6, 100); run += 1) {
        const watched = new Watched(random, 17_520);
        for (let i = 0; i < before; i += 1) watched.window();
        let alarm = null;
        while (alarm === null && watched.windows < before + 60) alarm = watched.window(moved(0.07)).alarm;
        assert.ok(alarm !== null, `not found in 60 windows, run ${run}`);
        assert.ok(
          (alarm.value === 'a' && alarm.direction === 'down') ||
            (alarm.value === 'b' && alarm.direction === 'up'),
          JSON.stringify(alarm),
        );
        assert.ok(Math.abs(Math.abs(alarm.change) - 0.07) < 5 * alarm.sd, JSON.stringify(alarm));
        assert.ok(alarm.since >= (before - 20) * HOUR, JSON.stringify(alarm));
        delays.push(watched.windows - before);
      }
      const median = delays.sort((a, b) => a - b)[Math.floor(delays.length / 2)]!;
      assert.ok(median <= 15, `${median} windows`);
    }
  });

  it('says whether a share is still away, and is at rest when it is not', () => {
    const watched = new Watched(createRandom(47), 1e9);
    for (let i = 0; i < 5; i += 1) watched.window();
    let away = false;
    for (let i = 0; i < 20; i += 1) ({ away } = watched.window(moved(0.1)));
    assert.equal(away, true);
    for (let i = 0; i < 300; i += 1) ({ away } = watched.window());
    assert.equal(away, false);
  });

  it('refuses what is no count, and watches a value that the reference never had', () => {
    const rule = { windowsBetweenFalseFindings: 100, alpha: 0.001, from: 0 };
    assert.throws(
      () => watchShares([], rule, { reference: { a: Number.NaN }, window: { a: 1 } }),
      RangeError,
    );
    const counts = { reference: { a: 1_000 }, window: { a: 90, z: 10 } };
    const { alarm } = watchShares([], { ...rule, windowsBetweenFalseFindings: 2 }, counts);
    assert.deepEqual([alarm?.value, alarm?.direction], [null, 'up']);
    const own = watchShares([], rule, {
      reference: { a: 500, b: 500 },
      window: { constructor: 5, a: 50, b: 50 },
    });
    assert.ok(Number.isFinite(own.lnE));
  });
});
