import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { BinaryNotFoundError, findBinary, type Source, sourcesOf } from '../../../src/stack/binaries/find.js';
import { installFrom } from '../../../src/stack/binaries/cache.js';
import { isOlder } from '../../../src/stack/binaries/executable.js';
import { PINS } from '../../../src/stack/binaries/pins.js';

describe('Finding a program', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-find-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A program that prints a version and does nothing else. */
  const program = async (path: string, version: string): Promise<string> => {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, `#!/bin/sh\necho "version ${version}"\n`);
    await chmod(path, 0o755);
    return path;
  };

  class FakeSource implements Source {
    readonly name: string;
    readonly fetches: boolean;
    readonly has: boolean;
    asked = 0;
    constructor(name: string, has: boolean, fetches = false) {
      this.name = name;
      this.has = has;
      this.fetches = fetches;
    }
    find() {
      this.asked++;
      return this.has
        ? Promise.resolve({ path: `/from/${this.name}`, libraryPath: undefined })
        : Promise.reject(new Error(`${this.name} is empty`));
    }
  }

  it('asks explicit path, PATH, cache, vendor, Python package index, in this order', () => {
    const names = sourcesOf('mongod', { cacheDir: folder }).map(({ name }) => name);
    assert.deepEqual(names, [
      'the path that is set',
      'PATH',
      'the cache',
      "the vendor's download",
      'the Python package index',
    ]);
  });

  for (let first = 0; first < 5; first++) {
    it(`stops at the first source that has it (number ${first + 1})`, async () => {
      const sources = [0, 1, 2, 3, 4].map((i) => new FakeSource(`s${i}`, i >= first, i >= 3));
      const found = await findBinary('mongod', { cacheDir: folder }, sources);
      assert.equal(found.path, `/from/s${first}`);
      assert.deepEqual(
        sources.map(({ asked }) => asked),
        [0, 1, 2, 3, 4].map((i) => (i <= first ? 1 : 0)),
      );
    });
  }

  it('names every source with its reason, and the ways out, when none has it', async () => {
    const told: string[] = [];
    const sources = [
      new FakeSource('PATH', false),
      new FakeSource('vendor', false, true),
      new FakeSource('index', false, true),
    ];
    const settings = { cacheDir: folder, onProgress: (text: string) => told.push(text) };
    await assert.rejects(findBinary('mongod', settings, sources), (error: unknown) => {
      assert.ok(error instanceof BinaryNotFoundError);
      assert.equal(
        error.message,
        'No MongoDB server (mongod) could be found or fetched. Tried:\n' +
          '  - PATH: PATH is empty\n  - vendor: vendor is empty\n  - index: index is empty\n' +
          'Install it and set TENURE_MONGOD to its path, or ' +
          'set MONGODB_URI to the address of a MongoDB replica set that runs',
      );
      return true;
    });
    assert.deepEqual(told, [
      'MongoDB server: vendor: vendor is empty',
      'MongoDB server: index: index is empty',
    ]);
  });

  it('takes the explicit path before the one on PATH, and PATH before the cache', async () => {
    const explicit = await program(join(folder, 'mine', 'mongod-6'), '6.0.1');
    const onPath = await program(join(folder, 'bin', 'mongod'), '7.0.1');
    const cached = await program(join(folder, 'mongod', PINS.mongod.vendor, 'mongod'), '8.0.1');
    const settings = {
      cacheDir: folder,
      searchPath: [join(folder, 'nowhere'), join(folder, 'bin')].join(delimiter),
    };
    const find = async (more: object) => (await findBinary('mongod', { ...settings, ...more })).path;
    assert.equal(await find({ explicit: { mongod: explicit } }), explicit);
    assert.equal(await find({}), onPath);
    assert.equal(await find({ searchPath: '' }), cached);
  });

  it('passes over a program that is too old or does not run, and says so', async () => {
    const told: string[] = [];
    const cached = await program(join(folder, 'mongod', PINS.mongod.vendor, 'mongod'), '8.0.1');
    await program(join(folder, 'bin', 'mongod'), '4.4.29');
    const broken = join(folder, 'broken');
    await writeFile(broken, '#!/bin/sh\necho no such library >&2\nexit 127\n', { mode: 0o755 });
    const found = await findBinary('mongod', {
      cacheDir: folder,
      searchPath: join(folder, 'bin'),
      explicit: { mongod: broken },
      onProgress: (text) => told.push(text),
    });
    assert.equal(found.path, cached);
    assert.deepEqual(told, [`MongoDB server: the path that is set: ${broken} does not run: no such library`]);
    const [, onPath] = sourcesOf('mongod', { cacheDir: folder, searchPath: join(folder, 'bin') });
    await assert.rejects(onPath!.find(), /bin\/mongod is version 4\.4\.29, at least 5\.0\.0 is needed$/);
  });

  it('refuses an explicit path that is missing, a folder, or not executable', async () => {
    const plain = join(folder, 'plain');
    await writeFile(plain, '');
    const reason = async (path: string) =>
      sourcesOf('temporal', { cacheDir: folder, explicit: { temporal: path } })[0]!.find();
    await assert.rejects(reason(join(folder, 'none')), /none does not exist$/);
    await assert.rejects(reason(folder), /is not a file$/);
    await assert.rejects(reason(plain), /plain may not be executed$/);
  });

  it('fetches once for many who ask at the same time', async () => {
    let fetched = 0;
    const find = () =>
      findBinary('mongod', { cacheDir: folder }, [
        sourcesOf('mongod', { cacheDir: folder })[2]!,
        {
          name: 'index',
          fetches: true,
          find: () =>
            installFrom(folder, 'mongod', PINS.mongod.vendor, async (draft) => {
              fetched++;
              await program(join(draft, 'mongod'), '7.0.0');
            }),
        },
      ]);
    const paths = (await Promise.all([find(), find(), find()])).map(({ path }) => path);
    assert.equal(fetched, 1);
    assert.deepEqual(new Set(paths), new Set([join(folder, 'mongod', PINS.mongod.vendor, 'mongod')]));
  });

  it('compares versions by number', () => {
    assert.equal(isOlder('4.10.0', '4.9.9'), false);
    assert.equal(isOlder('4.4.29', '5.0.0'), true);
    assert.equal(isOlder('5.0.0', '5.0.0'), false);
  });
});
