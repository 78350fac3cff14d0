import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { addUnjudged, isUnjudged, withoutUnjudged } from '../../../../src/statistics/monitor/late.js';
import type { LateRows, Unjudged } from '../../../../src/statistics/monitor/types.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { HOUR, MadeModel, Monitored, type Oddity } from './made-model.js';

const BEGIN = 1_000 * HOUR;
const made = () => new MadeModel(createRandom(19), 3);
/** Rows of the hour that ended so many hours before. */
const late = (model: MadeModel, monitored: Monitored, ago: number, odd: Oddity = {}): LateRows => {
  const to = monitored.at + HOUR - ago * HOUR;
  return { from: to - HOUR, to, features: model.counts(odd) };
};

describe('rows that come late', () => {
  it('are the first judgement of a window that had none, in order, under an id of their own', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    for (let i = 0; i < 24; i += 1) monitored.hour({});
    // A file of the day: the fault began in its last three hours.
    const day = Array.from({ length: 20 }, (_, i) =>
      late(model, monitored, 22 - i, i >= 17 ? { means: { 1: 0.8 } } : {}),
    );
    const { findings, state } = monitored.hour({ late: day });
    const [finding] = findings;
    assert.equal(findings.length, 1);
    const fault = day[17]!;
    assert.equal(finding?.id, `employment/data-drift/${fault.to}/${monitored.at}`);
    assert.deepEqual(
      [finding.window.from, finding.window.to],
      [new Date(fault.from).toISOString(), new Date(fault.to).toISOString()],
    );
    assert.match(finding.summary, /; with 500 rows that came late$/);
    assert.equal(state.judged, 20);
    assert.deepEqual(
      state.times,
      day.map(({ from }) => from),
    );
    assert.equal(state.carried, null);
  });

  it('are judged with the next window where theirs was judged, or they are few; each row once', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    for (let i = 0; i < 5; i += 1) monitored.hour({ features: model.counts() });
    const [judged, few] = [late(model, monitored, 3), late(model, monitored, 9, { rows: 20 })];
    const { state } = monitored.hour({ features: model.counts(), late: [few, judged] });
    assert.deepEqual([state.carried, state.judged], [null, 6]);
    const odd = late(model, monitored, 2, { rows: 100, unseen: 90 });
    const { findings } = monitored.hour({ features: model.counts(), late: [odd] });
    const [finding] = findings.filter(({ kind }) => kind === 'data-quality');
    assert.deepEqual([finding?.rows, finding?.id], [600, `employment/data-quality/color/${monitored.at}`]);
    assert.match(finding?.summary ?? '', /; with 100 rows that came late$/);
    assert.equal(finding?.window.from, new Date(odd.from).toISOString());
    assert.deepEqual(monitored.hour({ features: model.counts() }).findings, []);
  });

  it('neither clear a cause nor count as traffic', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    for (let i = 0; i < 5; i += 1) monitored.hour({ features: model.counts(), requests: 500 });
    monitored.hour({ features: model.counts({ means: { 1: 0.8 } }), requests: 500 });
    for (let i = 0; i < 4; i += 1) {
      const good = [late(model, monitored, 40 - i), late(model, monitored, 30 - i)];
      const { health, cleared } = monitored.hour({ requests: 500, late: good });
      assert.deepEqual([health.open.map(({ clear }) => clear), cleared], [[0], []]);
    }
    assert.deepEqual(
      monitored.state?.volume.history,
      Array.from({ length: 10 }, () => 500),
    );
  });

  it('bring their labels: measured performance counts them, also without rows in time', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    for (let i = 0; i < 5; i += 1) monitored.hour({});
    const flipped = late(model, monitored, 5, { rows: 2_000, labels: 'flipped' });
    const { findings } = monitored.hour({ late: [flipped] });
    const [finding] = findings.filter(({ kind }) => kind === 'measured-performance');
    assert.deepEqual([finding?.verdict, finding?.severity, finding?.rows], ['found', 'critical', 2_000]);
    assert.equal(finding?.window.from, new Date(flipped.from).toISOString());
  });

  it('of another profile are not judged, and that is said', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    monitored.hour({ features: model.counts() });
    const odd = late(model, monitored, 2);
    const { health } = monitored.hour({ late: [{ ...odd, features: { ...odd.features!, profile: 'x' } }] });
    assert.match(health.waitingFor.join(), /Rows that came late are not judged: .* another profile/);
  });

  it('wherever they come, no window is judged more often than time has windows', () => {
    const model = new MadeModel(createRandom(19), 1, 1_000);
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 2, max: 47 }), { maxLength: 4 }), {
          minLength: 1,
          maxLength: 12,
        }),
        (hours) => {
          const monitored = new Monitored(model.profile, {}, BEGIN);
          for (const [i, ago] of hours.entries()) {
            const own = i % 2 === 0 ? { features: model.counts({ rows: 60 }) } : {};
            const came = [...new Set(ago)].sort((a, b) => b - a);
            monitored.hour({
              ...own,
              late: came.map((h) => late(model, monitored, h, { rows: 60 })),
            });
          }
          // Two days of before the monitor came were never judged either.
          const left = monitored.state!.unjudged!.reduce((sum, [from, to]) => sum + (to - from) / HOUR, 0);
          assert.equal(left + monitored.state!.judged, hours.length + 48);
        },
      ),
      { seed: 20_261_128, numRuns: scale(10, 200) },
    );
  });

  it('remember stretches that were not judged in few numbers', () => {
    let unjudged: Unjudged = [];
    for (let i = 0; i < 10; i += 1) unjudged = addUnjudged(unjudged, i * HOUR, (i + 1) * HOUR);
    assert.deepEqual(unjudged, [[0, 10 * HOUR]]);
    unjudged = withoutUnjudged(unjudged, 4 * HOUR, 5 * HOUR);
    assert.deepEqual(unjudged, [
      [0, 4 * HOUR],
      [5 * HOUR, 10 * HOUR],
    ]);
    assert.deepEqual(
      [3, 4, 5].map((i) => isUnjudged(unjudged, i * HOUR, (i + 1) * HOUR)),
      [true, false, true],
    );
    assert.deepEqual(addUnjudged(unjudged, 110 * HOUR, 111 * HOUR), [[110 * HOUR, 111 * HOUR]]);
  });
});
