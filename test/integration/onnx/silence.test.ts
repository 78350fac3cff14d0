import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { digestOf, logisticModel } from '../../support/onnx.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const library = createRequire(import.meta.url).resolve('onnxruntime-node');
/** The library reports nothing under test, by these variables, whatever else is set. */
const HUSHED = /^(CI|TF_BUILD|ORT_|GITHUB_|BUILD_)/;

describe('ONNX Runtime reports nothing to its maker', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-silence-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** @returns what the script's process has left in its home and its folder for temporary files */
  async function leftBy(script: string): Promise<string[]> {
    const [home, temporary, file] = [join(folder, 'home'), join(folder, 'tmp'), join(folder, 'script.mts')];
    await mkdir(home);
    await mkdir(temporary);
    await writeFile(file, script);
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !HUSHED.test(name)));
    await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
      cwd: root,
      env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, '.cache'), TMPDIR: temporary },
    });
    const entries = [...(await readdir(home, { recursive: true })), ...(await readdir(temporary))];
    return entries.filter((name) => /onnxruntime|mat-debug/.test(name));
  }

  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);

  it('from the thread of a model', async () => {
    const bytes = logisticModel([1, 2]);
    const model = join(folder, 'model.onnx');
    await writeFile(model, bytes);
    const settings = JSON.stringify({ file: model, sha256: digestOf(bytes) });
    const script = `
      import { openModelThread } from ${module('../../../src/platform/onnx/thread.ts')};
      const thread = await openModelThread(${settings});
      await thread.infer([{ name: 'x', datatype: 'FP32', shape: [1, 2], data: new Float32Array(2) }]);
      await thread.close();`;
    assert.deepEqual(await leftBy(script), []);
  });

  it('where it is not told so, what it leaves behind is seen', async () => {
    const script = `
      import ort from ${JSON.stringify(pathToFileURL(library).href)};
      await ort.InferenceSession.create(new Uint8Array([1])).catch(() => undefined);`;
    assert.ok((await leftBy(script)).length > 0);
  });
});
