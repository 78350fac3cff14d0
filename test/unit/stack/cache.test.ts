import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromCache, installFrom } from '../../../src/stack/binaries/cache.js';

const RUNS = '#!/bin/sh\necho version 7.0.0\n';

describe('The cache of programs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-cache-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fill = (content: string) => (draft: string) =>
    writeFile(join(draft, 'mongod'), content, { mode: 0o755 });
  const lookUp = () => fromCache(folder, 'mongod', ['a', 'b']);

  it('serves what was installed, by label in the order given', async () => {
    await assert.rejects(lookUp(), /^Error: no mongod in /);
    await installFrom(folder, 'mongod', 'b', fill(RUNS));
    assert.equal((await lookUp()).path, join(folder, 'mongod', 'b', 'mongod'));
    await installFrom(folder, 'mongod', 'a', fill(RUNS));
    assert.equal((await lookUp()).path, join(folder, 'mongod', 'a', 'mongod'));
  });

  it('names the libraries that came with a program', async () => {
    await installFrom(folder, 'mongod', 'a', async (draft) => {
      await mkdir(join(draft, 'lib'));
      await fill(RUNS)(draft);
    });
    assert.equal((await lookUp()).libraryPath, join(folder, 'mongod', 'a', 'lib'));
  });

  it('keeps nothing of a fetch that fails half-way, or of a program that does not run', async () => {
    const halfWay = async (draft: string) => {
      await fill(RUNS)(draft);
      throw new Error('connection reset');
    };
    await assert.rejects(installFrom(folder, 'mongod', 'a', halfWay), /^Error: connection reset$/);
    await assert.rejects(installFrom(folder, 'mongod', 'a', fill('#!/bin/sh\nexit 1\n')), /does not run/);
    await assert.rejects(lookUp());
    assert.deepEqual(await readdir(join(folder, 'mongod')), []);
  });

  it('leaves the program in place when fetching it anew fails', async () => {
    await installFrom(folder, 'mongod', 'a', fill(RUNS));
    await assert.rejects(
      installFrom(folder, 'mongod', 'a', () => Promise.reject(new Error('no network'))),
      /no network/,
    );
    assert.equal((await lookUp()).path, join(folder, 'mongod', 'a', 'mongod'));
  });

  it('never serves the unfinished download of a killed process, and removes it a day later', async () => {
    const left = join(folder, 'mongod', '.new-left');
    await mkdir(left, { recursive: true });
    await fill(RUNS)(left);
    await assert.rejects(lookUp());
    await installFrom(folder, 'mongod', 'a', fill(RUNS));
    assert.deepEqual((await readdir(join(folder, 'mongod'))).sort(), ['.new-left', 'a']);
    await utimes(left, 0, 0);
    await installFrom(folder, 'mongod', 'a', fill(RUNS));
    assert.deepEqual(await readdir(join(folder, 'mongod')), ['a']);
  });
});
