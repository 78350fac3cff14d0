import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyBackup } from '../../../src/backup/verify.js';
import { prepareDatabase } from '../../../src/platform/mongo/index.js';
import { type Environment, startTenure, tenureHere } from '../../support/command.js';
import { forgeForms } from '../../support/forged-backup.js';
import { scale } from '../../support/scale.js';
import { SeededHome } from '../../support/seeded-home.js';

const failing = (home: SeededHome, point: string): Environment => ({
  ...home.env,
  TENURE_FAIL_POINT: point,
  TENURE_FAIL_FOLDER: join(home.folder, 'marks'),
  TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
});

/** Runs the command until it is killed there. */
async function killAt(home: SeededHome, point: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await startTenure(args, failing(home, point)).ended;
  assert.equal(code, null, `${point}: ${stderr}`);
  assert.equal((await readdir(join(home.folder, 'marks'))).length, 1, point);
}

describe('a backup that is killed', function () {
  this.timeout(120_000);
  it('is whole or not there; the next one to the same place cleans up after it', async () => {
    const points = [
      'backup.file.before',
      'backup.file.after:4',
      'backup.publish.before',
      'backup.publish.after',
    ];
    await Promise.all(
      points.map(async (point, i) => {
        const own = await SeededHome.seeded();
        try {
          const folder = join(own.folder, `backup-${i}`);
          await killAt(own, point, ['backup', folder]);
          const whole = point === 'backup.publish.after';
          assert.deepEqual([existsSync(folder), existsSync(`${folder}.partial`)], [whole, !whole]);
          const again = await tenureHere(['backup', folder], own.env);
          assert.equal(again.code, whole ? 1 : 0, again.stderr);
          await verifyBackup(folder);
          const left = (await readdir(own.folder)).filter((name) => name.startsWith('backup-'));
          assert.deepEqual(left, whole ? [`backup-${i}`, `backup-${i}.lock`] : [`backup-${i}`]);
        } finally {
          await own.remove();
        }
      }),
    );
  });
});

/** Where what was there before is still whole; every point in the long run. */
const BACK = scale(
  ['restore.artifact.after', 'restore.mark.after', 'restore.load.after:5'],
  [
    'restore.artifact.before',
    'restore.artifact.after',
    'restore.mark.before',
    'restore.mark.after',
    'restore.load.before:2',
    'restore.load.after:5',
  ],
);
/** Where something has taken its place already, so that the only way is forward. */
const FORWARD = scale(
  ['restore.temporal.after', 'restore.swap.after:3', 'restore.finish.before', 'restore.finish.after'],
  [
    'restore.temporal.before',
    'restore.temporal.after',
    'restore.temporal.after:2',
    'restore.swap.before',
    'restore.swap.after:3',
    'restore.finish.before',
    'restore.finish.after',
  ],
);
/** Where nothing of it is noted in the database: it has not begun there, or is over. */
const UNNOTED = [
  'restore.artifact.before',
  'restore.artifact.after',
  'restore.mark.before',
  'restore.finish.after',
];

describe('a restore that is killed', function () {
  this.timeout(180_000);
  let source: SeededHome;
  let folder: string;
  before(async () => {
    source = await SeededHome.seeded();
    folder = join(source.folder, 'backup');
    const made = await tenureHere(['backup', folder], source.env);
    assert.equal(made.code, 0, made.stderr);
  });
  after(() => source?.remove());

  /** A home with something else in it, which is to be replaced. */
  async function occupied(): Promise<SeededHome> {
    const home = await SeededHome.seeded();
    await home.db.collection<{ _id: string }>('alerts').deleteMany({});
    await rm(join(home.folder, 'artifacts'), { recursive: true });
    await home.db.collection('foreign').insertOne({ of: 'somebody else' });
    return home;
  }

  const restore = (): readonly string[] => ['restore', folder, '--replace', '--yes'];

  async function isRestored(home: SeededHome, point: string): Promise<void> {
    const { foreign, ...contents } = await home.contents();
    assert.equal(foreign?.length, 1);
    assert.deepEqual(contents, await source.contents(), point);
    await prepareDatabase(home.db);
    assert.equal(await readFile(join(home.folder, 'temporal.sqlite'), 'utf8'), 'bytes of a database');
    assert.equal(await readFile(join(home.folder, 'temporal.sqlite-journal'), 'utf8'), 'and of its journal');
    const left = (await readdir(home.folder)).filter((name) => /restoring|gateways/.test(name));
    assert.deepEqual(left, [], point);
    for await (const digest of source.store.list()) assert.ok(await home.store.has(digest));
  }

  it('is completed by the same command again, wherever that was; until then no worker starts', async () => {
    await Promise.all(
      [...BACK, ...FORWARD].map(async (point) => {
        const home = await occupied();
        try {
          const before = await home.contents();
          await killAt(home, point, restore());
          const untouched = Object.entries(await home.contents()).filter(([name]) => !name.startsWith('('));
          if (BACK.includes(point)) assert.deepEqual(Object.fromEntries(untouched), before, point);
          if (!UNNOTED.includes(point))
            await assert.rejects(prepareDatabase(home.db), /repeat `tenure restore \S+`/, point);
          const again = await tenureHere(restore(), home.env);
          assert.equal(again.code, 0, `${point}: ${again.stderr}`);
          await isRestored(home, point);
        } finally {
          await home.remove();
        }
      }),
    );
  });

  it('can be given up while what was there is whole, and not later', async () => {
    const [early, late] = await Promise.all([occupied(), occupied()]);
    try {
      const before = await early.contents();
      await Promise.all([
        killAt(early, 'restore.load.after:3', restore()),
        killAt(late, 'restore.swap.after', restore()),
      ]);
      const [given, refused, other] = await Promise.all([
        tenureHere(['restore', folder, '--give-up'], early.env),
        tenureHere(['restore', folder, '--give-up'], late.env),
        tenureHere(['backup', join(late.folder, 'half')], late.env),
      ]);
      assert.equal(given.code, 0, given.stderr);
      assert.deepEqual(await early.contents(), before);
      await prepareDatabase(early.db);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /has taken its place in \S+ already: repeat the restore/);
      // Half of something is not backed up either.
      assert.equal(other.code, 1);
      assert.match(other.stderr, /has begun at .* and not ended: repeat/);
      const none = await tenureHere(['restore', folder, '--give-up'], early.env);
      assert.match(none.stderr, /No restore into \S+ has begun/);
      // Another backup may take the place of a half restored one.
      const second = join(early.folder, 'second');
      assert.equal((await tenureHere(['backup', second], early.env)).code, 0);
      const replaced = await tenureHere(['restore', second, '--replace', '--yes'], late.env);
      assert.equal(replaced.code, 0, replaced.stderr);
      assert.deepEqual(await late.contents(), before);
    } finally {
      await Promise.all([early.remove(), late.remove()]);
    }
  });

  it('or that fails before anything has taken its place, leaves the database as it was', async () => {
    const home = await occupied();
    try {
      const before = await home.contents();
      // An index that this server cannot make.
      const other = join(home.folder, 'other');
      await cp(folder, other, { recursive: true });
      await forgeForms(other, (form) => {
        if (form['name'] === 'routes')
          form['indexes'].push({ v: 2, name: 'x', key: { model: 'of the future' } });
      });
      const failed = await tenureHere(['restore', other, '--replace', '--yes'], home.env);
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, /of the future/);
      assert.deepEqual(await home.contents(), before);
      await prepareDatabase(home.db);
    } finally {
      await home.remove();
    }
  });
});
