import { strict as assert } from 'node:assert';
import type { GateResult } from '../../src/contracts/validation.js';
import { retryParked } from '../../src/contracts/messages.js';
import { useModel } from '../support/workflow-env.js';

const gate = (name: string, verdict: GateResult['verdict']): GateResult => ({
  gate: name,
  passed: verdict === 'passed',
  verdict,
  summary: `${name} ${verdict}`,
  detail: {},
});

describe('validation', function () {
  this.timeout(60_000);
  const start = useModel();

  for (const verdict of ['failed', 'undecided', 'error'] as const)
    it(`ends the release when a gate is ${verdict}, and no traffic is touched`, async () => {
      const { model, platform } = await start(
        {},
        {
          champion: 'v1',
          prepare: (made) => {
            made.report = { passed: false, gates: [gate('metric:auc', 'passed'), gate('size', verdict)] };
          },
        },
      );
      const number = await model.submit('v2');
      assert.equal(await model.ended(number), 'rejected');
      assert.deepEqual(platform.changes, []);
      assert.equal(platform.recorded('release.rejected')[0]?.evidence['reason'], 'gates not passed: size');
      const [validated] = platform.recorded('release.validated');
      assert.match(JSON.stringify(validated?.evidence), /size/);
      assert.equal((await model.releaseView(number)).validation?.gates.length, 2);
      await model.idle();
      assert.equal((await model.view()).champion?.version, 'v1');
    });

  it('parks on a bug in the activity and goes on when it is mended', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.fail('validateVersion', () => new TypeError('rows is not iterable'));
    const number = await model.submit('v2');
    await model.until(async () => (await model.releaseView(number).catch(() => null))?.parked != null);
    const { parked } = await model.releaseView(number);
    assert.equal(parked?.what, 'validate v2');
    assert.equal(parked.why, 'rows is not iterable');
    platform.mend();
    await model.release(number).signal(retryParked, { requestId: 'r1', actor: 'otto' });
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.alerts.filter(({ key }) => key.includes('/parked/')).length, 1);
  });
});
