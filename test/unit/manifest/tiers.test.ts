import assert from 'node:assert/strict';
import { parse, stringify } from 'yaml';
import type { RiskTier, Task } from '../../../src/contracts/model.js';
import { parseManifest, resolveManifest } from '../../../src/manifest/index.js';
import { MINIMAL } from '../../support/model-yaml.js';

const APPROVERS = { approvers: ['ben', { name: 'cleo', roles: ['risk'] }] };
const AUC = { kind: 'metric', metric: 'auc', min: 0.8 };

/** The least manifest that a tier takes. */
function least(tier: RiskTier, task: Task = 'binary') {
  const approval = {
    medium: { beforeDeploy: APPROVERS },
    high: { beforeDeploy: APPROVERS, beforePromote: APPROVERS },
  };
  const gate =
    task === 'binary' ? AUC : { kind: 'metric', metric: task === 'regression' ? 'mae' : 'accuracy', min: 0 };
  const classes = task === 'multiclass' ? { classes: ['a', 'b', 'c'] } : {};
  const resolved = resolveManifest({
    ...(parse(MINIMAL) as object),
    schema: {
      inputs: [{ name: 'age', datatype: 'FP32' }],
      outputs: [{ name: 'score', datatype: 'FP32', width: task === 'multiclass' ? 3 : 1 }],
    },
    task,
    prediction: { score: 'score', ...classes },
    riskTier: tier,
    validation: {
      data: 'rows.parquet',
      target: 'left',
      gates: tier === 'medium' || tier === 'high' ? [gate] : [],
    },
    ...(tier === 'medium' || tier === 'high' ? { approval: approval[tier] } : {}),
  });
  assert.ok(resolved.ok, JSON.stringify(resolved));
  return resolved.manifest;
}

/** All that a tier decides. */
function decided(tier: RiskTier) {
  const { approval, shadow, canary, soak, objectives, rollbackWindowSeconds } = least(tier);
  const { steps, judgement, maxSeconds, rollbackDrill } = canary;
  const points = Object.fromEntries(
    Object.entries(approval).map(([name, point]) => [
      name,
      point && [point.quorum, point.expiresAfterSeconds],
    ]),
  );
  return {
    points,
    shadow,
    steps: steps.map(({ weight, minKeys, minSeconds }) => [weight, minKeys, minSeconds]),
    canary: { judgement, maxSeconds, rollbackDrill },
    soak,
    objectives,
    rollbackWindowSeconds,
  };
}

describe('what a tier fills in', () => {
  it('experimental: no approval, a canary of half a minute, watched', () => {
    assert.deepEqual(decided('experimental'), {
      points: { beforeDeploy: null, beforePromote: null },
      shadow: null,
      steps: [
        [0.2, 50, 15],
        [0.5, 100, 15],
      ],
      canary: { judgement: 'watch', maxSeconds: 3600, rollbackDrill: false },
      soak: { seconds: 60, holdback: 0 },
      objectives: { availability: 0.99, latencyMs: 500, slowShare: 0.05 },
      rollbackWindowSeconds: 86_400,
    });
  });

  it('low: no approval, watched, with a hold-back', () => {
    assert.deepEqual(decided('low'), {
      points: { beforeDeploy: null, beforePromote: null },
      shadow: null,
      steps: [
        [0.05, 200, 120],
        [0.25, 500, 300],
        [0.5, 1000, 300],
      ],
      canary: { judgement: 'watch', maxSeconds: 86_400, rollbackDrill: false },
      soak: { seconds: 900, holdback: 0.05 },
      objectives: { availability: 0.995, latencyMs: 500, slowShare: 0.05 },
      rollbackWindowSeconds: 259_200,
    });
  });

  it('medium: one approval before deployment, proven, with a drill', () => {
    assert.deepEqual(decided('medium'), {
      points: { beforeDeploy: [1, 259_200], beforePromote: null },
      shadow: null,
      steps: [
        [0.05, 500, 600],
        [0.25, 2000, 900],
        [0.5, 5000, 1800],
      ],
      canary: { judgement: 'prove', maxSeconds: 604_800, rollbackDrill: true },
      soak: { seconds: 3600, holdback: 0.05 },
      objectives: { availability: 0.999, latencyMs: 250, slowShare: 0.01 },
      rollbackWindowSeconds: 604_800,
    });
  });

  it('high: two approvals at both points, shadow, proven, with a drill', () => {
    assert.deepEqual(decided('high'), {
      points: { beforeDeploy: [2, 604_800], beforePromote: [2, 604_800] },
      shadow: { share: 0.1, minRequests: 500, agreementFloor: 0.8, tolerance: 0.2, maxSeconds: 86_400 },
      steps: [
        [0.01, 500, 900],
        [0.05, 1000, 1800],
        [0.25, 5000, 3600],
        [0.5, 10_000, 3600],
      ],
      canary: { judgement: 'prove', maxSeconds: 1_209_600, rollbackDrill: true },
      soak: { seconds: 86_400, holdback: 0.05 },
      objectives: { availability: 0.999, latencyMs: 250, slowShare: 0.01 },
      rollbackWindowSeconds: 1_209_600,
    });
  });

  it('the same in every tier: guardrails, error bounds, serving', () => {
    const margins = { relativeMargin: 1.5, absoluteMargin: 0.005, hardLimit: 0.5 };
    for (const tier of ['experimental', 'low', 'medium', 'high'] as const) {
      const { canary, serving, validation, prediction, contacts, monitoring, retraining } = least(tier);
      assert.deepEqual(canary.guardrails, [
        { name: 'errors', kind: 'errors', ...margins },
        { name: 'slow', kind: 'slow', quantile: 0.99, factor: 1.5, floorMs: 5, ...margins },
      ]);
      assert.deepEqual([canary.alpha, canary.beta], [0.01, 0.05]);
      assert.deepEqual(serving, {
        deadlineMs: 1000,
        fallback: true,
        leaseSeconds: 15,
        maxConcurrency: 64,
        routingKeyHeader: 'tenure-routing-key',
      });
      assert.deepEqual(
        [validation.dataDigest, validation.goldenRows, validation.goldenTolerance],
        [null, 100, 1e-5],
      );
      assert.deepEqual(prediction, { score: 'score', classes: [0, 1], threshold: 0.5 });
      assert.deepEqual([contacts, retraining], [[], null]);
      const { policy: _, revalidateSeconds: __, incidents, ...rest } = monitoring!;
      assert.deepEqual([incidents.clearWindows, incidents.reportSeconds], [3, null]);
      assert.deepEqual(rest, {
        windowSeconds: 3600,
        falseFindingSeconds: 2 * 365 * 86_400,
        minRows: 50,
        material: 0.05,
        season: 'week',
        ignore: [],
        performance: { metric: 'auc', margin: 0.02 },
        samples: { share: 0.01, retainSeconds: 90 * 86_400 },
        labelSeconds: 90 * 86_400,
        promotionSeconds: 86_400,
        fallbackVersion: null,
      });
    }
  });

  it('what is done about findings: an experiment only tells, more risk asks more people sooner', () => {
    const all = (['experimental', 'low', 'medium', 'high'] as const).map((tier) => least(tier).monitoring!);
    assert.deepEqual(
      all.map(({ policy }) => policy.performance),
      [
        ['notify'],
        ['notify', 'roll-back', 'retrain'],
        ['notify', 'hold', 'roll-back', 'retrain'],
        ['notify', 'hold', 'roll-back'],
      ],
    );
    assert.deepEqual(
      all.map(({ revalidateSeconds }) => revalidateSeconds),
      [null, 365 * 86_400, 182 * 86_400, 91 * 86_400],
    );
    assert.deepEqual(
      all.map(({ incidents }) => incidents.escalation.map(({ afterSeconds }) => afterSeconds)),
      [[], [4 * 3600], [3600], [900, 3600]],
    );
    assert.equal(manifestOf({ monitoring: null }).monitoring, null);
  });

  it('no shadow for regression, and no classes', () => {
    const { shadow, prediction } = least('high', 'regression');
    assert.deepEqual([shadow, prediction.classes], [null, []]);
    assert.ok(least('high', 'multiclass').shadow);
  });

  it('never more than the file leaves out', () => {
    const { canary, approval } = manifestOf({
      riskTier: 'high',
      approval: { beforeDeploy: null, beforePromote: { quorum: 1, ...APPROVERS } },
      validation: { data: 'rows.csv', target: 'left', gates: [AUC] },
      canary: { judgement: 'watch' },
    });
    assert.deepEqual([canary.judgement, canary.steps.length, approval.beforeDeploy], ['watch', 4, null]);
    assert.deepEqual(approval.beforePromote, {
      quorum: 1,
      approvers: [
        { name: 'ben', roles: [] },
        { name: 'cleo', roles: ['risk'] },
      ],
      requiredRoles: [],
      expiresAfterSeconds: 604_800,
    });
  });

  it('is not shared between manifests', () => {
    const [one, two] = [least('low'), least('low')];
    assert.notEqual(one.canary.steps, two.canary.steps);
    assert.notEqual(one.canary.guardrails[0], two.canary.guardrails[0]);
  });
});

function manifestOf(sections: object) {
  const result = parseManifest(
    stringify({ ...(parse(MINIMAL) as object), ...sections }, { aliasDuplicateObjects: false }),
  );
  assert.ok(result.ok, JSON.stringify(result));
  return result.manifest;
}

describe('short forms', () => {
  it('durations', () => {
    const seconds = ['30s', '15m', '2h', '7d', '1.5h', '0.1m', 90, 0].map(
      (value) => manifestOf({ soak: { seconds: value } }).soak.seconds,
    );
    assert.deepEqual(seconds, [30, 900, 7200, 604_800, 5400, 6, 90, 0]);
  });

  it('percentages', () => {
    const shares = ['5%', '0.1%', '12.5 %', 0.3, '50%'].map(
      (value) => manifestOf({ soak: { holdback: value } }).soak.holdback,
    );
    assert.deepEqual(shares, [0.05, 0.001, 0.125, 0.3, 0.5]);
  });

  it('guardrails by kind alone, small groups by policy alone, groups by number', () => {
    const { canary, validation } = manifestOf({
      canary: {
        guardrails: [{ kind: 'slow' }, { kind: 'share', name: 'high', output: 'score', op: '>', value: 0.9 }],
      },
      validation: {
        data: 'rows.csv',
        target: 'left',
        gates: [
          {
            kind: 'subgroup',
            column: 'a',
            measure: 'no-regression',
            bound: '2%',
            smallGroups: 'report-only',
          },
          {
            kind: 'subgroup',
            column: 'b',
            measure: 'no-regression',
            bound: 0,
            smallGroups: { policy: 'merge-into', into: 8 },
          },
        ],
      },
    });
    assert.deepEqual(
      canary.guardrails.map(({ name, hardLimit }) => [name, hardLimit]),
      [
        ['slow', 0.5],
        ['high', null],
      ],
    );
    assert.deepEqual(
      validation.gates.map((gate) => gate.kind === 'subgroup' && [gate.bound, gate.smallGroups]),
      [
        [0.02, { policy: 'report-only' }],
        [0, { policy: 'merge-into', into: '8' }],
      ],
    );
  });
});
