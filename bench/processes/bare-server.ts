/**
 * What somebody would write without Tenure: fastify, the Open Inference Protocol's body, a model. No split by keys, no counts, no
 * fallback, no deadline, no checks but those of the model's thread. Settings as JSON in the first argument.
 */
import { readFile } from 'node:fs/promises';
import { fastify } from 'fastify';
import ort from 'onnxruntime-node';
import { openModelThread } from '../../src/platform/onnx/thread.js';
import type { Tensor } from '../../src/platform/onnx/tensors.js';

export interface BareSettings {
  /**
   * `threads`: each file on a thread of its own, by the code that the gateway uses; the first answers but for `share` of the
   * requests, which the second does. `in-thread`: the first file on the thread that serves HTTP.
   */
  readonly where: 'threads' | 'in-thread';
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
  readonly share: number;
}

interface Body {
  readonly id?: string;
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly datatype: 'FP32';
    readonly data: readonly number[];
  }[];
}

type Infer = (inputs: readonly Tensor[]) => Promise<readonly Tensor[]>;

const { where, files, share } = JSON.parse(process.argv[2] ?? '') as BareSettings;
const infer = where === 'threads' ? await onThreads() : await inThread();

async function onThreads(): Promise<Infer> {
  const [first, second = first] = await Promise.all(files.map((file) => openModelThread(file)));
  if (first === undefined || second === undefined) throw new Error('There is no file to serve');
  return async (inputs) => (await (Math.random() < share ? second : first).infer(inputs)).outputs;
}

async function inThread(): Promise<Infer> {
  const [first] = files;
  if (first === undefined) throw new Error('There is no file to serve');
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' } as const;
  const session = await ort.InferenceSession.create(await readFile(first.file), options);
  return async (inputs) => {
    const feeds = inputs.map(({ name, data, shape }) => [
      name,
      new ort.Tensor('float32', data as Float32Array, shape),
    ]);
    const results = await session.run(Object.fromEntries(feeds) as Record<string, ort.Tensor>);
    return session.outputNames.map((name): Tensor => {
      const value = results[name] as ort.Tensor;
      return { name, datatype: 'FP32', shape: value.dims, data: value.data as Float32Array };
    });
  };
}

const app = fastify();
app.post<{ Body: Body }>('/v2/models/:model/infer', async ({ body }) => {
  const inputs = body.inputs.map((input) => ({ ...input, data: Float32Array.from(input.data) }));
  const outputs = await infer(inputs);
  return {
    model_name: 'm',
    model_version: '1',
    id: body.id ?? '',
    outputs: outputs.map(({ data, ...output }) => ({ ...output, data: Array.from(data as Float32Array) })),
  };
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`The bare server listens on ${url}\n`);
process.once('SIGTERM', () => process.exit(0));
