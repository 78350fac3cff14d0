/** The whole evaluator, by simulation: false findings within the budget, real shifts found at once. */
import assert from 'node:assert/strict';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { within } from '../drift/simulate.js';
import { latencyOf, MadeModel, Monitored } from './made-model.js';

const HOUR_SECONDS = 3600;
/** The budget at which 90 windows may have a finding in 5 % of runs. */
const BUDGET = 90 / 0.05;

describe('all monitors of a model', () => {
  it('20 features, 90 windows, nothing drifted: any finding in at most 5 % of runs; .3 sd in 3 features in the same or the next window', () => {
    const random = createRandom(2026);
    const runs = scale(3, 300);
    let any = 0;
    let found = 0;
    let named = 0;
    for (let run = 0; run < runs; run += 1) {
      const model = new MadeModel(random, 20);
      const monitored = new Monitored(model.profile, { falseFindingSeconds: BUDGET * HOUR_SECONDS });
      for (let window = 0; window < 90; window += 1) {
        monitored.hour({
          features: model.counts({ labels: 'as-scored' }),
          latency: latencyOf(random, 60, 10),
          requests: 500 + Math.round(20 * random.normal()),
          bad: random.binomial(500, 0.005),
        });
      }
      if (monitored.found.length > 0) any += 1;
      const before = monitored.found.length;
      for (let window = 0; window < 2 && monitored.found.length === before; window += 1)
        monitored.hour({ features: model.counts({ means: { 3: 0.3, 7: 0.3, 11: 0.3 } }), requests: 500 });
      const finding = monitored.found.slice(before).find(({ kind }) => kind === 'data-drift');
      if (finding !== undefined) found += 1;
      const names = finding?.features.map(({ name }) => name) ?? [];
      assert.ok(
        names.every((name) => ['f3', 'f7', 'f11'].includes(name)),
        names.join(),
      );
      named += names.length;
    }
    assert.ok(any / runs <= within(0.05, runs).high, `${any} of ${runs} runs`);
    assert.equal(found, runs);
    assert.ok(named / runs > 2, `${named / runs} of 3 features`);
  });
});
