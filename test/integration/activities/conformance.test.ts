import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { createConformanceActivities } from '../../../src/activities/conformance.js';
import type { VersionRef } from '../../../src/contracts/model.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { GatewayBench } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';

const logistic = (z: number): number => 1 / (1 + Math.exp(-z));
const failsWith = (type: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApplicationFailure, String(error));
  assert.equal(error.type, type);
  assert.match(error.message, words);
  return true;
};

describe('conformance of served versions', () => {
  const bench = new GatewayBench();
  let env: MockActivityEnvironment;
  let v1: VersionRef;
  let v2: VersionRef;
  let gateways: readonly Gateway[];

  before(async () => {
    await bench.open();
    env = activityEnvironment();
    v1 = await bench.version('v1', logisticModel([1, 2]));
    v2 = await bench.version('v2', logisticModel([3, -1]));
    gateways = [await bench.start(), await bench.start()];
    await bench.route('employment', { champion: v1, warm: [v2] }, gateways);
  });
  after(() => bench.close());

  const golden = async (bias = 0, last: number | null = null): Promise<string> => {
    const rows = Array.from({ length: 20 }, (_, i) => ({
      inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [i / 10, 1] }],
      score: [i === 19 && last !== null ? last : logistic((3 * i) / 10 - 1) + bias],
    }));
    const { digest } = await bench.artifacts.put(Buffer.from(JSON.stringify({ rows })));
    return digest;
  };
  const check = (goldenDigest: string, changes: object = {}, settings: object = {}) => {
    const activities = createConformanceActivities({
      artifacts: bench.artifacts,
      routes: bench.routes,
      settings,
    });
    const input = {
      model: 'employment',
      version: v2,
      goldenDigest,
      scoreOutput: 'score',
      tolerance: 1e-5,
      ...changes,
    };
    return inActivity(env, () => activities.checkConformance(input));
  };

  it('passes a version that answers on every gateway as it did offline, though it has no traffic', async () => {
    const { worstDifference, ...counts } = await check(await golden());
    assert.deepEqual(counts, { gateways: 2, rows: 20 });
    assert.ok(worstDifference > 0 && worstDifference < 1e-5, String(worstDifference));
  });

  it('refuses one that answers differently, and names the worst rows', async () => {
    const oneRow = check(await golden(0, 0.25));
    await assert.rejects(
      oneRow,
      failsWith(
        'ServingSkew',
        /2 of 40 answers \(20 rows\).*row 19 on gateway-[12]: 0\.99\d* instead of 0\.25/,
      ),
    );
    await assert.rejects(check(await golden(0.01)), failsWith('ServingSkew', /40 of 40/));
    await assert.rejects(
      check(await golden(), { version: v1 }),
      failsWith('ServingSkew', /does not give its offline answers/),
    );
  });

  it('takes a missing output, a refused input and a senseless tolerance for skew', async () => {
    const noScore = check(await golden(), { scoreOutput: 'probability' });
    await assert.rejects(noScore, failsWith('ServingSkew', /no score instead of 1/));
    const rows = [{ inputs: [{ name: 'y', shape: [1, 1], datatype: 'FP32', data: [1] }], score: [0.5] }];
    const { digest } = await bench.artifacts.put(Buffer.from(JSON.stringify({ rows })));
    await assert.rejects(check(digest), failsWith('ServingSkew', /status 400/));
    await assert.rejects(
      check(await golden(), { tolerance: Number.NaN }),
      failsWith('ServingSkew', /differ by more than NaN/),
    );
  });

  it('fails for good on golden rows that are not there or not rows', async () => {
    await assert.rejects(check('0'.repeat(64)), failsWith('ArtifactInvalid', /No artifact/));
    const { digest } = await bench.artifacts.put(Buffer.from('{"rows":[]}'));
    await assert.rejects(check(digest), failsWith('ArtifactInvalid', /does not hold golden rows: rows/));
  });

  it('tries again later while a version is not loaded or no gateway is live', async () => {
    const unknown = check(await golden(), { version: { version: 'v9', digest: '9'.repeat(64) } });
    await assert.rejects(
      unknown,
      (error: unknown) => error instanceof Error && /did not answer a golden row for v9/.test(error.message),
    );
    await assert.rejects(
      check(await golden(), {}, { silentSeconds: -1 }),
      failsWith('NotConfirmed', /No gateway is live/),
    );
  });
});
