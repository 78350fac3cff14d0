import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { startTenure, tenureHere } from '../../support/command.js';
import { forge, reseal } from '../../support/forged-backup.js';
import { SeededHome } from '../../support/seeded-home.js';

const MANIFEST = 'backup.json';

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await chmod(path, 0o600);
  await writeFile(path, bytes);
}

interface Damage {
  readonly what: string;
  readonly does: (folder: string) => Promise<void>;
  readonly says: RegExp;
}

const artifactOf = async (folder: string): Promise<string> => {
  const [line = ''] = (await readFile(join(folder, 'artifacts.sha256'), 'utf8')).split('\n');
  return line.slice(66);
};

const DAMAGES: readonly Damage[] = [
  {
    what: 'a flipped bit in the ledger',
    does: (folder) => flip(join(folder, 'mongodb/ledger.bson.gz')),
    says: /damaged at mongodb\/ledger\.bson\.gz: its SHA-256 is [0-9a-f]{64}, not/,
  },
  {
    what: 'a file that was cut off',
    does: (folder) => truncate(join(folder, 'mongodb/versions.bson.gz'), 40),
    says: /damaged at mongodb\/versions\.bson\.gz: it has 40 bytes, not \d+/,
  },
  {
    what: 'a file that is gone',
    does: (folder) => rm(join(folder, 'mongodb/forms.bson.gz')),
    says: /damaged at mongodb\/forms\.bson\.gz: it is not there/,
  },
  {
    what: 'a changed artifact',
    does: async (folder) => flip(join(folder, await artifactOf(folder))),
    says: /damaged at artifacts\/sha256\/\S+: its SHA-256 is/,
  },
  {
    what: 'an artifact that is gone',
    does: async (folder) => rm(join(folder, await artifactOf(folder))),
    says: /damaged at artifacts\/sha256\/\S+: it is not there/,
  },
  {
    what: 'a changed list of artifacts',
    does: (folder) => flip(join(folder, 'artifacts.sha256')),
    says: /damaged at artifacts\.sha256: its SHA-256/,
  },
  {
    what: "a changed database of Temporal's",
    does: (folder) => flip(join(folder, 'temporal/temporal.sqlite')),
    says: /damaged at temporal\/temporal\.sqlite: its SHA-256/,
  },
  {
    what: 'a changed manifest',
    does: async (folder) => {
      const file = join(folder, MANIFEST);
      await writeFile(file, (await readFile(file, 'utf8')).replace('"events": 10', '"events": 11'));
    },
    says: /backup\.json was changed after it was written: its digest/,
  },
  {
    what: 'a manifest that was cut off',
    does: (folder) => truncate(join(folder, MANIFEST), 100),
    says: /backup\.json is not JSON/,
  },
  {
    what: 'no manifest',
    does: (folder) => rm(join(folder, MANIFEST)),
    says: /There is no whole backup in \S+: it has no backup\.json, which is written last/,
  },
  {
    what: 'no folder',
    does: (folder) => rm(folder, { recursive: true }),
    says: /There is no folder \S+/,
  },
  {
    what: 'another format',
    does: async (folder) => {
      const file = join(folder, MANIFEST);
      await writeFile(file, (await readFile(file, 'utf8')).replace('"format": 1', '"format": 2'));
    },
    says: /has format 2, and this program reads format 1: use the version of Tenure that made it/,
  },
  {
    what: 'some other JSON',
    does: (folder) => writeFile(join(folder, MANIFEST), '[]'),
    says: /backup\.json is not the manifest of a backup/,
  },
  {
    what: 'a path that leads out of the folder',
    does: (folder) =>
      reseal(folder, (content) => ({
        ...content,
        artifacts: { ...content.artifacts, list: { ...content.artifacts.list, path: '../artifacts.sha256' } },
      })),
    says: /artifacts\.list\.path: must be a path within the folder/,
  },
  {
    what: 'documents that were left out, with every digest put right',
    does: (folder) =>
      reseal(folder, (content) => ({
        ...content,
        database: {
          ...content.database,
          collections: content.database.collections.map((each) =>
            each.name === 'alerts' ? { ...each, documents: 2 } : each,
          ),
        },
      })),
    says: /damaged at mongodb\/alerts\.bson\.gz: it holds 1 document\(s\), not 2/,
  },
  {
    what: 'an altered event, with every digest put right',
    does: (folder) =>
      forge(folder, 'ledger', (event) => {
        if (event['stream'] === 'churn' && event['sequence'] === 3) event['evidence']['look'] = 9;
      }),
    says: /the ledger in it does not verify: churn, event 3: .*evidence/,
  },
  {
    what: 'something else than documents',
    does: async (folder) => {
      const path = 'mongodb/alerts.bson.gz';
      const bytes = gzipSync(gunzipSync(await readFile(join(folder, path))).fill(0xff));
      await writeFile(join(folder, path), bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      await reseal(folder, (content) => ({
        ...content,
        database: {
          ...content.database,
          collections: content.database.collections.map((each) =>
            each.name === 'alerts' ? { ...each, file: { path, bytes: bytes.length, sha256 } } : each,
          ),
        },
      }));
    },
    says: /damaged at mongodb\/alerts\.bson\.gz: it does not hold documents/,
  },
];

describe('a backup that is not what was written', function () {
  this.timeout(120_000);
  let home: SeededHome;
  let target: SeededHome;
  let whole: string;
  before(async () => {
    [home, target] = await Promise.all([SeededHome.seeded(), SeededHome.empty()]);
    whole = join(home.folder, 'whole');
    const made = await tenureHere(['backup', whole], home.env);
    assert.deepEqual([made.code, made.stdout.split('\n')[0]], [0, `backed up: ${whole}`], made.stderr);
  });
  after(() => Promise.all([home?.remove(), target?.remove()]));

  for (const { what, does, says } of DAMAGES)
    it(`is named by verify, and not restored: ${what}`, async () => {
      const folder = join(home.folder, 'copy');
      await cp(whole, folder, { recursive: true });
      try {
        await does(folder);
        for (const command of [
          ['backup', 'verify', folder],
          ['restore', folder],
        ]) {
          const { code, stdout, stderr } = await tenureHere(command, target.env);
          assert.deepEqual([code, stdout], [1, '']);
          assert.match(stderr, says);
        }
        assert.deepEqual(await target.contents(), {});
        assert.deepEqual(await readdir(target.folder), []);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

  it('but of a newer schema is whole, and not restored: the collection and both versions are named', async () => {
    const folder = join(home.folder, 'newer');
    await cp(whole, folder, { recursive: true });
    await reseal(folder, (content) => {
      const schema = { ...content.database.schema, routes: { version: 2, revision: 1 } };
      return { ...content, database: { ...content.database, schema } };
    });
    assert.equal((await tenureHere(['backup', 'verify', folder], target.env)).code, 0);
    const { code, stderr } = await tenureHere(['restore', folder], target.env);
    assert.equal(code, 1);
    assert.match(stderr, /in the backup was written by a newer program.*routes \(2, known are 1 to 1\)/);
    assert.deepEqual(await target.contents(), {});
  });
});

describe('a backup of what is not as it should be', function () {
  this.timeout(120_000);
  let home: SeededHome;
  beforeEach(async () => {
    home = await SeededHome.seeded();
  });
  afterEach(() => home?.remove());
  const folder = (): string => join(home.folder, 'backup');

  it('is made of a ledger that does not verify, says so, and is restored only on request', async () => {
    await home.db.command({ collMod: 'ledger', validationLevel: 'off' });
    await home.db.collection('ledger').deleteOne({ stream: 'fraud', sequence: 2 });
    const made = await tenureHere(['backup', folder()], home.env);
    assert.equal(made.code, 1);
    assert.match(made.stdout, /backed up, with problems/);
    assert.match(made.stdout, /The ledger does not verify: fraud, event 2: /);
    const verified = await tenureHere(['backup', 'verify', folder()], home.env);
    assert.deepEqual(
      [verified.code, /It was so when it was made: The ledger/.test(verified.stdout)],
      [0, true],
    );
    const target = await SeededHome.empty();
    try {
      const refused = await tenureHere(['restore', folder()], target.env);
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /ledger did not verify when the backup was made: fraud, event 2.*--accept-bad-ledger/,
      );
      const taken = await tenureHere(['restore', folder(), '--accept-bad-ledger'], target.env);
      assert.equal(taken.code, 0, taken.stderr);
      assert.deepEqual(await target.contents(), await home.contents());
    } finally {
      await target.remove();
    }
  });

  it('leaves out a damaged artifact, names it, and the version that lacks it', async () => {
    const { value: digest = '' } = (await home.store.list().next()) as { value?: string };
    await flip(await home.store.pathOf(digest));
    const made = await tenureHere(['backup', folder()], home.env);
    assert.equal(made.code, 1);
    assert.match(made.stdout, new RegExp(`Artifact ${digest} is damaged in the store and was left out`));
    assert.match(made.stdout, new RegExp(`artifact of (churn|fraud) v1 \\(${digest}\\) is not in the store`));
    assert.equal((await tenureHere(['backup', 'verify', folder()], home.env)).code, 0);
  });

  it('links what an earlier one holds, and copies what is damaged there', async () => {
    const earlier = folder();
    assert.equal((await tenureHere(['backup', earlier], home.env)).code, 0);
    const path = join(earlier, await artifactOf(earlier));
    await flip(path);
    const next = join(home.folder, 'next');
    assert.equal((await tenureHere(['backup', next, '--link-from', earlier], home.env)).code, 0);
    assert.equal((await tenureHere(['backup', 'verify', next], home.env)).code, 0);
    const none = await tenureHere(['backup', join(home.folder, 'x'), '--link-from', home.folder], home.env);
    assert.match(none.stderr, /There is no whole backup in/);
  });

  it('ends with exit code 3 where MongoDB is not reachable, and leaves nothing', async () => {
    const made = await tenureHere(['backup', folder()], {
      ...home.env,
      MONGODB_URI: 'mongodb://127.0.0.1:1/',
    });
    assert.deepEqual([made.code, (await readdir(home.folder)).includes('backup')], [3, false]);
    assert.match(made.stderr, /not reachable/);
    const { MONGODB_URI: _, ...embedded } = home.env;
    const absent = await tenureHere(['backup', folder()], embedded);
    assert.equal(absent.code, 3);
    assert.match(absent.stderr, /MongoDB is not running in \S+: start it with `tenure up`/);
  });

  it('that finds no room leaves nothing that looks whole, and says so', async () => {
    await home.store.put(Buffer.alloc(300_000, 'x'));
    // A limit of the system itself on what one file may hold: to whoever writes, the same as a full disk.
    const limited = ['-c', 'ulimit -f 200; exec "$@"', 'sh'];
    const made = await startTenure(['backup', folder()], home.env, limited).ended;
    assert.equal(made.code, 1, made.stderr);
    assert.match(made.stderr, /There is no room left for \S+backup \(EFBIG\): nothing was kept of it/);
    const left = (await readdir(home.folder)).filter((name) => name.startsWith('backup'));
    assert.deepEqual(left, []);
  });
});
