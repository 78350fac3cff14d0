import assert from 'node:assert/strict';
import { BSON } from 'mongodb';
import * as fc from 'fast-check';
import { packState, unpackState } from '../../../../src/platform/monitors/packed.js';
import type { ShareWatch } from '../../../../src/statistics/drift/share-watch.js';
import { initialState } from '../../../../src/statistics/monitor/evaluate.js';
import type { DetectorState, FeatureWatch } from '../../../../src/statistics/monitor/types.js';
import { monitoring } from '../../../support/monitoring.js';
import { scale } from '../../../support/scale.js';

const number = fc.double({ noNaN: true });
const plain = { noNullPrototype: true } as const;
const shifts = fc.array(number, { minLength: 3, maxLength: 3 });
const share: fc.Arbitrary<ShareWatch> = fc.record(
  {
    value: fc.option(fc.string()),
    up: shifts,
    down: shifts,
    sums: fc.tuple(number, number),
    since: fc.nat(),
    windows: fc.nat(),
    hits: fc.nat(),
    rows: fc.nat(),
  },
  plain,
);
const watch: fc.Arbitrary<FeatureWatch> = fc
  .record(
    {
      name: fc.string(),
      state: fc.record({ up: fc.array(number), down: fc.array(number) }, plain),
      scores: fc.array(fc.option(number)),
      allowance: number,
      shares: fc.array(share, { maxLength: 6 }),
    },
    plain,
  )
  // A numeric feature has none.
  .map(({ shares, ...rest }) => (shares.length === 0 ? rest : { ...rest, shares }));
const sums = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()));
const errors = fc.record({ estimated: sums, measured: sums }, plain);
const state = fc
  .record(
    {
      times: fc.array(fc.nat()),
      watches: fc.record({ drift: fc.array(watch), prediction: fc.array(watch) }, plain),
      errors,
      history: fc.array(number),
      traffic: fc.record({ slots: sums, hours: sums }, plain),
    },
    plain,
  )
  .map(({ history, ...rest }): DetectorState => {
    const empty = initialState(monitoring(), 0);
    return { ...empty, ...rest, volume: { ...empty.volume, history } };
  });

/** As a database gives it back: in a buffer that something else came before in. */
const stored = <T extends object>(document: T): T => BSON.deserialize(BSON.serialize(document)) as T;

describe('A packed state', () => {
  it('is what it was, to the last bit', () => {
    fc.assert(
      fc.property(state, (given) => {
        assert.deepEqual(unpackState(stored(packState(given))), given);
      }),
      { seed: 20_261_128, numRuns: scale(100, 2_000) },
    );
  });

  it('of before errors were kept has none', () => {
    const { errors: _, ...given } = initialState(monitoring(), 0);
    assert.deepEqual(unpackState(stored(packState(given))), given);
  });

  it('of before there were packed ones is read as it is', () => {
    const given = initialState(monitoring(), 0);
    assert.deepEqual(unpackState(stored(given)), given);
  });
});
