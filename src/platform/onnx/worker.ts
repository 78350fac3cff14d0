/** Runs in a worker thread: one ONNX session, one call after the other. ONNX Runtime loads and runs synchronously here. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';
import type { Datatype } from '../../contracts/manifest.js';
import type { ModelErrorCode } from './errors.js';
import type { ModelMetadata, RunMessage, ThreadMessage, ThreadSettings, ToThread } from './protocol.js';
import type { Tensor, TensorSpec } from './tensors.js';

const DATATYPE_OF: Readonly<Record<string, Datatype>> = {
  float32: 'FP32',
  float64: 'FP64',
  int64: 'INT64',
  bool: 'BOOL',
  string: 'BYTES',
};

const TYPE_OF = {
  FP32: 'float32',
  FP64: 'float64',
  INT64: 'int64',
  BOOL: 'bool',
  BYTES: 'string',
} as const satisfies Record<Datatype, string>;

class Refusal extends Error {
  readonly code: ModelErrorCode;
  constructor(code: ModelErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const say = (message: ThreadMessage): void => parentPort?.postMessage(message);
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Loads the bytes that were verified, not the file again: it could have been exchanged in between. */
async function load({
  file,
  sha256,
  intraOpThreads,
}: ThreadSettings): Promise<[ort.InferenceSession, number]> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new Refusal('load-failed', `The artifact cannot be read: ${reasonOf(error)}`);
  });
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== sha256) {
    throw new Refusal('digest-mismatch', `The artifact has the digest ${digest}, not ${sha256}`);
  }
  try {
    const session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 4,
    });
    return [session, bytes.length];
  } catch (error) {
    throw new Refusal('load-failed', `ONNX Runtime cannot load the artifact: ${reasonOf(error)}`);
  }
}

function specs(
  kind: 'input' | 'output',
  values: readonly ort.InferenceSession.ValueMetadata[],
): readonly TensorSpec[] {
  return values.map((value) => {
    const datatype = value.isTensor ? DATATYPE_OF[value.type] : undefined;
    if (!value.isTensor || datatype === undefined) {
      const found = value.isTensor ? `tensor of ${value.type}` : 'sequence or map';
      const allowed = Object.keys(DATATYPE_OF).join(', ');
      throw new Refusal(
        'load-failed',
        `The ${kind} ${value.name} is a ${found}; tensors of ${allowed} can be served`,
      );
    }
    return {
      name: value.name,
      datatype,
      shape: value.shape.map((size) => (typeof size === 'number' ? size : -1)),
      symbols: value.shape.map((size) => (typeof size === 'string' && size !== '' ? size : null)),
    };
  });
}

function feed({ datatype, data, shape }: Tensor): ort.Tensor {
  return new ort.Tensor(TYPE_OF[datatype], data, shape);
}

function answer(name: string, value: ort.Tensor): Tensor {
  const datatype = DATATYPE_OF[value.type];
  if (datatype === undefined) throw new Error(`Output ${name} is a tensor of ${value.type}`);
  const data = value.data as Tensor['data'];
  return { name, datatype, shape: value.dims.map(Number), data };
}

async function run(session: ort.InferenceSession, { id, inputs }: RunMessage): Promise<void> {
  let began = performance.now();
  try {
    const feeds = Object.fromEntries(inputs.map((tensor) => [tensor.name, feed(tensor)]));
    began = performance.now();
    const results = await session.run(feeds);
    const elapsedMs = performance.now() - began;
    const outputs = session.outputNames.map((name) => {
      const value = results[name];
      if (value === undefined) throw new Error(`Output ${name} is missing`);
      return answer(name, value);
    });
    say({ kind: 'answered', id, outputs, elapsedMs });
  } catch (error) {
    say({ kind: 'failed', id, reason: reasonOf(error), elapsedMs: performance.now() - began });
  }
}

try {
  const [session, sizeBytes] = await load(workerData as ThreadSettings);
  const metadata: ModelMetadata = {
    inputs: specs('input', session.inputMetadata),
    outputs: specs('output', session.outputMetadata),
  };
  const waiting: RunMessage[] = [];
  let running = false;
  const work = async (): Promise<void> => {
    if (running) return;
    running = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(session, next);
    running = false;
  };
  parentPort?.on('message', (message: ToThread) => {
    if (message.kind === 'stop') process.exit();
    waiting.push(message);
    void work();
  });
  say({ kind: 'loaded', metadata, sizeBytes });
} catch (error) {
  say({
    kind: 'refused',
    code: error instanceof Refusal ? error.code : 'load-failed',
    reason: reasonOf(error),
  });
  parentPort?.close();
}
