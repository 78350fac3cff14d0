import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadInChild } from '../../../src/stack/binaries/download-in-child.js';
import { identify } from '../../../src/processes/identity.js';

describe('A download in a child process', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-child-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const download = async (code: string, stallMs = 30_000): Promise<string | undefined> => {
    const script = join(folder, 'script.mjs');
    await writeFile(script, `import { writeFileSync } from 'node:fs';\nconst to = process.argv[2];\n${code}`);
    return downloadInChild(script, [folder], folder, () => undefined, stallMs);
  };

  it('tells the path that the script tells', async () => {
    assert.equal(await download(`process.send({ path: to + '/program' })`), join(folder, 'program'));
    assert.equal(await download(`process.send({})`), undefined);
  });

  it('fails with what the script tells', async () => {
    await assert.rejects(download(`process.send({ failure: 'no such host' })`), /^Error: no such host$/);
  });

  it('fails when the script ends without a word', async () => {
    await assert.rejects(download('process.exit(3)'), /^Error: its download ended \(3\)$/);
    await assert.rejects(
      download(`process.kill(process.pid, 'SIGKILL')`),
      /^Error: its download ended \(SIGKILL\)$/,
    );
  });

  it('is given up, and its process ended, when nothing comes any more', async () => {
    const hang = `writeFileSync(to + '/pid', String(process.pid)); setInterval(() => {}, 1000)`;
    await assert.rejects(download(hang, 1_500), /^Error: nothing came for 1\.5 s$/);
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    while (identify(pid) !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('goes on as long as something comes', async () => {
    const slow = `
      let size = 0;
      setInterval(() => {
        writeFileSync(to + '/part', 'x'.repeat(++size));
        if (size === 30) process.send({ path: 'done' });
      }, 100);`;
    assert.equal(await download(slow, 1_500), 'done');
  });
});
