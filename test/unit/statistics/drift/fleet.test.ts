/** Many features, windows and models: false findings within the budget, real shifts found at once, early and late. */
import assert from 'node:assert/strict';
import {
  judgeWindow,
  WINDOW_DEFAULTS,
  type WindowRule,
} from '../../../../src/statistics/drift/judge-window.js';
import { midRankScore } from '../../../../src/statistics/drift/reference-score.js';
import { INITIAL_RUN_LENGTH, watchScore } from '../../../../src/statistics/drift/run-length.js';
import { type ShareWatch, watchShares } from '../../../../src/statistics/drift/share-watch.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { multinomial, NormalFeature, within } from './simulate.js';

const COLORS = [0.5, 0.25, 0.15, 0.08, 0.02];
const colorsOf = (counts: readonly number[]): Record<string, number> =>
  Object.fromEntries(counts.map((rows, i) => [`c${i}`, rows]));

/** Half of the budget for windows alone, half for what adds up over windows. */
class Model {
  readonly #features: readonly NormalFeature[];
  readonly #rule: WindowRule;
  readonly #still: readonly number[][];
  readonly #shifted: readonly number[][];
  readonly #random: Random;
  readonly #colors: Readonly<Record<string, number>>;
  #watches = new Map<number, typeof INITIAL_RUN_LENGTH>();
  #shares: readonly ShareWatch[] = [];

  constructor(random: Random, features: number, reference: number, windowsBetweenFalseFindings: number) {
    this.#random = random;
    this.#colors = colorsOf(multinomial(random, reference, COLORS));
    this.#features = Array.from({ length: features }, () => new NormalFeature(random, reference));
    this.#rule = { ...WINDOW_DEFAULTS, windowsBetweenFalseFindings: 2 * windowsBetweenFalseFindings };
    this.#still = this.#features.map((feature) => feature.shares());
    this.#shifted = this.#features.map((feature) => feature.shares(0.3));
  }

  /** Whether a window of 500 rows gives a finding, the first `drifted` features being shifted by .3 sd. */
  finds(drifted = 0): boolean {
    const counts = this.#features.map((feature, i) =>
      feature.counts(500, (i < drifted ? this.#shifted : this.#still)[i]!),
    );
    const colors = { reference: this.#colors, window: colorsOf(multinomial(this.#random, 500, COLORS)) };
    const features = Object.fromEntries(counts.map((one, i) => [`f${i}`, one]));
    const { verdict } = judgeWindow({ ...features, color: { kind: 'categorical', ...colors } }, this.#rule);
    let found = verdict === 'drift' || verdict === 'significant-immaterial';
    const parts = this.#rule.windowsBetweenFalseFindings * (counts.length + 1);
    counts.forEach((one, i) => {
      if (one.kind !== 'numeric') return;
      const scored = midRankScore(one, 0.001)!;
      const rule = {
        windowsBetweenFalseFindings: parts,
        allowance: scored.allowance,
      };
      const watched = watchScore(this.#watches.get(i) ?? INITIAL_RUN_LENGTH, rule, scored.score);
      this.#watches.set(i, watched.state);
      if (watched.look.alarm !== 'none') found = true;
    });
    const rule = { windowsBetweenFalseFindings: parts, alpha: 0.001, from: 0 };
    const { state, alarm } = watchShares(this.#shares, rule, colors);
    this.#shares = state;
    return found || alarm !== null;
  }
}

describe('a fleet that is watched without end', () => {
  it('20 features, 90 windows, a fixed reference: any finding in at most 5 % of runs; .3 sd in 3 features in the same or the next window', () => {
    const random = createRandom(90);
    const runs = scale(6, 600);
    // The budget at which 90 windows may have a finding in 5 % of runs; the default budget is ten times stricter.
    const budget = 90 / 0.05;
    let any = 0;
    let found = 0;
    for (let run = 0; run < runs; run += 1) {
      const model = new Model(random, 20, 5000, budget);
      let findings = 0;
      for (let window = 0; window < 90; window += 1) if (model.finds()) findings += 1;
      if (findings > 0) any += 1;
      if (model.finds(3) || model.finds(3)) found += 1;
    }
    assert.ok(any / runs <= within(0.05, runs).high, `${any} of ${runs} runs`);
    assert.equal(found, runs);
  });

  it('hourly windows at two model-years: false findings within the budget, a shift found at window 900 as at window 10', () => {
    const random = createRandom(17_520);
    const models = scale(2, 2000);
    const windows = 1000;
    const budget = WINDOW_DEFAULTS.windowsBetweenFalseFindings;
    let findings = 0;
    const found = { early: 0, late: 0 };
    for (let i = 0; i < models; i += 1) {
      const model = new Model(random, 4, 5000, budget);
      for (let window = 1; window <= windows; window += 1) {
        if (model.finds()) findings += 1;
        if (window === 10 && probe(random, budget, 10)) found.early += 1;
        if (window === 900 && (model.finds(3) || model.finds(3))) found.late += 1;
      }
    }
    const expected = (models * windows) / budget;
    assert.ok(
      findings <= expected + 3 * Math.sqrt(expected) + 1,
      `${findings} findings, ${expected} allowed`,
    );
    assert.deepEqual(found, { early: models, late: models });
  });
});

function probe(random: Random, budget: number, windows: number): boolean {
  const model = new Model(random, 4, 5000, budget);
  for (let window = 1; window < windows; window += 1) model.finds();
  return model.finds(3) || model.finds(3);
}
