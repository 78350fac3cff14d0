/**
 * Writes tiny ONNX files by hand: protobuf has two wire types here, varints and length-delimited fields.
 * Field numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto).
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Datatype } from '../../src/contracts/manifest.js';

type Dim = number | string;

const ELEMENT: Readonly<Record<Datatype, number>> = { FP32: 1, INT64: 7, BYTES: 8, BOOL: 9, FP64: 11 };

function varint(value: number | bigint): number[] {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return bytes;
}

const number = (field: number, value: number | bigint): Buffer =>
  Buffer.from([...varint(field << 3), ...varint(value)]);

function bytes(field: number, value: Uint8Array | string): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
}

const message = (field: number, ...parts: Buffer[]): Buffer => bytes(field, Buffer.concat(parts));

function value(field: number, name: string, datatype: Datatype, shape: readonly Dim[]): Buffer {
  const dims = shape.map((size) => message(1, typeof size === 'number' ? number(1, size) : bytes(2, size)));
  const tensorType = message(1, number(1, ELEMENT[datatype]), message(2, ...dims));
  return message(field, bytes(1, name), message(2, tensorType));
}

function raw(
  name: string,
  datatype: 'FP32' | 'INT64' | 'BOOL',
  dims: readonly number[],
  values: readonly number[],
): Buffer {
  const data =
    datatype === 'FP32'
      ? Buffer.from(new Float32Array(values).buffer)
      : datatype === 'INT64'
        ? Buffer.from(BigInt64Array.from(values, BigInt).buffer)
        : Buffer.from(values);
  return Buffer.concat([
    ...dims.map((size) => number(1, size)),
    number(2, ELEMENT[datatype]),
    bytes(8, name),
    bytes(9, data),
  ]);
}

interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly Buffer[];
}

const node = ({ op, inputs, outputs, attributes = [] }: NodeSpec): Buffer =>
  message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
    ...attributes.map((attribute) => bytes(5, attribute)),
  );

/** Attribute of an integer (type 2). */
const integer = (name: string, n: number): Buffer =>
  Buffer.concat([bytes(1, name), number(3, n), number(20, 2)]);
/** Attribute of a graph (type 5). */
const graph = (name: string, content: Buffer): Buffer =>
  Buffer.concat([bytes(1, name), bytes(6, content), number(20, 5)]);

const model = (...graphParts: Buffer[]): Buffer =>
  Buffer.concat([
    number(1, 8),
    bytes(2, 'tenure-test'),
    message(7, ...graphParts, bytes(2, 'g')),
    message(8, bytes(1, ''), number(2, 17)),
  ]);

/** A file that gives each input back: one `out_<name>` for each name. */
export const identityModel = (
  inputs: readonly { name: string; datatype: Datatype; shape: readonly Dim[] }[],
): Buffer =>
  model(
    ...inputs.map(({ name }) => node({ op: 'Identity', inputs: [name], outputs: [`out_${name}`] })),
    ...inputs.map(({ name, datatype, shape }) => value(11, name, datatype, shape)),
    ...inputs.map(({ name, datatype, shape }) => value(12, `out_${name}`, datatype, shape)),
  );

/** Logistic regression over input `x` [N, weights]; output `score` [N, 1]. */
export function logisticModel(weights: readonly number[], bias = 0): Buffer {
  return model(
    node({ op: 'MatMul', inputs: ['x', 'w'], outputs: ['xw'] }),
    node({ op: 'Add', inputs: ['xw', 'b'], outputs: ['z'] }),
    node({ op: 'Sigmoid', inputs: ['z'], outputs: ['score'] }),
    message(5, raw('w', 'FP32', [weights.length, 1], weights)),
    message(5, raw('b', 'FP32', [1], [bias])),
    value(11, 'x', 'FP32', ['N', weights.length]),
    value(12, 'score', 'FP32', ['N', 1]),
  );
}

/**
 * Same interface as `logisticModel`, but runs a loop before it answers: about 1 s for 1.5 million turns.
 * The number of turns is `turns` where x[0, 0] is at least 0, else none: slow on some inputs only.
 */
export function slowModel(weights: readonly number[], turns: number): Buffer {
  const body = Buffer.concat([
    node({ op: 'Identity', inputs: ['more_in'], outputs: ['more_out'] }),
    node({ op: 'Sin', inputs: ['state_in'], outputs: ['state_out'] }),
    bytes(2, 'body'),
    value(11, 'turn', 'INT64', []),
    value(11, 'more_in', 'BOOL', []),
    value(11, 'state_in', 'FP32', ['N', 1]),
    value(12, 'more_out', 'BOOL', []),
    value(12, 'state_out', 'FP32', ['N', 1]),
  ]);
  return model(
    node({ op: 'MatMul', inputs: ['x', 'w'], outputs: ['z'] }),
    node({ op: 'Gather', inputs: ['x', 'zero'], outputs: ['row'], attributes: [integer('axis', 0)] }),
    node({ op: 'Gather', inputs: ['row', 'zero'], outputs: ['first'], attributes: [integer('axis', 0)] }),
    node({ op: 'GreaterOrEqual', inputs: ['first', 'nought'], outputs: ['heavy'] }),
    node({
      op: 'Loop',
      inputs: ['turns', 'heavy', 'z'],
      outputs: ['late'],
      attributes: [graph('body', body)],
    }),
    node({ op: 'Mul', inputs: ['late', 'nought'], outputs: ['nothing'] }),
    node({ op: 'Add', inputs: ['z', 'nothing'], outputs: ['sum'] }),
    node({ op: 'Sigmoid', inputs: ['sum'], outputs: ['score'] }),
    message(5, raw('w', 'FP32', [weights.length, 1], weights)),
    message(5, raw('zero', 'INT64', [], [0])),
    message(5, raw('nought', 'FP32', [], [0])),
    message(5, raw('turns', 'INT64', [], [turns])),
    value(11, 'x', 'FP32', ['N', weights.length]),
    value(12, 'score', 'FP32', ['N', 1]),
  );
}

/** Same interface again; a lookup by x[:, 0] in a table of `table.length` scores fails when the code is not in it. */
export function lookupModel(width: number, table: readonly number[]): Buffer {
  return model(
    node({ op: 'Gather', inputs: ['x', 'zero'], outputs: ['code'], attributes: [integer('axis', 1)] }),
    node({ op: 'Cast', inputs: ['code'], outputs: ['index'], attributes: [integer('to', 7)] }),
    node({ op: 'Gather', inputs: ['table', 'index'], outputs: ['score'], attributes: [integer('axis', 0)] }),
    message(5, raw('zero', 'INT64', [1], [0])),
    message(5, raw('table', 'FP32', [table.length], table)),
    value(11, 'x', 'FP32', ['N', width]),
    value(12, 'score', 'FP32', ['N', 1]),
  );
}

export const digestOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A folder of artifacts named by digest, with the port that the gateway reads. */
export async function artifactFolder(folder: string): Promise<{
  pathOf: (digest: string) => Promise<string>;
  put: (content: Uint8Array) => Promise<string>;
}> {
  await mkdir(folder, { recursive: true });
  const pathOf = (digest: string): Promise<string> => Promise.resolve(join(folder, digest));
  return {
    pathOf,
    put: async (content) => {
      const digest = digestOf(content);
      await writeFile(join(folder, digest), content);
      return digest;
    },
  };
}
