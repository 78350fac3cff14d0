import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parse, stringify } from 'yaml';
import {
  FREEZE_DAYS,
  type Gate,
  type GuardrailSettings,
  type Manifest,
  type OutputField,
} from '../../../src/contracts/manifest.js';
import { parseManifest, resolveManifest, stringifyManifest } from '../../../src/manifest/index.js';
import { METRICS_OF_TASK } from '../../../src/manifest/gate-checks.js';
import { scale } from '../../support/scale.js';
import { MINIMAL } from '../../support/model-yaml.js';

const SETTINGS = { seed: 20261124, numRuns: scale(25, 5000) };

// Text that YAML could take for something else is likely.
const text = fc.oneof(
  fc.constantFrom(
    'yes',
    'null',
    '~',
    '1',
    '0x1f',
    '1e3',
    ' a ',
    '- b',
    '# c',
    'd: e',
    '"',
    "'",
    '*f',
    '&g',
    '!h',
    '<<',
    '5%',
    '15m',
    '2027-01-01',
    'ß€😀',
    'i\nj',
    '{k}',
  ),
  fc.string({ minLength: 1, maxLength: 30 }).filter((s) => s.length <= 60),
);
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const share = fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs);
const inside = fc.double({ min: 0.001, max: 0.5, noNaN: true });
const whole = (max = 1000): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const seconds = fc.oneof(fc.integer({ min: 1, max: 86_400 }), fc.double({ min: 1, max: 1000, noNaN: true }));
const label = fc.oneof(text, fc.integer());

const actions = fc.uniqueArray(
  fc.constantFrom('notify' as const, 'roll-back' as const, 'retrain' as const, 'fallback' as const),
);
const monitoring = fc.option(
  fc.record({
    windowSeconds: fc.integer({ min: 5, max: 604_800 }),
    falseFindingSeconds: fc.integer({ min: 3600, max: 1_000_000_000 }),
    minRows: fc.integer({ min: 20, max: 1000 }),
    material: inside,
    season: fc.constantFrom('none' as const, 'day' as const, 'week' as const),
    ignore: fc.constant([]),
    performance: fc.record({
      metric: fc.constantFrom('auc' as const, 'accuracy' as const, 'f1' as const),
      margin: inside,
    }),
    samples: fc.record({ share, retainSeconds: fc.integer({ min: 3600, max: 1_000_000 }) }),
    labelSeconds: seconds,
    policy: fc.record({
      drift: actions,
      performance: actions,
      quality: actions,
      traffic: actions,
      availability: actions,
    }),
    promotionSeconds: fc.nat(7_000_000),
    fallbackVersion: text,
    revalidateSeconds: fc.option(fc.integer({ min: 86_400, max: 100_000_000 })),
    incidents: fc.record({
      clearWindows: whole(),
      escalation: fc
        .uniqueArray(whole(), { maxLength: 3 })
        .map((times) => times.sort((a, b) => a - b).map((afterSeconds) => ({ afterSeconds, roles: [] }))),
      reportSeconds: fc.option(fc.integer({ min: 3600, max: 1_000_000 })),
    }),
  }),
);

const point = fc
  .record({
    approvers: fc.uniqueArray(fc.record({ name: text, roles: fc.uniqueArray(text, { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 4,
      selector: (a) => a.name,
    }),
    quorum: whole(4),
    expiresAfterSeconds: seconds,
  })
  .map(({ approvers, quorum, expiresAfterSeconds }) => ({
    approvers,
    quorum: Math.min(quorum, approvers.length),
    requiredRoles: [...new Set(approvers.flatMap(({ roles }) => roles))].slice(0, 2),
    expiresAfterSeconds,
  }));

const subgroup = fc.record({
  kind: fc.constant('subgroup' as const),
  column: text.map((column) => `${column}_group`),
  measure: fc.constantFrom(
    'disparate-impact' as const,
    'equal-opportunity' as const,
    'no-regression' as const,
  ),
  bound: share,
  enforce: fc.boolean(),
  minRows: whole(),
  smallGroups: fc.oneof(
    fc.constant({ policy: 'report-only' as const }),
    fc.record({ policy: fc.constant('merge-into' as const), into: text }),
  ),
  exceptions: fc.uniqueArray(
    fc.record({ group: label, reason: text, approver: text, expires: fc.constant('2027-02-28') }),
    { maxLength: 2, selector: ({ group }) => String(group) },
  ),
});

const guardrail: fc.Arbitrary<GuardrailSettings> = fc
  .tuple(
    fc.record({
      relativeMargin: fc.double({ min: 1.1, max: 9, noNaN: true }),
      absoluteMargin: inside,
      hardLimit: fc.option(inside),
    }),
    fc.oneof(
      fc.constant({ kind: 'errors' as const }),
      fc.record({
        kind: fc.constant('slow' as const),
        quantile: fc.double({ min: 0.5, max: 0.999, noNaN: true }),
        factor: whole(9),
        floorMs: inside,
      }),
      fc.record({
        kind: fc.constant('share' as const),
        output: fc.constant('score'),
        index: fc.constant(0),
        op: fc.constantFrom(
          '<' as const,
          '<=' as const,
          '>' as const,
          '>=' as const,
          '==' as const,
          '!=' as const,
        ),
        value: fc.double({ noNaN: true, noDefaultInfinity: true }),
      }),
    ),
    name,
  )
  .map(([common, own, called]) => ({ ...common, ...own, name: called }));

const steps = fc
  .uniqueArray(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 })
  .chain((weights) =>
    fc.tuple(
      ...weights
        .toSorted((a, b) => a - b)
        .map((weight) => fc.record({ weight: fc.constant(weight), minKeys: whole(), minSeconds: seconds })),
    ),
  );

const task = fc.constantFrom('binary' as const, 'multiclass' as const, 'regression' as const);

/** Valid resolved manifests. */
const manifests: fc.Arbitrary<Manifest> = task.chain((chosen) => {
  const classes = { binary: [2, 2], multiclass: [2, 5], regression: [0, 0] }[chosen];
  return fc
    .record({
      name,
      team: name,
      owner: text,
      purpose: text,
      riskTier: fc.constantFrom('experimental' as const, 'low' as const, 'medium' as const, 'high' as const),
      contacts: fc.array(fc.record({ name: text, role: text }), { maxLength: 2 }),
      inputs: fc.uniqueArray(
        fc.record({
          name: text.map((n) => `in ${n}`),
          datatype: fc.constantFrom('FP32' as const, 'BYTES' as const),
          width: whole(),
          nullable: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4, selector: (f) => f.name },
      ),
      categories: fc.uniqueArray(text, { minLength: 1, maxLength: 4 }),
      classes: fc.uniqueArray(label, {
        minLength: classes[0] ?? 0,
        maxLength: classes[1] ?? 0,
        selector: String,
      }),
      threshold: share,
      data: text,
      dataDigest: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
      goldenRows: whole(),
      subgroups: fc.uniqueArray(subgroup, { maxLength: 2, selector: ({ column }) => column }),
      metric: fc.constantFrom(...METRICS_OF_TASK[chosen]),
      bound: inside,
      command: fc.array(text, { minLength: 1, maxLength: 3 }),
      beforeDeploy: fc.option(point),
      beforePromote: fc.option(point),
      shadow: fc.option(
        fc.record({
          share: inside,
          minRequests: whole(),
          agreementFloor: share,
          tolerance: share,
          maxSeconds: seconds,
        }),
      ),
      steps,
      guardrails: fc.uniqueArray(guardrail, { minLength: 1, maxLength: 4, selector: (g) => g.name }),
      judgement: fc.constantFrom('prove' as const, 'watch' as const),
      alpha: inside,
      drill: fc.boolean(),
      soak: fc.record({ seconds, holdback: inside }),
      latencyMs: whole(),
      leaseSeconds: whole(3600),
      rollbackWindowSeconds: seconds,
      monitoring,
      freezeWindows: fc.array(
        fc.record({
          days: fc.uniqueArray(fc.constantFrom(...FREEZE_DAYS), { minLength: 1, maxLength: 6 }),
          from: fc.constantFrom('00:00', '22:30'),
          to: fc.constantFrom('07:05', '24:00'),
          timeZone: fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York'),
          reason: text,
        }),
        { maxLength: 1 },
      ),
    })
    .map((drawn): Manifest => {
      // Arbitrary records may have no prototype.
      const m = structuredClone(drawn);
      const outputs: OutputField[] = [
        { name: 'score', datatype: 'FP64', width: chosen === 'multiclass' ? m.classes.length : 1 },
      ];
      const gates: Gate[] = [
        { kind: 'metric', metric: m.metric, min: m.bound, max: 1 },
        { kind: 'no-regression', metric: m.metric, margin: m.bound },
        { kind: 'latency', p95Ms: m.latencyMs, rows: 20 },
        { kind: 'size', maxBytes: m.goldenRows },
        { kind: 'command', name: m.team, command: m.command, timeoutSeconds: m.soak.seconds },
        ...(chosen === 'binary' ? m.subgroups : []),
      ];
      return {
        apiVersion: 'tenure/v1',
        kind: 'Model',
        name: m.name,
        team: m.team,
        owner: m.owner,
        contacts: m.contacts,
        purpose: m.purpose,
        task: chosen,
        riskTier: m.riskTier,
        schema: {
          inputs: [
            ...m.inputs,
            { name: 'codes', datatype: 'BYTES', width: 1, nullable: false, categories: m.categories },
          ],
          outputs,
        },
        prediction: { score: 'score', classes: m.classes, threshold: m.threshold },
        validation: {
          data: m.data,
          dataDigest: m.dataDigest,
          target: 'label',
          goldenRows: m.goldenRows,
          goldenTolerance: m.alpha,
          gates,
        },
        approval: { beforeDeploy: m.beforeDeploy, beforePromote: m.beforePromote },
        shadow: m.shadow,
        canary: {
          steps: m.steps,
          guardrails: m.guardrails,
          judgement: m.judgement,
          alpha: m.alpha,
          beta: m.alpha,
          maxSeconds: 7_000_000,
          rollbackDrill: m.drill,
        },
        soak: m.soak,
        objectives: { availability: 1 - m.alpha, latencyMs: m.latencyMs, slowShare: m.alpha },
        serving: {
          deadlineMs: m.latencyMs + 1,
          fallback: m.drill,
          leaseSeconds: m.leaseSeconds,
          maxConcurrency: m.goldenRows,
          routingKeyHeader: m.name,
        },
        rollbackWindowSeconds: m.rollbackWindowSeconds,
        freezeWindows: m.freezeWindows,
        monitoring: m.monitoring,
        retraining: null,
      };
    });
});

describe('resolved manifests', () => {
  it('written as YAML and read again are the same', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const read = parseManifest(stringifyManifest(manifest));
        assert.ok(read.ok, read.ok ? '' : JSON.stringify(read.problems));
        assert.deepEqual(read.manifest, manifest);
      }),
      SETTINGS,
    );
  });

  it('resolved once more are the same, also when they come as JSON', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const again = resolveManifest(JSON.parse(JSON.stringify(manifest)));
        assert.deepEqual(again, { ok: true, manifest: JSON.parse(JSON.stringify(manifest)) });
      }),
      SETTINGS,
    );
  });
});

describe('any input', () => {
  it('gives a manifest or located problems, never an exception', () => {
    const lines = MINIMAL.split('\n');
    const slip = fc.tuple(
      fc.nat(lines.length - 1),
      fc.oneof(
        text,
        fc.constantFrom(
          '',
          '- ',
          '  ',
          'canary: {steps: [1]}',
          'approval: []',
          'schema:',
          'validation: {gates: [{kind: 7}, null]}',
        ),
      ),
    );
    fc.assert(
      fc.property(fc.array(slip, { minLength: 1, maxLength: 3 }), (slips) => {
        const broken = [...lines];
        for (const [at, line] of slips) broken[at] = line;
        const result = parseManifest(broken.join('\n'));
        if (result.ok) return;
        assert.ok(result.problems.length > 0);
        for (const { line, column, message } of result.problems) {
          assert.ok(
            line !== null &&
              line >= 1 &&
              line <= broken.join('\n').split('\n').length &&
              column !== null &&
              column >= 1,
          );
          assert.match(message, /(missing; needed|allowed:|;|Allowed:|Not valid YAML|cannot be read)/);
        }
      }),
      SETTINGS,
    );
  });

  it('of any shape in any section is refused without an exception', () => {
    const minimal = parse(MINIMAL) as Record<string, unknown>;
    const keys = [
      ...Object.keys(minimal),
      'approval',
      'canary',
      'shadow',
      'soak',
      'objectives',
      'serving',
      'contacts',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.anything({ maxDepth: 3 }), (key, value) => {
        const result = resolveManifest({ ...minimal, [key]: value });
        assert.ok(result.ok || result.complaints.every(({ path }) => path.length > 0));
      }),
      SETTINGS,
    );
  });

  it('keeps values that YAML 1.1 would change', () => {
    const manifest = resolveManifest({
      ...(parse(MINIMAL) as object),
      owner: 'no',
      prediction: { score: 'score', classes: ['off', 'on'] },
    });
    assert.ok(manifest.ok);
    const read = parseManifest(stringify(manifest.manifest));
    assert.ok(read.ok);
    assert.deepEqual([read.manifest.owner, read.manifest.prediction.classes], ['no', ['off', 'on']]);
  });
});
