import assert from 'node:assert/strict';
import type { CanaryCounts, RecordedLook } from '../../../../src/contracts/canary.js';
import { initialJudge, judge, recompute } from '../../../../src/statistics/canary/index.js';
import { sortedJson } from '../../../../src/statistics/canary/recompute.js';
import { moment, PLAN, simulated } from './made.js';

const history = { errors: { bad: 210, keys: 20_000 }, slow: { bad: 900, keys: 20_000 } };

function recorded(looks: readonly CanaryCounts[]): RecordedLook[] {
  let state = initialJudge(PLAN, history);
  return looks.map((c, i) => {
    const when = moment({ seconds: 60 * i });
    const next = judge(state, PLAN, c, when);
    state = next.state;
    return { counts: c, moment: when, look: next.look };
  });
}

/** As a store may give it back: the same values, keys in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reordered(inner)]),
  );
}

describe('canary looks recomputed from the record', () => {
  const all = [
    recorded(simulated(1, 0.1, { errors: [0.01, 0.01], slow: [0.05, 0.05] }, 100_000)),
    recorded(simulated(2, 0.5, { errors: [0.05, 0.01], slow: [0.05, 0.05] }, 20_000)),
    recorded([
      ...simulated(3, 0.1, { errors: [0.01, 0.01], slow: [0.05, 0.05] }, 5000),
      { generations: [], sampleRate: 1 },
      ...simulated(3, 0.1, { errors: [0.01, 0.01], slow: [0.05, 0.05] }, 50_000).slice(-2),
    ]),
  ];

  it('come out byte for byte, also from a store that reorders keys', () => {
    for (const looks of all) {
      const stored = reordered(JSON.parse(JSON.stringify(looks))) as RecordedLook[];
      const again = recompute(PLAN, history, stored);
      assert.deepEqual([again.same, again.firstDifference], [true, -1]);
      assert.equal(
        JSON.stringify(again.looks),
        JSON.stringify(looks.map((l) => l.look)),
        'without sorting too, from the same code',
      );
      assert.equal(sortedJson(again.looks), sortedJson(stored.map((l) => l.look)));
    }
  });

  it('show a changed verdict, a changed count and another history', () => {
    const [looks] = all;
    assert.ok(looks !== undefined);
    const changed = (i: number, change: Partial<RecordedLook>): RecordedLook[] =>
      looks.map((l, j) => (i === j ? { ...l, ...change } : l));
    const tenth = looks[10] ?? assert.fail();
    const forged = changed(10, { look: { ...tenth.look, verdict: 'promote' } });
    assert.equal(recompute(PLAN, history, forged).firstDifference, 10);
    const [g] = tenth.counts.generations;
    assert.ok(g !== undefined);
    const hidden = { ...g, candidate: { ...g.candidate, newBad: { ...g.candidate.newBad, errors: 0 } } };
    const counted = changed(10, { counts: { ...tenth.counts, generations: [hidden] } });
    assert.equal(recompute(PLAN, history, counted).firstDifference, 10);
    assert.equal(recompute(PLAN, {}, looks).firstDifference, 0);
    assert.equal(recompute({ ...PLAN, beta: 0.2 }, history, looks).same, false);
    assert.equal(
      recompute(PLAN, history, changed(5, { moment: moment({ seconds: 0, atHorizon: true }) }))
        .firstDifference,
      5,
    );
  });
});
