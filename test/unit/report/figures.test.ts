import { strict as assert } from 'node:assert';
import type { FleetReport, ReportScope } from '../../../src/contracts/report.js';
import type { Facts, IncidentFact, ReleaseFact } from '../../../src/report/facts/types.js';
import { reportOf } from '../../../src/report/figures/index.js';
import { unionLength, within } from '../../../src/report/figures/intervals.js';
import { spread } from '../../../src/report/figures/numbers.js';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-01T00:00:00.000Z');
const hour = (hours: number): number => START + hours * HOUR;
const SCOPE: ReportScope = {
  since: new Date(START).toISOString(),
  until: new Date(hour(240)).toISOString(),
  model: null,
  team: null,
};

const NOTHING: Facts = {
  models: [],
  releases: [],
  registrations: [],
  acts: [],
  incidents: [],
  retrainings: [],
  heldBack: [],
  touched: [],
  traffic: [],
};
const MODEL = {
  model: 'm',
  team: 't',
  owner: 'o',
  riskTier: 'low',
  purpose: 'p',
  revalidateSeconds: null,
  automated: false,
};

let sequence = 0;
const moment = (hours: number) => ({ at: hour(hours), sequence: (sequence += 1) });

const release = (number: number, changes: Partial<ReleaseFact> = {}): ReleaseFact => ({
  model: 'm',
  release: number,
  version: `v${number}`,
  digest: `d${number}`,
  submitted: hour(number * 24),
  validated: null,
  promoted: moment(number * 24 + 1),
  former: number === 1 ? null : { version: `v${number - 1}`, digest: `d${number - 1}` },
  ended: null,
  waits: [],
  ...changes,
});
const incident = (number: number, changes: Partial<IncidentFact> = {}): IncidentFact => ({
  model: 'm',
  incident: number,
  severity: 'critical',
  opened: hour(100),
  onset: null,
  detected: hour(100),
  release: null,
  tookBack: false,
  findings: [],
  acknowledged: null,
  mitigated: null,
  resolved: null,
  lost: null,
  ...changes,
});
const report = (facts: Partial<Facts>): FleetReport =>
  reportOf({ ...NOTHING, models: [MODEL], ...facts }, SCOPE);

describe('report: figures', () => {
  it('are null with a reason where there is no data, and 0 only where something was counted', () => {
    const empty = reportOf(NOTHING, SCOPE);
    const none = [
      empty.deployments.frequency,
      empty.changeFailRate,
      empty.reworkRate,
      empty.availability.byRequests,
      empty.availability.byTime,
      empty.retraining.enabled,
      empty.retraining.proven,
      empty.retraining.untouched,
    ];
    for (const { value, why } of none) assert.ok(value === null && (why ?? '').length > 10);
    const spreads = [
      empty.leadTime.total,
      empty.leadTime.approvalWait,
      empty.recovery.time,
      empty.incidents.detect,
      empty.incidents.remediate,
    ];
    for (const { median, p90, why } of spreads)
      assert.ok(median === null && p90 === null && (why ?? '').length > 10);
    assert.equal(empty.incidents.phases.verify, null);
    // A model without a deployment has been deployed 0 times a day.
    assert.equal(report({}).deployments.frequency.value, 0);
    assert.equal(report({}).changeFailRate.value, null);
    assert.equal(report({ releases: [release(1)] }).changeFailRate.value, 0);
  });

  it('a deployment is in production; what was stopped before is counted apart', () => {
    const { deployments, stopped } = report({
      releases: [
        release(1),
        release(2, { promoted: null, ended: { ...moment(50), outcome: 'rolled-back' } }),
        release(3, { promoted: null, ended: { ...moment(80), outcome: 'rejected' } }),
      ],
    });
    assert.deepEqual([deployments.count, deployments.frequency.value, deployments.undecided], [1, 0.1, 1]);
    assert.deepEqual(stopped, { rejected: 1, rolledBack: 1, aborted: 0 });
  });

  it('the window is half open', () => {
    const at = (time: number) => report({ releases: [release(1, { promoted: { at: time, sequence: 1 } })] });
    const counts = [START - 1, START, hour(240) - 1, hour(240)].map((time) => at(time).deployments.count);
    assert.deepEqual(counts, [0, 1, 1, 0]);
  });

  it('a deployment with three failures has failed once, and recovers with the last of them', () => {
    const { changeFailRate, recovery } = report({
      releases: [release(1), release(2, { ended: { ...moment(52), outcome: 'rolled-back' } })],
      incidents: [
        incident(1, { release: 2, resolved: hour(59) }),
        incident(2, { release: 2, severity: 'warning', resolved: hour(55) }),
        // A notice is no failure.
        incident(3, { release: 1, severity: 'info' }),
      ],
    });
    assert.deepEqual([changeFailRate.part, changeFailRate.whole], [1, 2]);
    assert.deepEqual([recovery.time.n, recovery.time.median], [1, 10 * 3600]);
  });

  it('what is not over is named with its age, not left out', () => {
    const { recovery, incidents } = report({
      releases: [release(1)],
      incidents: [incident(1, { release: 1, opened: hour(140) })],
    });
    assert.deepEqual(recovery.open, [{ model: 'm', number: 1, ageSeconds: 215 * 3600 }]);
    assert.equal(recovery.time.why, 'no failure is over');
    assert.deepEqual(incidents.open, [{ model: 'm', number: 1, ageSeconds: 100 * 3600 }]);
  });

  it('a roll-back of the model is a failure of the deployment that it took away, and rework', () => {
    const serves = { version: 'v1', digest: 'd1' };
    const rolledBack = {
      model: 'm',
      action: 'model.rolled-back',
      serves,
      from: 'd2',
      byPerson: true,
    } as const;
    const ended = { ...moment(60), outcome: 'succeeded' } as const;
    const { changeFailRate, reworkRate, recovery } = report({
      releases: [release(1), release(2, { ended })],
      acts: [{ ...rolledBack, ...moment(73) }],
    });
    assert.deepEqual([changeFailRate.part, changeFailRate.whole], [1, 2]);
    assert.deepEqual([reworkRate.part, reworkRate.whole], [1, 3]);
    assert.equal(recovery.time.median, 24 * 3600);
  });

  it('a deployment that an incident asked for is rework', () => {
    const { reworkRate } = report({
      releases: [release(1), release(2)],
      incidents: [incident(1, { severity: 'warning', findings: ['f7'] })],
      retrainings: [
        {
          model: 'm',
          retraining: 1,
          trigger: 'finding',
          finding: 'f7',
          requested: hour(40),
          ended: hour(45),
          outcome: 'submitted',
          release: 2,
          byPerson: false,
        },
      ],
    });
    assert.deepEqual([reworkRate.part, reworkRate.whole], [1, 2]);
  });

  it('lead time is once a version, with the wait for approval apart', () => {
    const { leadTime } = report({
      registrations: [{ model: 'm', version: 'v1', at: hour(1) }],
      releases: [
        release(1, { waits: [{ from: hour(0), to: hour(11) }] }),
        release(2, { version: 'v1', digest: 'd1' }),
        release(3),
      ],
    });
    assert.deepEqual(
      [leadTime.total, leadTime.approvalWait, leadTime.withoutApproval].map(({ n, median }) => [n, median]),
      // Only what lies between registration and production.
      [
        [1, 24 * 3600],
        [1, 10 * 3600],
        [1, 14 * 3600],
      ],
    );
    assert.equal(leadTime.unusable, 1);
  });

  it('the median of 10 and 20 is 15', () => {
    assert.equal(spread([20, 10], '').median, 15);
    assert.equal(spread([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], '').p90, 10);
    assert.deepEqual(spread([7], ''), { n: 1, median: 7, p90: 7, why: null });
  });

  it('overlapping outages count once, and only while the model is in service', () => {
    const { availability } = report({
      releases: [release(1, { promoted: moment(40) })],
      incidents: [
        incident(1, { onset: hour(30), detected: hour(45), mitigated: hour(50), resolved: hour(70) }),
        incident(2, { onset: hour(48), resolved: hour(60) }),
        incident(3, { severity: 'warning', onset: hour(90), resolved: hour(120) }),
      ],
      traffic: [{ model: 'm', day: 2, valid: 5, good: 0, dead: [{ from: hour(59), to: hour(62) }] }],
    });
    // Out from 40 to 62, of 40 to 240.
    assert.deepEqual([availability.byTime.whole / 3600, availability.byTime.part / 3600], [200, 178]);
    assert.deepEqual([availability.byRequests.part, availability.byRequests.whole], [0, 5]);
  });

  it('a first version that is taken back leaves users without one, until the next; a retired model is not in service', () => {
    const { availability, retraining } = report({
      releases: [
        release(1, { promoted: moment(0), ended: { ...moment(10), outcome: 'rolled-back' } }),
        release(2, { promoted: moment(30), former: null }),
      ],
      acts: [
        { model: 'm', action: 'model.retired', serves: null, from: null, byPerson: true, ...moment(100) },
      ],
    });
    assert.deepEqual([availability.byTime.whole / 3600, availability.byTime.part / 3600], [100, 80]);
    assert.equal(retraining.enabled.why, 'no model is in production');
  });

  it('phases of remediation add up, also where nobody recorded one', () => {
    const { incidents } = report({
      incidents: [
        incident(1, { acknowledged: hour(102), mitigated: hour(105), resolved: hour(110) }),
        incident(2, { resolved: hour(104) }),
      ],
    });
    const { acknowledge, mitigate, verify } = incidents.phases;
    assert.deepEqual(
      [acknowledge, mitigate, verify].map((seconds) => (seconds ?? 0) / 3600),
      [3, 1.5, 2.5],
    );
    assert.equal(incidents.remediate.median, 7 * 3600);
    assert.deepEqual(incidents.bySeverity.critical, { opened: 2, open: 0 });
  });

  it('a retraining is untouched when no event of it or its release is a person’s', () => {
    const run = (number: number) => ({
      model: 'm',
      retraining: number,
      trigger: 'schedule' as const,
      finding: null,
      requested: hour(20 * number),
      ended: hour(20 * number + 1),
      outcome: 'submitted' as const,
      release: number,
      byPerson: false,
    });
    const succeeded = { ...moment(200), outcome: 'succeeded' } as const;
    const { retraining } = report({
      models: [{ ...MODEL, automated: true }],
      releases: [1, 2, 3].map((number) => release(number, { ended: succeeded })).concat(release(4)),
      retrainings: [
        run(1),
        run(2),
        { ...run(3), trigger: 'hand' },
        run(4),
        { ...run(5), outcome: 'not-better', release: null },
      ],
      touched: [{ model: 'm', release: 2 }],
    });
    assert.deepEqual([retraining.untouched.part, retraining.untouched.whole], [1, 4]);
    assert.deepEqual([retraining.reachedProduction, retraining.undecided], [3, 1]);
    assert.deepEqual([retraining.enabled.value, retraining.proven.value], [1, 1]);
  });

  it('days stand for themselves: those without requests have no availability', () => {
    const { byDay } = report({
      releases: [release(1), release(2, { ended: { ...moment(60), outcome: 'aborted' } })],
      traffic: [{ model: 'm', day: 1, valid: 10, good: 9, dead: [] }],
    });
    assert.equal(byDay.length, 10);
    assert.deepEqual(
      byDay.slice(0, 3).map(({ deployments, failed, availability }) => [deployments, failed, availability]),
      [
        [0, 0, null],
        [1, 0, 0.9],
        [1, 1, null],
      ],
    );
  });

  it('unions and parts of intervals', () => {
    const interval = (from: number, to: number) => ({ from, to });
    assert.equal(unionLength([interval(5, 9), interval(0, 3), interval(2, 6), interval(7, 8)]), 9);
    assert.equal(unionLength([interval(3, 1)]), 0);
    assert.deepEqual(within([interval(0, 10)], [interval(-5, 2), interval(8, 20)]), [
      interval(0, 2),
      interval(8, 10),
    ]);
  });
});
