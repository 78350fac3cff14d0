import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupManifest } from '../../../src/backup/format.js';
import { verifyBackup } from '../../../src/backup/verify.js';
import type { Restored } from '../../../src/client/restore.js';
import type { VerifiedLedger } from '../../../src/client/audit.js';
import { findByArgument } from '../../../src/processes/identity.js';
import { mongodArgument } from '../../../src/stack/mongod.js';
import { tenureHere } from '../../support/command.js';
import { approvalBy } from '../../support/manifests.js';
import { OwnHome } from '../../support/own-home.js';
import { MODELS } from '../../support/release-plan.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';

const RATE = { rate: 60 };

describe('a backup of a home in which releases run under load', function () {
  this.timeout(240_000);
  let home: OwnHome;
  let other: OwnHome;
  let folder: string;
  let manifest: BackupManifest;
  const users: Traffic[] = [];

  before('a home, and another one', async () => {
    home = await OwnHome.make();
    other = await OwnHome.make(home.name);
    folder = join(other.folder, 'backups', 'first');
    await home.open(['gateway-1']);
  });
  after(async () => {
    await Promise.all(users.map((traffic) => traffic.stop()));
    await Promise.all([home?.remove(), other?.remove()]);
  });

  it('is of one moment, whole, and nobody is the worse for it', async () => {
    const { stage } = home;
    const names = ['flying', 'asking', 'resting'];
    users.push(...(await Promise.all(names.map((model) => stage.model(model, {}, RATE)))));
    await stage.apply('asking', {
      approval: { beforeDeploy: approvalBy(1, 'beatrice'), beforePromote: null },
    });
    for (const traffic of users) traffic.reset();
    for (const traffic of users) traffic.resume();
    const [release, waiting] = await Promise.all([
      stage.submit('flying', 'v2', MODELS.v2),
      stage.submit('asking', 'v2', MODELS.v2),
    ]);
    await Promise.all([
      stage.follow('flying', release, ({ canary }) => (canary?.looks ?? 0) > 0),
      stage.follow('asking', waiting, ({ stage: at }) => at === 'awaiting-approval'),
    ]);
    const made = await tenureHere(['backup', folder, '--json'], home.env);
    assert.equal(made.code, 0, made.stdout + made.stderr);
    ({ manifest } = JSON.parse(made.stdout) as { manifest: BackupManifest });
    assert.deepEqual(manifest.problems, []);
    assert.ok(manifest.temporal.included && manifest.temporal.pausedMs !== null);
    assert.deepEqual(await readdir(join(folder, '..')), ['first']);
    const heads = Object.entries(manifest.ledger.heads).map(([model, { sequence }]) => [
      model,
      sequence > 10,
    ]);
    assert.deepEqual(
      heads,
      names.sort().map((model) => [model, true]),
    );
    // Two models, two versions of each, the data set, and what the gates left.
    assert.ok(manifest.artifacts.count >= 3);
    const again = await tenureHere(['backup', folder], home.env);
    assert.deepEqual([again.code, again.stdout], [1, '']);
    assert.match(again.stderr, /first exists already: a backup is never overwritten/);
    // The home it is of goes on as if nothing had been.
    await stage.ends('flying', release, 'succeeded');
    allAnswered(users[0]!);
  });

  it('is verified without any server', async () => {
    const verified = await tenureHere(['backup', 'verify', folder], { TENURE_HOME: '/nowhere' });
    assert.deepEqual(
      [verified.code, verified.stdout.split('\n')[0]],
      [0, `ok: ${folder} is as it was written`],
    );
    assert.deepEqual(await verifyBackup(folder), manifest);
  });

  it('is not restored into a home whose stack runs', async () => {
    const refused = await tenureHere(['restore', folder], home.env);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /The stack of \S+ is run by process \d+: stop it first/);
  });

  it('is restored into a new home once that is lost, and there everything goes on from that moment to its end', async () => {
    await Promise.all(users.splice(0).map((traffic) => traffic.stop()));
    await home.down();
    const done = await tenureHere(['restore', folder, '--json'], other.env);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const restored = JSON.parse(done.stdout) as Restored;
    assert.deepEqual([restored.temporal, restored.events], ['restored', manifest.ledger.events]);
    assert.deepEqual(restored.artifacts, {
      inBackup: manifest.artifacts.count,
      put: manifest.artifacts.count,
    });
    // Nothing of it runs on.
    assert.deepEqual(findByArgument(mongodArgument(other.folder)), []);
    assert.equal(existsSync(join(other.folder, 'temporal.sqlite')), true);

    // It is not empty any more.
    const again = await tenureHere(['restore', folder], other.env);
    assert.equal(again.code, 1);
    assert.match(
      again.stderr,
      /Database \S+ is not empty: ledger \(\d+\), .*embedded Temporal in .*with --replace the backup/,
    );
    const asked = await tenureHere(['restore', folder, '--replace'], other.env);
    assert.deepEqual(
      [asked.code, /Nobody can be asked here: repeat it with --yes/.test(asked.stderr)],
      [2, true],
    );
    assert.equal((await tenureHere(['restore', folder, '--yes'], other.env)).code, 2);

    const stage = await other.open(['gateway-1']);
    const ledger = await tenureHere(['ledger', 'verify', '--json'], other.env);
    assert.equal(ledger.code, 0, ledger.stdout + ledger.stderr);
    const verified = JSON.parse(ledger.stdout) as VerifiedLedger;
    assert.deepEqual([verified.ok, verified.headsMatched, verified.headsUnknown], [true, 3, []]);
    const there = ['flying', 'asking', 'resting'].map((model) => stage.traffic(model, RATE));
    users.push(...there);
    const approval = await tenureHere(
      ['release', 'approve', 'asking', '--as', 'beatrice', '--reason', 'read before the restore'],
      other.env,
    );
    assert.equal(approval.code, 0, approval.stdout + approval.stderr);
    await Promise.all([stage.ends('flying', 2, 'succeeded'), stage.ends('asking', 2, 'succeeded')]);
    for (const traffic of there) allAnswered(traffic);
    for (const model of ['flying', 'asking']) {
      const told = (await stage.record(model)).map(({ event }) => event);
      const once = told.filter(({ id, action }) => action === 'release.promoted' && id.includes(':2/'));
      assert.equal(once.length, 1);
      assert.equal((await stage.table(model)).champion?.version, 'v2');
    }
    assert.equal((await stage.table('resting')).champion?.version, 'v1');
  });
});
