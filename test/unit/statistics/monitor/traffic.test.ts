import assert from 'node:assert/strict';
import { binomialGreater, fisherGreater } from '../../../../src/statistics/monitor/exact.js';
import { addSlot, judgeBurn, NO_TRAFFIC } from '../../../../src/statistics/monitor/availability.js';
import { monitoring } from '../../../support/monitoring.js';
import { createRandom } from '../../../support/random.js';
import { HOUR, Monitored, OBJECTIVES } from './made-model.js';

describe('exact tails', () => {
  it('Fisher and binomial agree with what can be counted by hand', () => {
    // The lady tasting tea: 17 of 70 ways.
    assert.ok(Math.abs(fisherGreater({ hits: 3, rows: 4 }, { hits: 1, rows: 4 }) - 17 / 70) < 1e-13);
    assert.equal(fisherGreater({ hits: 1, rows: 4 }, { hits: 1, rows: 4 }), 1);
    // The 3 largest of 10 rows are the window's 4 with a chance of 4·3·2 / (10·9·8).
    assert.ok(Math.abs(fisherGreater({ hits: 3, rows: 4 }, { hits: 0, rows: 6 }) - 24 / 720) < 1e-13);
    assert.ok(Math.abs(binomialGreater({ hits: 2, rows: 2 }, 0.5) - 0.25) < 1e-13);
    assert.ok(Math.abs(binomialGreater({ hits: 3, rows: 10 }, 0.1) / 0.0701908264 - 1) < 1e-9);
    assert.equal(binomialGreater({ hits: 0, rows: 0 }, 0.1), 1);
    assert.equal(binomialGreater({ hits: 1, rows: 9 }, 0), 0);
  });
});

describe('a monitor of availability', () => {
  it('finds an outage in its first slot, from the first hour on, with its onset', () => {
    const monitored = new Monitored(null);
    for (let i = 0; i < 3; i += 1) assert.deepEqual(monitored.slot(200, 1).findings, []);
    const [finding] = monitored.slot(200, 180).findings;
    assert.deepEqual([finding?.kind, finding?.severity, finding?.rows], ['availability', 'critical', 800]);
    assert.equal(finding?.id, `employment/availability/${monitored.at}`);
    assert.equal(finding?.onset?.estimate, new Date(monitored.at - 300_000).toISOString());
    assert.match(finding?.features[0]?.what ?? '', /^burns 14.4 times too fast over 1 h and 5 min$/);
    assert.deepEqual(monitored.slot(200, 200).findings, []);
  });

  it('goes by the burn rates of the workbook, each over its two windows', () => {
    // Objective 99 %: a share of errors of 14.4 % burns 14.4 times too fast.
    const burns = (share: number, slots: number) => {
      const monitored = new Monitored(null);
      for (let i = 0; i < slots; i += 1) monitored.slot(10_000, Math.round(10_000 * share));
      return [...new Set(monitored.found.flatMap(({ features }) => features[0]!.what))].map(
        (what) => what.split(' ')[1],
      );
    };
    assert.deepEqual(burns(0.145, 1), ['14.4']);
    assert.deepEqual(burns(0.143, 1), ['6']);
    assert.deepEqual(burns(0.059, 12), ['3']);
    assert.deepEqual(burns(0.029, 12), ['1']);
    assert.deepEqual(burns(0.0099, 12), []);
  });

  it('does not tell of what is over: the short window has recovered', () => {
    const at = 1_000 * HOUR;
    // An hour of which five minutes, long ago, had no answer.
    const history = (bad: number) =>
      Array.from({ length: 12 }, (_, i) => (i === bad ? 1_000 : 0)).reduce(
        (sums, errors, i) =>
          addSlot(sums, { from: 0, to: at - (11 - i) * 300_000, requests: 1_000, bad: errors }),
        NO_TRAFFIC,
      );
    const told = (bad: number) =>
      judgeBurn(monitoring(), OBJECTIVES, history(bad), at).map(({ features }) => features[0]?.what);
    assert.deepEqual(told(0), ['burns 3 times too fast over 24 h and 2 h']);
    assert.deepEqual(told(8), ['burns 6 times too fast over 6 h and 30 min']);
  });

  it('does not take the luck of few requests for an outage', () => {
    const monitored = new Monitored(null);
    assert.deepEqual(monitored.slot(5, 1).findings, []);
    assert.deepEqual(monitored.slot(0, 0).findings, []);
    assert.equal(monitored.slot(12, 12).findings.length, 1);
  });

  it('is over after windows in which errors are as the objective allows, with enough requests', () => {
    const monitored = new Monitored(null);
    for (let i = 0; i < 12; i += 1) monitored.slot(200, 200);
    // The monitor's hours follow.
    monitored.hour({ requests: 10, bad: 0 });
    assert.equal(monitored.last?.health.open[0]?.clear, 0);
    for (let i = 0; i < 2; i += 1) monitored.hour({ requests: 2_400, bad: 20 });
    monitored.hour({ requests: 2_400, bad: 200 });
    assert.deepEqual([monitored.cleared, monitored.last?.health.open[0]?.clear], [[], 0]);
    for (let i = 0; i < 3; i += 1) monitored.hour({ requests: 2_400, bad: 20 });
    assert.deepEqual(
      monitored.cleared.map(({ cause, windows }) => [cause, windows]),
      [['availability', 3]],
    );
  });

  /** Its slots and then the window, as the monitor has them. */
  const hourOf = (monitored: Monitored, requests: number, bad: number): void => {
    const from = monitored.at;
    const slots = Array.from({ length: 12 }, (_, i) => ({
      from: from + i * 300_000,
      to: from + (i + 1) * 300_000,
      requests: i < 10 ? requests / 10 : 0,
      bad: i < 10 ? bad / 10 : 0,
    }));
    monitored.hour({ requests, bad }, { slots });
  };

  it('is over for a model that is seldom asked when enough requests of several windows were answered', () => {
    const monitored = new Monitored(null);
    for (let hour = 0; hour < 24; hour += 1) hourOf(monitored, 20, 0);
    hourOf(monitored, 20, 20);
    assert.deepEqual(
      monitored.found.map(({ kind, severity }) => [kind, severity]),
      [['availability', 'critical']],
    );
    assert.deepEqual(monitored.state?.requests, { requests: 20, bad: 20 });
    assert.match(
      monitored.last?.health.waitingFor.join() ?? '',
      /availability: 20 of 50 requests to say whether it is over/,
    );
    // 60 requests with the 20 of the outage, and then three times 60 without: 11 hours.
    for (let hour = 1; hour < 11; hour += 1) {
      hourOf(monitored, 20, 0);
      assert.deepEqual(monitored.cleared, [], `hour ${hour}`);
      assert.equal(monitored.last?.health.open[0]?.clear, Math.max(0, Math.floor((hour - 2) / 3)));
    }
    hourOf(monitored, 20, 0);
    assert.deepEqual(
      monitored.cleared.map(({ cause, windows }) => [cause, windows]),
      [['availability', 3]],
    );
    assert.deepEqual(monitored.last?.health.open, []);
    hourOf(monitored, 20, 0);
    assert.equal(monitored.state?.requests, null);
  });

  it('goes on for a model that is seldom asked while some of its few requests fail', () => {
    const monitored = new Monitored(null);
    hourOf(monitored, 20, 20);
    for (let hour = 0; hour < 48; hour += 1) hourOf(monitored, 20, hour % 2 === 0 ? 0 : 10);
    assert.deepEqual(monitored.cleared, []);
    // Nothing is asked, nothing is known.
    for (let hour = 0; hour < 48; hour += 1) hourOf(monitored, 0, 0);
    assert.deepEqual([monitored.cleared, monitored.last?.health.state], [[], 'alarm']);
  });

  it('is over also where the state was stored before requests were carried', () => {
    const monitored = new Monitored(null);
    hourOf(monitored, 20, 20);
    const { requests: _, ...before } = monitored.state!;
    monitored.state = before;
    // Without much before it, the outage burns for six hours more.
    for (let hour = 0; hour < 6 + 9; hour += 1) hourOf(monitored, 20, 0);
    assert.deepEqual(
      monitored.cleared.map(({ cause }) => cause),
      ['availability'],
    );
  });
});

describe('a monitor of volume', () => {
  const weekly = (hour: number): number => (hour % 168 < 120 && hour % 24 > 7 && hour % 24 < 18 ? 400 : 60);

  it('waits for its weeks, is silent for the rest of twelve, and finds that nothing comes any more', () => {
    const random = createRandom(12);
    const monitored = new Monitored(null, { season: 'week' });
    for (let hour = 0; hour < 12 * 168; hour += 1) {
      const usual = weekly(hour);
      monitored.hour({ requests: Math.max(0, Math.round(usual + Math.sqrt(usual) * random.normal())) });
      if (hour === 100)
        assert.match(
          monitored.last?.health.waitingFor.join() ?? '',
          /traffic: Fewer than 2 windows at this phase/,
        );
    }
    assert.deepEqual(monitored.found, []);
    assert.doesNotMatch(monitored.last?.health.waitingFor.join() ?? '', /traffic/);
    // Monday, nine to ten.
    for (let hour = 0; hour < 9; hour += 1) monitored.hour({ requests: weekly(hour) });
    const [finding] = monitored.hour({ requests: 0 }).findings;
    assert.deepEqual([finding?.kind, finding?.severity], ['traffic', 'critical']);
    assert.match(finding?.summary ?? '', /^No requests, usual at this time are \d+/);
    for (let hour = 10; hour < 13; hour += 1) monitored.hour({ requests: weekly(hour) });
    assert.deepEqual(
      monitored.cleared.map(({ cause }) => cause),
      ['traffic'],
    );
    assert.ok(JSON.stringify(monitored.state).length < 20_000, 'what is remembered stays small');
  });

  it('adds short windows up to hours', () => {
    const monitored = new Monitored(null, { windowSeconds: 600, season: 'day' }, 1_000 * HOUR + 600_000);
    for (let i = 0; i < 5 + 6; i += 1) monitored.hour({ requests: 10 });
    // The first hour was not whole.
    assert.deepEqual(monitored.state?.volume.history, [60]);
  });

  it('without a rhythm it needs three windows', () => {
    const random = createRandom(9);
    const monitored = new Monitored(null, { falseFindingSeconds: 30 * 86_400 });
    for (let i = 0; i < 24; i += 1) monitored.hour({ requests: 400 + Math.round(20 * random.normal()) });
    const { findings } = monitored.hour({ requests: 1_200 });
    assert.deepEqual(
      findings.map(({ kind, severity }) => [kind, severity]),
      [['traffic', 'warning']],
    );
  });
});
