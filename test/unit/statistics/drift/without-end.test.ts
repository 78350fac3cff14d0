/** Prediction intervals from few chunks, the watch without end, its reference allowance, onsets. */
import assert from 'node:assert/strict';
import { estimateOnset } from '../../../../src/statistics/drift/onset.js';
import {
  addChunk,
  NO_CHUNKS,
  predictionInterval,
  scoreChunk,
  THREE_SIGMA,
  type Moments,
} from '../../../../src/statistics/drift/prediction.js';
import { midRankScore } from '../../../../src/statistics/drift/reference-score.js';
import {
  INITIAL_RUN_LENGTH,
  watchScore,
  type RunLengthRule,
} from '../../../../src/statistics/drift/run-length.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { NormalFeature, within } from './simulate.js';

/** Windows until the alarm, `most` if there is none by then. */
function runLength(rule: RunLengthRule, most: number, score: (window: number) => number | undefined): number {
  let state = INITIAL_RUN_LENGTH;
  for (let window = 1; window <= most; window += 1) {
    const value = score(window);
    if (value === undefined) continue;
    const watched = watchScore(state, rule, value);
    if (watched.look.alarm !== 'none') return window;
    state = watched.state;
  }
  return most;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** A chunk that the moments before it are enough for. */
function scoreOf(before: Moments, value: number): number | undefined {
  const scored = scoreChunk(before, value);
  return scored.state === 'known' ? scored.score : undefined;
}

describe('watching without end', () => {
  for (const chunks of [6, 10])
    it(`bounds from ${chunks} chunks let .27 % ± .1 out, mean ± 3 sd more than 2 %`, () => {
      const random = createRandom(chunks);
      const runs = scale(60_000, 1_000_000);
      let outside = 0;
      let naive = 0;
      for (let run = 0; run < runs; run += 1) {
        let moments = NO_CHUNKS;
        for (let i = 0; i < chunks; i += 1) moments = addChunk(moments, random.normal());
        const next = random.normal();
        const scored = scoreChunk(moments, next);
        if (scored.state === 'known' && scored.p <= THREE_SIGMA) outside += 1;
        if (Math.abs(next - moments.mean) > 3 * Math.sqrt(moments.squares / chunks)) naive += 1;
      }
      assert.ok(outside / runs >= 0.0017 && outside / runs <= 0.0037, `${outside} of ${runs}`);
      assert.ok(naive / runs > 0.02, `mean ± 3 sd: ${naive} of ${runs}`);
    });

  it('an interval and a p-value say the same', () => {
    const random = createRandom(1);
    for (let run = 0; run < 200; run += 1) {
      const values = Array.from({ length: 3 + (run % 9) }, () => random.normal());
      const interval = predictionInterval(values, 0.05);
      const next = 3 * random.normal();
      const scored = scoreChunk(values.reduce(addChunk, NO_CHUNKS), next);
      assert.ok(interval.state === 'known' && scored.state === 'known');
      assert.equal(scored.p < 0.05, next < interval.low || next > interval.high);
    }
  });

  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;

  for (const windows of [50, 400])
    it(`nothing changed: a false alarm after ${windows} windows or more on average`, () => {
      const random = createRandom(windows);
      const lengths = Array.from({ length: scale(200, 4_000) }, () =>
        runLength({ windowsBetweenFalseFindings: windows }, 100 * windows, () => random.normal()),
      );
      assert.ok(mean(lengths) >= windows, `${mean(lengths)}`);
    });

  it('the same from the fourth chunk on, mean and spread unknown', () => {
    const random = createRandom(8);
    const lengths = Array.from({ length: scale(150, 2_000) }, () => {
      let moments = NO_CHUNKS;
      return runLength({ windowsBetweenFalseFindings: 100 }, 10_000, () => {
        const value = 40 + 7 * random.normal();
        const before = moments;
        moments = addChunk(moments, value);
        return scoreOf(before, value);
      });
    });
    assert.ok(mean(lengths) >= 100, `${mean(lengths)}`);
  });

  it('a shift of 1 sd of a score at window 901 is found as soon as at window 11', () => {
    const delays = (random: Random, before: number): number[] =>
      Array.from({ length: scale(80, 1_000) }, () => {
        let state = INITIAL_RUN_LENGTH;
        const rule = { windowsBetweenFalseFindings: 17_520 };
        for (let i = 0; i < before; i += 1) state = watchScore(state, rule, random.normal()).state;
        for (let delay = 1; ; delay += 1) {
          const watched = watchScore(state, rule, 1 + random.normal());
          if (watched.look.alarm !== 'none') return delay;
          state = watched.state;
        }
      });
    const early = median(delays(createRandom(21), 10));
    const late = median(delays(createRandom(22), 900));
    assert.ok(early >= 10 && early <= 30, `early ${early}`);
    assert.ok(late <= early + 4, `late ${late}, early ${early}`);
  });

  it('a fixed reference of few rows: the allowance holds the run length, without it nearly every model alarms', () => {
    const models = scale(40, 400);
    const windows = 200;
    const alarms = (allow: boolean): number => {
      const random = createRandom(4);
      let count = 0;
      for (let model = 0; model < models; model += 1) {
        const feature = new NormalFeature(random, 1000);
        const shares = feature.shares();
        const allowance = midRankScore(feature.window(500, shares), 0.001)!.allowance;
        const rule = { windowsBetweenFalseFindings: 2000, ...(allow ? { allowance } : {}) };
        const length = runLength(
          rule,
          windows,
          () => midRankScore(feature.window(500, shares), 0.001)!.score,
        );
        if (length < windows) count += 1;
      }
      return count / models;
    };
    assert.ok(alarms(true) <= within(windows / 2000, models).high, `${alarms(true)}`);
    assert.ok(alarms(false) > 0.5, `without: ${alarms(false)}`);
  });

  it('a shift of .15 sd of the rows, which hardly any window shows alone, is found within weeks of hours', () => {
    const random = createRandom(31);
    const lengths = Array.from({ length: scale(15, 200) }, () => {
      const feature = new NormalFeature(random, 5000);
      const shares = feature.shares(0.15);
      const { allowance } = midRankScore(feature.window(500, shares), 0.001)!;
      const rule = { windowsBetweenFalseFindings: 2 * 17_520 * 20, allowance };
      return runLength(rule, 500, () => midRankScore(feature.window(500, shares), 0.001)!.score);
    });
    assert.ok(median(lengths) <= 40, lengths.join(' '));
    assert.ok(Math.max(...lengths) <= 336, lengths.join(' '));
  });

  it('an onset is found, and its range of 95 % holds the truth in at least 92 %', () => {
    const random = createRandom(6);
    const runs = scale(400, 10_000);
    for (const [shift, since] of [
      [0.5, 60],
      [1, 20],
      [2, 5],
      [-4, 5],
    ] as const) {
      let held = 0;
      const errors: number[] = [];
      for (let run = 0; run < runs; run += 1) {
        const scores = Array.from(
          { length: 100 + since },
          (_, i) => random.normal() + (i >= 100 ? shift : 0),
        );
        const onset = estimateOnset(scores);
        if (onset.earliest <= 100 && 100 <= onset.latest) held += 1;
        errors.push(Math.abs(onset.index - 100));
        assert.ok(onset.earliest <= onset.index && onset.index <= onset.latest);
      }
      assert.ok(held / runs >= within(0.94, runs).low, `${shift} for ${since}: ${held} of ${runs}`);
      assert.ok(median(errors) <= (Math.abs(shift) < 1 ? 10 : 3), `${shift}: ${median(errors)}`);
    }
  });

  it('a state is plain JSON, and an alarm starts anew', () => {
    const rule = { windowsBetweenFalseFindings: 100 };
    const once = watchScore(INITIAL_RUN_LENGTH, rule, -1.5);
    assert.deepEqual(JSON.parse(JSON.stringify(once.state)), once.state);
    const alarm = watchScore(once.state, rule, -30);
    assert.equal(alarm.look.alarm, 'down');
    assert.ok(Number.isFinite(alarm.look.lnE) && alarm.look.lnE >= alarm.look.threshold);
    assert.deepEqual(alarm.state, INITIAL_RUN_LENGTH);
    assert.equal(watchScore(once.state, rule, 30).look.alarm, 'up');
  });
});
