import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyBackup } from '../../../src/backup/verify.js';
import type { BackupManifest } from '../../../src/backup/format.js';
import { verifyLedger } from '../../../src/client/audit.js';
import { tenureHere } from '../../support/command.js';
import { approvalBy } from '../../support/manifests.js';
import { OwnHome } from '../../support/own-home.js';
import { MODELS } from '../../support/release-plan.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';

const RATE = { rate: 60 };

describe('a backup of a home in which releases run under load', function () {
  this.timeout(240_000);
  let home: OwnHome;
  let other: OwnHome | undefined;
  const users: Traffic[] = [];

  before(async function () {
    home = await OwnHome.make();
    await home.open(['gateway-1']);
  });
  after(async () => {
    await Promise.all(users.map((traffic) => traffic.stop()));
    await other?.remove();
    await home?.remove();
  });

  it('holds them all at one moment, and elsewhere they go on from there to their ends', async () => {
    const { stage } = home;
    const canary = { judgement: 'prove' as const };
    const [flying, asking, resting] = await Promise.all([
      stage.model('flying', {}, RATE),
      stage.model('asking', { approval: { beforeDeploy: approvalBy(1, 'beatrice'), beforePromote: null } }, RATE).catch(
        (error: unknown) => Promise.reject(error),
      ),
      stage.model('resting', {}, RATE),
    ]);
    void canary;
    users.push(flying, asking, resting);
    for (const traffic of users) traffic.resume();
    const [release, waiting] = await Promise.all([
      stage.submit('flying', 'v2', MODELS.v2),
      stage.submit('asking', 'v2', MODELS.v2),
    ]);
    await Promise.all([
      stage.follow('flying', release, ({ canary: seen }) => (seen?.looks ?? 0) > 0),
      stage.follow('asking', waiting, ({ stage: at }) => at === 'awaiting-approval'),
    ]);
    const folder = join(home.folder, 'backups', 'first');
    const made = await tenureHere(['backup', folder, '--json'], home.env);
    assert.equal(made.code, 0, made.stdout + made.stderr);
    const manifest = JSON.parse(made.stdout) as BackupManifest;
    assert.deepEqual(manifest.problems, []);
    console.error(JSON.stringify(manifest, null, 1), made.stderr);
    assert.ok(manifest.temporal.included);
    assert.deepEqual(await readdir(join(home.folder, 'backups')), ['first']);
    await verifyBackup(folder);
  });
});
