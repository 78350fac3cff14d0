import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelError } from '../../../src/platform/onnx/errors.js';
import { readTensor, type Tensor } from '../../../src/platform/onnx/tensors.js';
import {
  openModelThread,
  type ModelThread,
  type ModelThreadSettings,
} from '../../../src/platform/onnx/thread.js';
import { artifactFolder, identityModel, logisticModel, lookupModel, slowModel } from '../../support/onnx.js';

const weights = [1, -1, 0.5];
const row = (...values: number[]): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [1, values.length],
  data: Float32Array.from(values),
});

describe('A model on a thread of its own', () => {
  let folder: string;
  const threads: ModelThread[] = [];

  const open = async (content: Buffer, settings: Partial<ModelThreadSettings> = {}): Promise<ModelThread> => {
    const { put, pathOf } = await artifactFolder(folder);
    const sha256 = await put(content);
    const thread = await openModelThread({ file: await pathOf(sha256), sha256, ...settings });
    threads.push(thread);
    return thread;
  };
  const failure = (code: string, text: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ModelError);
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-onnx-'));
  });
  after(async () => {
    await Promise.all(threads.map((thread) => thread.close()));
    await rm(folder, { recursive: true });
  });

  it('tells its inputs and outputs and answers', async () => {
    const model = await open(logisticModel(weights));
    assert.deepEqual(model.metadata.inputs, [
      { name: 'x', datatype: 'FP32', shape: [-1, 3], symbols: ['N', null] },
    ]);
    assert.equal(model.metadata.outputs[0]?.name, 'score');
    const { outputs, elapsedMs } = await model.infer([row(1, 2, 3)], { deadlineMs: 5_000 });
    assert.ok(Math.abs(Number(outputs[0]?.data[0]) - 1 / (1 + Math.exp(-0.5))) < 1e-6);
    assert.ok(elapsedMs > 0);
  });

  it('carries every datatype there and back', async () => {
    const types = ['BOOL', 'INT64', 'FP32', 'FP64', 'BYTES'] as const;
    const data = {
      BOOL: [true, false],
      INT64: ['9223372036854775807', -5],
      FP32: [0.5, -1],
      FP64: [0.1, 1e300],
      BYTES: ['ä', ''],
    };
    const model = await open(
      identityModel(types.map((datatype) => ({ name: datatype, datatype, shape: ['N'] }))),
    );
    const given = types.map((datatype) =>
      readTensor({ name: datatype, datatype, shape: [2], data: data[datatype] }, 'i'),
    );
    const { outputs } = await model.infer(given);
    assert.deepEqual(
      outputs.map(({ datatype, shape }) => [datatype, shape]),
      types.map((datatype) => [datatype, [2]]),
    );
    outputs.forEach((output, i) =>
      assert.deepEqual(Array.from(output.data as string[]), Array.from(given[i]?.data as string[])),
    );
  });

  it('refuses a file with another digest and one that is not a model', async () => {
    const { put, pathOf } = await artifactFolder(folder);
    const file = await pathOf(await put(logisticModel([1])));
    await assert.rejects(
      openModelThread({ file, sha256: '0'.repeat(64) }),
      failure('digest-mismatch', /not 0000/),
    );
    await assert.rejects(
      open(Buffer.from('not a model')),
      failure('load-failed', /cannot load the artifact/),
    );
    await assert.rejects(
      openModelThread({ file: join(folder, 'absent'), sha256: '0'.repeat(64) }),
      failure('load-failed', /cannot be read/),
    );
  });

  it('tells wrong input from a failed run', async () => {
    const model = await open(lookupModel(2, [0.25, 0.75]));
    await assert.rejects(
      model.infer([row(1)]),
      failure('wrong-input', /^inputs\[0\]\.shape: \[1,1\] does not fit \[-1,2\]/),
    );
    await assert.rejects(model.infer([]), failure('wrong-input', /input "x" is missing/));
    await assert.rejects(model.infer([row(9, 0)]), failure('run-failed', /out of data bounds/));
    assert.equal((await model.infer([row(1, 0)])).outputs[0]?.data[0], 0.75);
  });

  it('gives up a stuck call at its deadline, replaces the thread after the grace, and keeps the calls behind it', async () => {
    const restarts: string[] = [];
    const model = await open(slowModel(weights, 2_500_000), {
      graceMs: 100,
      onRestart: (why) => restarts.push(why),
    });
    const stuck = model.infer([row(1, 0, 0)], { deadlineMs: 50 });
    const behind = model.infer([row(-1, 0, 0)]);
    await assert.rejects(stuck, failure('deadline', /within 50 ms/));
    assert.equal((await behind).outputs.length, 1);
    assert.deepEqual(restarts, ['stuck']);
    assert.equal(model.ready, true);
  });

  it('refuses calls beyond its bound and after it was closed', async () => {
    const model = await open(logisticModel(weights), { maxCalls: 2 });
    const open2 = [model.infer([row(1, 2, 3)]), model.infer([row(1, 2, 3)])];
    await assert.rejects(model.infer([row(1, 2, 3)]), failure('overloaded', /2 calls/));
    await Promise.all(open2);
    await model.close();
    await assert.rejects(model.infer([row(1, 2, 3)]), failure('closed', /unloaded/));
  });
});
