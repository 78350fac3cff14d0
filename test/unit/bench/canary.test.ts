import assert from 'node:assert/strict';
import { CRITICAL, passesKayenta, plannedTest } from '../../../bench/canary/fixed.js';
import { inPercent, quantileOf, shareOf } from '../../../bench/canary/monte-carlo.js';
import { Draw, inBursts, steady } from '../../../bench/canary/population.js';
import { looksOf, watch } from '../../../bench/canary/sequential.js';

describe('simulated canaries of the bench', () => {
  it('draws the configured share and rates, the same by the same seed', () => {
    const { candidate, champion } = new Draw(5, steady(0.1, 0.03)).to(200_000);
    assert.ok(Math.abs(candidate.requests / 200_000 - 0.1) < 0.004, `${candidate.requests}`);
    assert.equal(candidate.requests + champion.requests, 200_000);
    assert.ok(Math.abs((candidate.bad[0] ?? 0) / candidate.requests - 0.03) < 0.006);
    assert.ok(Math.abs((champion.bad[0] ?? 0) / champion.requests - 0.01) < 0.001);
    assert.deepEqual(new Draw(5, steady(0.1, 0.03)).to(200_000), { candidate, champion });
  });

  it('bursts have the mean rate, all of it in a tenth of the stretches', () => {
    const draw = new Draw(6, inBursts(0.5, 0.03, 1_000));
    const bad = Array.from({ length: 400 }, (_, i) => draw.to(1_000 * (i + 1)).candidate);
    const rate = (all: typeof bad): number =>
      all.reduce((sum, { bad: [first = 0] }) => sum + first, 0) /
      all.reduce((sum, { requests }) => sum + requests, 0);
    assert.ok(Math.abs(rate(bad) - 0.03) < 0.002, `${rate(bad)}`);
    assert.ok(Math.abs(rate(bad.filter((_, i) => i % 10 === 4)) - 0.21) < 0.01);
    assert.ok(Math.abs(rate(bad.filter((_, i) => i % 10 !== 4)) - 0.01) < 0.002);
  });

  it('looks are spaced as the product spaces them', () => {
    assert.deepEqual([looksOf(0.1).length, looksOf(0.1)[0], looksOf(0.1).at(-1)], [57, 500, 100_000]);
    assert.equal(looksOf(0.5)[0], 100);
  });

  it('everybody finds gross harm; a healthy candidate stays', () => {
    const gross = watch(1, steady(0.5, 0.3), CRITICAL);
    assert.ok(gross.ours <= 300 && gross.naive <= 300, JSON.stringify(gross));
    assert.equal(plannedTest(1, steady(0.5, 0.3), 1_000), true);
    assert.equal(passesKayenta(1, steady(0.5, 0.3), 10_000, 10), false);
    assert.equal(watch(1, steady(0.5, 0.01), CRITICAL, 2_000).ours, Number.POSITIVE_INFINITY);
    assert.equal(plannedTest(1, steady(0.5, 0.01), 1_000), false);
    assert.equal(passesKayenta(1, steady(0.5, 0.01), 10_000, 10), true);
  });

  it('tells the error of a simulation', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => i + 1);
    assert.deepEqual(quantileOf(values, 0.5), { value: 500, low: 470, high: 531 });
    // Wilson's limits of 8 in 100.
    assert.equal(inPercent(shareOf(8, 100)), '8 % (4.11 % to 15 %)');
    assert.equal(inPercent(shareOf(0, 100)), '0 % (0 % to 3.7 %)');
  });
});
