/** Nothing changed: how often the tests say otherwise. */
import assert from 'node:assert/strict';
import { chiSquare } from '../../../../src/statistics/drift/chi-square.js';
import {
  jensenShannon,
  jensenShannonThreshold,
  psi,
  psiTest,
  psiThreshold,
} from '../../../../src/statistics/drift/distances.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { multinomial, NormalFeature, within } from './simulate.js';

describe('false alarms of the two-sample tests', () => {
  const shares = [0.4, 0.25, 0.2, 0.1, 0.05];
  const runs = scale(2_000, 50_000);
  for (const rows of [200, 500, 1000])
    it(`chi-square at 5 %, five categories, ${rows} rows a side: 3.5 to 6.5 %`, () => {
      const random = createRandom(rows);
      let alarms = 0;
      for (let run = 0; run < runs; run += 1) {
        const { p } = chiSquare({
          reference: multinomial(random, rows, shares),
          window: multinomial(random, rows, shares),
        });
        if (p <= 0.05) alarms += 1;
      }
      assert.ok(alarms / runs >= 0.035 && alarms / runs <= 0.065, `${alarms} of ${runs}`);
    });

  it('far out, the larger of Pearson and likelihood ratio holds where Pearson alone does not', () => {
    const random = createRandom(17);
    const level = 1e-3;
    const many = scale(60_000, 2_000_000);
    let pearson = 0;
    let larger = 0;
    for (let run = 0; run < many; run += 1) {
      const found = chiSquare({
        reference: multinomial(random, 5000, [0.01, 0.99]),
        window: multinomial(random, 500, [0.01, 0.99]),
      });
      if (found.p <= level) pearson += 1;
      if (Math.max(found.p, found.likelihoodRatioP) <= level) larger += 1;
    }
    const { high } = within(level, many);
    assert.ok(pearson / many > high, `Pearson: ${pearson} of ${many}`);
    assert.ok(larger / many <= high, `larger of both: ${larger} of ${many}`);
  });

  // The pairs at which a fixed .1 is passed by 0 % to 100 % of windows without drift.
  for (const [n, m, bins, fixed] of [
    [1001, 50, 20, 'most'],
    [1001, 100, 20, 'most'],
    [1001, 200, 20, 'most'],
    [500, 500, 20, 'some'],
    [1000, 100, 20, 'most'],
    [5000, 1000, 20, 'none'],
  ] as const)
    it(`PSI at 1 %, ${n} and ${m} rows in ${bins} bins: at most 1.5 %; ${fixed} pass .1`, () => {
      const random = createRandom(n + m);
      const many = scale(n > 2000 ? 300 : 800, 20_000);
      let alarms = 0;
      let passed = 0;
      for (let run = 0; run < many; run += 1) {
        const feature = new NormalFeature(random, n, bins);
        const counts = feature.window(m, feature.shares());
        const found = psiTest(counts);
        const over = found.psi > psiThreshold({ reference: n, window: m }, found.bins, 0.01);
        assert.equal(found.p < 0.01, over);
        if (over) alarms += 1;
        if (psi(counts) > 0.1) passed += 1;
      }
      assert.ok(alarms / many <= within(0.015, many).high, `${alarms} of ${many}`);
      const share = passed / many;
      assert.ok(
        fixed === 'most' ? share > 0.5 : fixed === 'none' ? share < 0.01 : share < 0.5,
        `.1: ${share}`,
      );
    });

  it('Jensen-Shannon by the same law', () => {
    const random = createRandom(5);
    const rows = { reference: 2000, window: 1000 };
    const threshold = jensenShannonThreshold(rows, 5, 0.05);
    let alarms = 0;
    for (let run = 0; run < runs; run += 1) {
      const counts = {
        reference: multinomial(random, rows.reference, shares),
        window: multinomial(random, rows.window, shares),
      };
      if (jensenShannon(counts, 'e').divergence > threshold) alarms += 1;
    }
    const { low, high } = within(0.05, runs);
    assert.ok(alarms / runs >= low && alarms / runs <= high, `${alarms} of ${runs}`);
  });
});
