import assert from 'node:assert/strict';
import { runChaos } from '../../support/chaos/chaos.js';
import { reportText } from '../../support/chaos/report.js';
import { scale } from '../../support/scale.js';

const SEED = 20_260_101;

describe('releases while everything is killed at random', function () {
  this.timeout(scale(600_000, 3_600_000));

  it(`end as they should, with seed ${SEED}`, async () => {
    const releases = scale(4, 200);
    const lines: string[] = [];
    const report = await runChaos({ releases, seed: SEED, onProgress: (line) => lines.push(line) });
    const said = `${reportText(report)}\n${lines.join('\n')}`;
    assert.deepEqual(report.violations, [], said);
    assert.equal(report.releases, releases, said);
    assert.equal(report.requests.lost, 0, said);
    assert.ok(report.requests.answered > 0 && report.ledgerEvents > 0, said);
    assert.ok(new Set(report.kills.map(({ process }) => process)).size >= 3, said);
  });
});
