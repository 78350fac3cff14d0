import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type Beat, sightOf, silenceAfter } from '../../../src/lifecycle/monitor-silence.js';

const NOW = 1_000_000_000;
const LIMIT = 300_000;
const DAY = 86_400_000;
const at = (shard: number, ago: number, sinceAgo = DAY): Beat => ({
  shard,
  since: NOW - sinceAgo,
  seenAt: NOW - ago,
});
const look = (beats: readonly Beat[], shard = 0, shards = 3) =>
  sightOf(beats, { shard, shards, limitMs: LIMIT, now: NOW });

describe('which monitors are silent', () => {
  it('five ticks, and five minutes at least', () => {
    assert.deepEqual([1, 60, 120].map(silenceAfter), [LIMIT, LIMIT, 600_000]);
  });

  it('those that have not been here for longer than that', () => {
    const sight = look([at(0, 60_000), at(1, LIMIT), at(2, LIMIT + 1)]);
    assert.deepEqual(sight, {
      silent: [{ shard: 2, seenAt: NOW - LIMIT - 1 }],
      allHere: false,
      unknown: [],
      fresh: [],
      awaySince: null,
    });
    assert.equal(look([at(0, 60_000), at(1, 60_000), at(2, 60_000)]).allHere, true);
  });

  it('who was away itself cannot say, until it has been here for as long', () => {
    const others = [at(1, DAY), at(2, DAY)];
    const back = look([at(0, DAY), ...others]);
    assert.deepEqual([back.silent, back.allHere, back.awaySince], [[], false, NOW - DAY]);
    assert.deepEqual(look([at(0, 60_000, LIMIT), ...others]).silent, []);
    assert.equal(look([at(0, 60_000, LIMIT + 1), ...others]).silent.length, 2);
    assert.deepEqual(look(others).silent, []);
    assert.equal(look(others).awaySince, null);
  });

  it('a stop of all of them that is just shorter: some had been here up to a tick sooner than who looks', () => {
    const sight = look([at(0, 275_000), at(1, 290_000), at(2, 305_000), at(3, 320_000)], 0, 4);
    assert.deepEqual([sight.silent, sight.allHere, sight.awaySince], [[], false, null]);
  });

  it('one that still ticks by longer settings is judged by those', () => {
    const slow = { ...at(1, 3_000_000), limitMs: 18_000_000 };
    assert.deepEqual(look([at(0, 60_000), slow, at(2, 60_000)]).silent, []);
    assert.equal(look([{ ...at(0, 3_000_000), limitMs: 18_000_000 }, at(1, 60_000)]).awaySince, null);
    assert.equal(
      look([at(0, 60_000), { ...slow, seenAt: NOW - 18_000_001 }, at(2, 60_000)]).silent.length,
      1,
    );
  });

  it('one that nobody has seen is not silent and not here', () => {
    const sight = look([at(0, 60_000), at(1, 60_000)]);
    assert.deepEqual([sight.silent, sight.allHere, sight.unknown, sight.fresh], [[], false, [2], [2]]);
    const isNew = look([at(0, 60_000), at(1, 60_000, 60_000), at(2, 60_000)]);
    assert.deepEqual([isNew.unknown, isNew.fresh, isNew.allHere], [[], [1], true]);
  });

  it('one of a larger number of monitors is nobody', () => {
    assert.equal(look([at(0, 60_000), at(1, 60_000), at(7, DAY)], 0, 2).allHere, true);
  });

  it('whoever looks: nobody is silent who was here in time, and all are here only if none is', () => {
    const beat = fc.record({
      ago: fc.integer({ min: 0, max: 2 * LIMIT }),
      more: fc.integer({ min: 0, max: DAY }),
    });
    fc.assert(
      fc.property(fc.array(beat, { minLength: 1, maxLength: 6 }), (all) => {
        const beats = all.map(({ ago, more }, shard) => at(shard, ago, ago + more));
        const sights = beats.map(({ shard }) => look(beats, shard, beats.length));
        for (const [shard, { silent, allHere }] of sights.entries()) {
          for (const one of silent) {
            assert.notEqual(one.shard, shard);
            assert.ok((all[one.shard]?.ago ?? 0) > LIMIT);
          }
          assert.ok(!allHere || silent.length === 0);
        }
        // Who has been here all the time misses everybody who was not.
        const [first] = all;
        if (first !== undefined && first.ago <= LIMIT / 2 && first.ago + first.more > 2 * LIMIT)
          assert.equal(
            sights[0]?.silent.length,
            all.filter(({ ago }, shard) => shard > 0 && ago > LIMIT).length,
          );
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});
