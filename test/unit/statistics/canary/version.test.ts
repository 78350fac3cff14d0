import { strict as assert } from 'node:assert';
import { CANARY_JUDGE_VERSION } from '../../../../src/statistics/canary/index.js';
import { judgeVersion } from '../../../support/judge-version.js';

describe('The version of the deciding code', () => {
  it('is the digest of that code: after a change run `npm run judge:version`', async () => {
    assert.equal(CANARY_JUDGE_VERSION, await judgeVersion());
  });
});
