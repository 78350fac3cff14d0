import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { BinFinder, binOf } from '../../../src/statistics/estimation/bins.js';
import { scale } from '../../support/scale.js';

describe('A finder of bins', () => {
  const value = fc.oneof(
    fc.double({ min: -10, max: 10, noNaN: true }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 5e-324, -Number.MAX_VALUE, Number.MAX_VALUE, 0.1, 0.3),
  );

  it('finds what a search among all cuts finds, at every cut and in every range', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 60 }), fc.boolean(), (drawn, wide) => {
        const rising = [...new Set(drawn.map((one) => one + 0))].sort((a, b) => a - b);
        const cuts = rising.slice(1);
        const least = wide ? -Number.MAX_VALUE : (rising[0] ?? 0);
        const most = wide ? Number.MAX_VALUE : (rising.at(-1) ?? 0);
        const finder = new BinFinder(cuts, least, most);
        const beside = rising.flatMap((one) => [one * (1 - Number.EPSILON), one * (1 + Number.EPSILON)]);
        for (const one of [...rising, ...beside, ...drawn, least, most])
          if (one >= least && one <= most) assert.equal(finder.of(one), binOf(cuts, one), String(one));
      }),
      { seed: 3, numRuns: scale(300, 10_000) },
    );
  });
});
