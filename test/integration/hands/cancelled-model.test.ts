import assert from 'node:assert/strict';
import { freezeModel, unfreezeModel } from '../../../src/contracts/messages.js';
import { useModel, useRealServer } from '../../support/workflow-env.js';

describe('Cancel of a model in Temporal', function () {
  this.timeout(60_000);
  const start = useModel();
  const server = useRealServer();

  it('does not keep it from continuing as new, with what it knows', async () => {
    const { model, platform } = await start({}, { env: server(), champion: 'v1', historyLimit: 60 });
    const first = (await model.handle.describe()).runId;
    await model.handle.cancel();
    await model.until(() => platform.recorded('model.cancellation-ignored').length > 0);
    for (let n = 0; (await model.handle.describe()).runId === first; n += 1) {
      assert.ok(n < 20, 'twenty freezes and unfreezes, and it is still the first run');
      await model.ask(freezeModel, { reason: `freeze ${n}` });
      await model.ask(unfreezeModel, { reason: `unfreeze ${n}` });
    }
    assert.equal((await model.view()).champion?.version, 'v1');
    await model.succeed('v2');
    assert.equal(platform.recorded('model.cancellation-ignored').length, 1);
  });
});
