import { strict as assert } from 'node:assert';
import { manifest } from '../support/manifests.js';
import { ScriptedPlatform } from '../support/scripted-platform.js';
import { ModelUnderTest } from '../support/workflow-env.js';

describe('modelRelease: the ways through', function () {
  this.timeout(60_000);
  let model: ModelUnderTest;
  let platform: ScriptedPlatform;
  beforeEach(() => {
    platform = new ScriptedPlatform();
  });
  afterEach(() => model.stop());

  it('brings the first version to production on probation, and the next one through a canary', async () => {
    model = await ModelUnderTest.start(platform, manifest());
    const first = await model.submit('v1');
    assert.equal(await model.ended(first), 'succeeded');
    assert.equal(platform.serving, 'v1');
    const second = await model.submit('v2');
    assert.equal(await model.ended(second), 'succeeded');
    assert.equal(platform.serving, 'v2');
    const weights = platform.changes.map(({ desired }) => desired.candidate?.weight ?? null);
    assert.deepEqual(
      weights.filter((weight) => weight !== null),
      [0.1, 0.5],
    );
    await model.until(async () => (await model.view()).inFlight === null);
    const view = await model.view();
    assert.equal(view.champion?.version, 'v2');
    assert.equal(view.head.sequence, platform.ledger.length);
    assert.deepEqual(
      view.warm.map(({ version }) => version),
      ['v1'],
    );
    assert.ok(platform.actions.includes('canary.look'));
  });

  it('rolls a worse candidate back', async () => {
    model = await ModelUnderTest.start(platform, manifest());
    await model.succeed('v1');
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.2, championBad: 0.01 };
    const second = await model.submit('v2');
    assert.equal(await model.ended(second), 'rolled-back');
    assert.equal(platform.serving, 'v1');
    assert.equal(platform.route?.desired.candidate, null);
    await model.until(async () => (await model.view()).inFlight === null);
    assert.equal((await model.view()).champion?.version, 'v1');
  });
});
