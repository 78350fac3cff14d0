import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { CancelledFailure } from '@temporalio/common';
import { createValidationActivities, evidenceHashOf } from '../../../../src/activities/validation/index.js';
import type { GoldenFile } from '../../../../src/activities/validation/index.js';
import type { Gate, SubgroupGate } from '../../../../src/contracts/manifest.js';
import { openModelThread } from '../../../../src/platform/onnx/thread.js';
import { readTensor } from '../../../../src/platform/onnx/tensors.js';
import { manifest } from '../../../support/manifests.js';
import { logisticModel, lookupModel, slowModel } from '../../../support/onnx.js';
import { AT, gateOf, makeRows, MODELS, openSite, quietEnvironment, verdictsOf } from './support.js';
import type { Site } from './support.js';

const byArea = (
  measure: SubgroupGate['measure'],
  bound: number,
  more: Partial<SubgroupGate> = {},
): SubgroupGate => ({
  kind: 'subgroup',
  column: 'area',
  measure,
  bound,
  enforce: true,
  minRows: 100,
  smallGroups: { policy: 'report-only' },
  exceptions: [],
  ...more,
});

describe('validation activity', () => {
  let site: Site;
  let data: string;
  before(async () => {
    site = await openSite();
    data = await site.putRows(makeRows(6000));
  });
  after(() => site.close());

  it('passes a good candidate through every kind of gate, and reports each', async () => {
    const gates: Gate[] = [
      { kind: 'metric', metric: 'auc', min: 0.8 },
      { kind: 'metric', metric: 'auc', max: 1 },
      { kind: 'metric', metric: 'ece', max: 0.05 },
      { kind: 'no-regression', metric: 'auc', margin: 0.01 },
      { kind: 'no-regression', metric: 'logLoss', margin: 0.01 },
      { kind: 'no-regression', metric: 'ece', margin: 0.05 },
      byArea('equal-opportunity', 0.1),
      byArea('no-regression', 0.03),
      byArea('disparate-impact', 0.99, { enforce: false }),
      { kind: 'latency', p95Ms: 1000, rows: 50 },
      { kind: 'size', maxBytes: 10_000 },
    ];
    const report = await site.run({ dataDigest: data, gates, champion: MODELS.fair });
    assert.deepEqual(verdictsOf(report), {
      digest: 'passed',
      schema: 'passed',
      data: 'passed',
      'metric:auc': 'passed',
      'metric:auc#2': 'passed',
      'metric:ece': 'passed',
      'no-regression:auc': 'passed',
      'no-regression:logLoss': 'passed',
      'no-regression:ece': 'passed',
      'subgroup:area:equal-opportunity': 'passed',
      'subgroup:area:no-regression': 'passed',
      'subgroup:area:disparate-impact': 'reported',
      latency: 'passed',
      size: 'passed',
      'golden-rows': 'passed',
    });
    assert.deepEqual([report.passed, report.rows, report.dataDigest], [true, 6000, data]);
    const { evidenceHash, ...rest } = report;
    assert.equal(evidenceHash, evidenceHashOf(rest));
    assert.match(gateOf(report, 'subgroup:area:equal-opportunity').summary, /tiny reported: .* on 12 rows/);
    // As the ledger and the workflow will carry it.
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });

  it('gives the same evidence for the same inputs', async () => {
    const gates: Gate[] = [
      { kind: 'no-regression', metric: 'ece', margin: 0.05 },
      byArea('equal-opportunity', 0.1),
    ];
    const [one, two] = [
      await site.run({ dataDigest: data, gates, champion: MODELS.fair }),
      await site.run({ dataDigest: data, gates, champion: MODELS.fair }),
    ];
    assert.deepEqual(one, two);
    const other = await site.run({ dataDigest: data, gates, champion: MODELS.bad });
    assert.notEqual(other.evidenceHash, one.evidenceHash);
    assert.equal(other.goldenDigest, one.goldenDigest);
  });

  const failing: readonly (readonly [string, Gate, string, RegExp])[] = [
    [
      'metric:auc',
      { kind: 'metric', metric: 'auc', min: 0.99 },
      'failed',
      /auc is 0\.\d+; allowed is at least 0\.99/,
    ],
    ['metric:logLoss', { kind: 'metric', metric: 'logLoss', max: 0.1 }, 'failed', /allowed is at most 0\.1/],
    ['metric:mae', { kind: 'metric', metric: 'mae', max: 1 }, 'error', /mae does not fit task binary/],
    ['metric:brier', { kind: 'metric', metric: 'brier' }, 'error', /no bound; give min or max/],
    [
      'no-regression:auc',
      { kind: 'no-regression', metric: 'auc', margin: 0.01 },
      'failed',
      /above 0\.\d+; the margin is 0\.01/,
    ],
    [
      'no-regression:brier',
      { kind: 'no-regression', metric: 'brier', margin: 0.01 },
      'failed',
      /the loss is 0\.\d+/,
    ],
    ['subgroup:area:no-regression', byArea('no-regression', 0.01), 'failed', /n failed: .*s failed/],
    [
      'subgroup:area:equal-opportunity',
      byArea('equal-opportunity', 0.001),
      'undecided',
      /about \d+ rows are needed|undecided/,
    ],
    [
      'subgroup:area:disparate-impact',
      byArea('disparate-impact', 0.8, { reference: 'w' }),
      'error',
      /Reference group w is not among the groups: n, s, tiny/,
    ],
    ['size', { kind: 'size', maxBytes: 10 }, 'failed', /at most 10 are allowed/],
    ['latency', { kind: 'latency', p95Ms: 0.000001, rows: 30 }, 'failed', /the budget is/],
    ['latency', { kind: 'latency', p95Ms: 10, rows: 5 }, 'undecided', /too few for a 95th percentile/],
  ];
  for (const [name, gate, verdict, summary] of failing) {
    it(`fails by ${name} alone: ${verdict}`, async () => {
      const candidate =
        gate.kind === 'no-regression' || (gate.kind === 'subgroup' && gate.measure === 'no-regression')
          ? MODELS.bad
          : MODELS.good;
      const report = await site.run({ dataDigest: data, gates: [gate], candidate, champion: MODELS.good });
      const result = gateOf(report, name);
      assert.deepEqual([result.verdict, result.passed, report.passed], [verdict, false, false]);
      assert.match(result.summary, summary);
      const others = report.gates.filter(({ gate: other }) => other !== name);
      assert.ok(
        others.every(({ passed }) => passed),
        JSON.stringify(others),
      );
    });
  }

  it('says how many rows are missing when few rows leave it undecided', async () => {
    const few = await site.putRows(makeRows(150));
    const report = await site.run({
      dataDigest: few,
      gates: [
        { kind: 'no-regression', metric: 'auc', margin: 0.003 },
        { kind: 'no-regression', metric: 'accuracy', margin: 0.01 },
      ],
      champion: MODELS.fair,
    });
    for (const name of ['no-regression:auc', 'no-regression:accuracy']) {
      const { verdict, summary, detail } = gateOf(report, name);
      assert.equal(verdict, 'undecided', summary);
      if (detail['rowsNeeded'] === null) assert.match(summary, /more rows would not help/);
      else
        assert.ok(
          Number(detail['rowsNeeded']) > 150 &&
            summary.includes(`about ${Number(detail['rowsNeeded'])} rows are needed`),
        );
    }
    const tiny = await site.run({
      dataDigest: await site.putRows(makeRows(25)),
      gates: [
        { kind: 'metric', metric: 'auc', min: 0.5 },
        { kind: 'no-regression', metric: 'auc', margin: 0.5 },
      ],
      champion: MODELS.fair,
    });
    assert.deepEqual(
      [gateOf(tiny, 'metric:auc').verdict, gateOf(tiny, 'no-regression:auc').verdict],
      ['undecided', 'undecided'],
    );
  });

  it('without a champion compares nothing, and says so', async () => {
    const report = await site.run({
      dataDigest: data,
      gates: [{ kind: 'no-regression', metric: 'auc', margin: 0.01 }, byArea('no-regression', 0.01)],
    });
    for (const name of ['no-regression:auc', 'subgroup:area:no-regression']) {
      const { verdict, passed, summary } = gateOf(report, name);
      assert.deepEqual([verdict, passed], ['reported', true]);
      assert.match(summary, /no champion: nothing to compare with/);
    }
  });

  it('merges small groups, and lets an exception pass until it has expired', async () => {
    const merging = byArea('no-regression', 0.02, {
      smallGroups: { policy: 'merge-into', into: 'other' },
      exceptions: [
        { group: 'other', reason: 'twelve rows', approver: 'ada', expires: '2026-12-31' },
        { group: 'west', reason: 'closed', approver: 'ada', expires: '2026-12-31' },
      ],
    });
    const run = (at: string): ReturnType<Site['run']> =>
      site.run({ dataDigest: data, gates: [merging], champion: MODELS.fair, at });
    const now = gateOf(await run(AT), 'subgroup:area:no-regression');
    assert.equal(now.verdict, 'passed', now.summary);
    assert.match(
      now.summary,
      /other excepted: .*by ada until 2026-12-31: twelve rows.*the exception for west names no group/,
    );
    const later = gateOf(await run('2027-01-01T00:00:00.000Z'), 'subgroup:area:no-regression');
    assert.equal(later.verdict, 'undecided');
    assert.match(later.summary, /its exception by ada expired on 2026-12-31/);
  });

  it('records golden rows that the model answers alike, edges among them', async () => {
    const { goldenDigest } = await site.run({ dataDigest: data });
    assert.ok(goldenDigest !== null);
    const path = await site.store.pathOf(goldenDigest);
    const { rows } = JSON.parse(await readFile(path, 'utf8')) as GoldenFile;
    assert.equal(rows.length, 20);
    const digest = await site.put(MODELS.good);
    const model = await openModelThread({ file: await site.store.pathOf(digest), sha256: digest });
    try {
      for (const { inputs, score } of rows) {
        const { outputs } = await model.infer(inputs.map((tensor, i) => readTensor(tensor, `inputs[${i}]`)));
        assert.equal(outputs[0]?.data[0], score[0]);
      }
    } finally {
      await model.close();
    }
    const scores = rows.map(({ score }) => score[0] ?? 0);
    assert.ok(
      Math.min(...scores) < 0.02 &&
        Math.max(...scores) > 0.98 &&
        scores.some((score) => Math.abs(score - 0.5) < 0.01),
    );
  });

  it('reports every gate when the artifact is missing, damaged, no model or another model', async () => {
    const gates: Gate[] = [
      { kind: 'metric', metric: 'auc', min: 0.5 },
      { kind: 'size', maxBytes: 10_000 },
    ];
    const missing = await site.run({ dataDigest: data, gates, candidate: 'a'.repeat(64) });
    assert.deepEqual(verdictsOf(missing), {
      digest: 'error',
      schema: 'error',
      data: 'passed',
      'metric:auc': 'error',
      size: 'error',
      'golden-rows': 'error',
    });
    assert.match(
      gateOf(missing, 'digest').summary,
      /artifact of the candidate cannot be used: No artifact with digest a+/,
    );
    assert.equal(missing.goldenDigest, null);
    const garbage = await site.run({ dataDigest: data, gates, candidate: Buffer.from('no model') });
    assert.match(
      gateOf(garbage, 'schema').summary,
      /The candidate cannot be loaded: ONNX Runtime cannot load/,
    );
    assert.equal(gateOf(garbage, 'size').verdict, 'passed');
    const other = await site.run({ dataDigest: data, gates, candidate: logisticModel([1, 1, 1]) });
    assert.equal(gateOf(other, 'schema').verdict, 'failed');
    assert.match(
      gateOf(other, 'schema').summary,
      /input x has shape \[-1, 3\] in the model, but width 2 in the manifest/,
    );
    assert.match(gateOf(other, 'metric:auc').summary, /The candidate cannot be scored, since it differs/);
  });

  it('names the row that the candidate fails on, and scores that are none', async () => {
    const gates: Gate[] = [
      { kind: 'metric', metric: 'auc', min: 0.5 },
      { kind: 'latency', p95Ms: 100, rows: 20 },
    ];
    const rows = makeRows(300).map((row, i) => ({ ...row, x: [i === 170 ? 40 : 1, 0] as const }));
    const report = await site.run({
      dataDigest: await site.putRows(rows),
      gates,
      candidate: lookupModel(2, [0.2, 0.8]),
    });
    assert.match(gateOf(report, 'metric:auc').summary, /The candidate fails on row 171: /);
    const nan = await site.run({ dataDigest: data, gates, candidate: logisticModel([Number.NaN, 1]) });
    assert.match(
      gateOf(nan, 'metric:auc').summary,
      /Output score is NaN \(the candidate, rows from 1, row 1 of these\)/,
    );
    assert.equal(gateOf(nan, 'golden-rows').verdict, 'error');
    const wild = await site.run({
      dataDigest: data,
      gates,
      candidate: lookupModel(2, [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]),
    });
    assert.equal(gateOf(wild, 'metric:auc').verdict, 'error');
  });

  it('finds a slow candidate by the time inside its thread', async () => {
    const report = await site.run({
      dataDigest: await site.putRows(makeRows(60)),
      gates: [{ kind: 'latency', p95Ms: 2, rows: 30 }],
      candidate: slowModel([2, 0], 20_000),
    });
    const { verdict, detail } = gateOf(report, 'latency');
    assert.equal(verdict, 'failed');
    assert.ok(Number(detail['p95Ms']) > 2 && Number(detail['p50Ms']) <= Number(detail['p95Ms']));
  });

  it('heartbeats, and ends when it is cancelled', async () => {
    const environment = quietEnvironment();
    let beats = 0;
    environment.on('heartbeat', () => {
      beats += 1;
      if (beats === 6) environment.cancel('CANCELLED');
    });
    await assert.rejects(site.run({ dataDigest: data, environment }), CancelledFailure);
    assert.equal(beats, 6);
  });

  it('leaves a store that cannot be reached to the retry, instead of blaming the version', async () => {
    const FakeUnreachableStore = {
      pathOf: () => Promise.reject(Object.assign(new Error('input/output error'), { code: 'EIO' })),
      put: () => Promise.reject(new Error('not reached')),
    };
    const activities = createValidationActivities({ ...site.deps, artifacts: FakeUnreachableStore });
    const input = {
      manifest: manifest(),
      version: { version: 'v1', digest: 'a'.repeat(64) },
      champion: null,
      release: 1,
      at: AT,
    };
    await assert.rejects(
      quietEnvironment().run(() => activities.validateVersion(input)),
      /input\/output error/,
    );
  });
});
