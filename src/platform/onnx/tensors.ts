/** Tensors as the Open Inference Protocol names them, and reading them from JSON. */
import type { Datatype } from '../../contracts/manifest.js';
import { wrongInput } from './errors.js';

/** Row-major values: BOOL as 0 and 1 in a Uint8Array, BYTES as strings. */
export type TensorData = Float32Array | Float64Array | BigInt64Array | Uint8Array | readonly string[];

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a model takes or gives. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1: any size. */
  readonly shape: readonly number[];
  /** Names of the free dimensions where the file names them: equal names must have equal sizes. */
  readonly symbols: readonly (string | null)[];
}

export const DATATYPES: readonly Datatype[] = ['BOOL', 'INT64', 'FP32', 'FP64', 'BYTES'];

/** Values in one tensor; bounds what a request can make the process allocate. */
const MAX_TENSOR_VALUES = 16_777_216;

/** Number of values of a shape. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/**
 * Reads one tensor from parsed JSON, e.g. `{name, shape, datatype, data}` of an inference request.
 * `data` is flat or nested as the shape says. INT64 also takes decimal strings, for values beyond 2^53.
 * @param field where it stands, for messages, e.g. `inputs[0]`
 * @param nullable floating-point tensors that may have `null`, a missing value, which is NaN
 * @throws ModelError `wrong-input` that names the field
 */
export function readTensor(given: unknown, field: string, nullable: readonly string[] = []): Tensor {
  const from = record(given, field);
  const { name, datatype, shape } = from;
  if (typeof name !== 'string' || name === '') throw wrongInput(`${field}.name`, 'a name is needed');
  if (!isDatatype(datatype)) {
    throw wrongInput(`${field}.datatype`, `${show(datatype)} is not one of ${DATATYPES.join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw wrongInput(`${field}.shape`, `${show(shape)} is not a list of whole numbers from 0`);
  }
  const sizes = shape as number[];
  const size = sizeOf(sizes);
  if (!(size <= MAX_TENSOR_VALUES)) {
    throw wrongInput(`${field}.shape`, `${size} values are more than the ${MAX_TENSOR_VALUES} allowed`);
  }
  const values = flatten(from['data'], sizes, size, `${field}.data`);
  return {
    name,
    datatype,
    shape: sizes,
    data: typed(datatype, values, `${field}.data`, nullable.includes(name)),
  };
}

/**
 * Checks that the tensors are exactly the model's inputs, with fitting datatypes and shapes, and puts them into the model's order.
 * @throws ModelError `wrong-input` that names the field
 */
export function matchInputs(specs: readonly TensorSpec[], given: readonly Tensor[]): readonly Tensor[] {
  const inOrder = given.length === specs.length && specs.every(({ name }, i) => given[i]?.name === name);
  const places = inOrder ? null : placesOf(specs, given);
  const symbols = new Map<string, number>();
  return specs.map((spec, place) => {
    const i = places === null ? place : places.get(spec.name);
    const tensor = i === undefined ? undefined : given[i];
    if (tensor === undefined) throw wrongInput('inputs', `input ${show(spec.name)} is missing`);
    const field = `inputs[${i}]`;
    if (tensor.datatype !== spec.datatype) {
      throw wrongInput(
        `${field}.datatype`,
        `${tensor.datatype} given, but input ${show(spec.name)} has ${spec.datatype}`,
      );
    }
    matchShape(spec, tensor, symbols, field);
    return tensor;
  });
}

/** Name -> where it is given. */
function placesOf(specs: readonly TensorSpec[], given: readonly Tensor[]): ReadonlyMap<string, number> {
  const names = specs.map((spec) => spec.name);
  const places = new Map<string, number>();
  given.forEach((tensor, i) => {
    if (!names.includes(tensor.name)) {
      throw wrongInput(
        `inputs[${i}].name`,
        `the model has no input ${show(tensor.name)}; it has ${names.join(', ')}`,
      );
    }
    if (places.has(tensor.name)) throw wrongInput(`inputs[${i}].name`, `${show(tensor.name)} is given twice`);
    places.set(tensor.name, i);
  });
  return places;
}

function matchShape(
  spec: TensorSpec,
  { shape, data }: Tensor,
  symbols: Map<string, number>,
  field: string,
): void {
  const fits =
    shape.length === spec.shape.length &&
    shape.every((size, i) => {
      const wanted = spec.shape[i] ?? -1;
      return wanted < 0 || wanted === size;
    });
  if (!fits) {
    throw wrongInput(
      `${field}.shape`,
      `[${shape.join(',')}] does not fit [${spec.shape.join(',')}] of ${show(spec.name)}`,
    );
  }
  shape.forEach((size, i) => {
    const symbol = spec.symbols[i];
    if (symbol === null || symbol === undefined) return;
    const before = symbols.get(symbol) ?? size;
    if (before !== size) {
      throw wrongInput(
        `${field}.shape`,
        `size ${size} at place ${i}, but another input has ${before} there (${symbol})`,
      );
    }
    symbols.set(symbol, size);
  });
  if (data.length !== sizeOf(shape)) {
    throw wrongInput(`${field}.data`, `${data.length} values, but the shape needs ${sizeOf(shape)}`);
  }
}

/** JSON text of a tensor's flat data. Values JSON does not have (NaN, infinities) become null; INT64 are plain integers. */
export function dataToJson(tensor: Tensor): string {
  const { data, datatype } = tensor;
  if (datatype === 'INT64') return `[${(data as BigInt64Array).join(',')}]`;
  if (datatype === 'BOOL') return JSON.stringify(Array.from(data as Uint8Array, (value) => value !== 0));
  return JSON.stringify(datatype === 'BYTES' ? data : Array.from(data as Float32Array | Float64Array));
}

/** One value as a number: BOOL as 0 and 1, INT64 rounded to a double, BYTES only where they hold a number; else NaN. */
export function numberAt(tensor: Tensor, index: number): number {
  const value = tensor.data[index];
  if (value === undefined) return Number.NaN;
  if (typeof value === 'string') return value.trim() === '' ? Number.NaN : Number(value);
  return Number(value);
}

function isDatatype(value: unknown): value is Datatype {
  return (DATATYPES as readonly unknown[]).includes(value);
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw wrongInput(field, `${show(value)} is not an object`);
}

/** Flat values, from flat or nested arrays. */
function flatten(data: unknown, shape: readonly number[], size: number, field: string): readonly unknown[] {
  if (!Array.isArray(data)) throw wrongInput(field, `${show(data)} is not a list`);
  const nested = shape.length > 1 && data.some((value) => Array.isArray(value));
  if (!nested) {
    if (data.length !== size) throw wrongInput(field, `${data.length} values, but the shape needs ${size}`);
    return data;
  }
  const flat: unknown[] = [];
  const walk = (part: unknown, depth: number, at: string): void => {
    if (depth === shape.length) {
      flat.push(part);
      return;
    }
    if (!Array.isArray(part) || part.length !== shape[depth]) {
      const found = Array.isArray(part) ? `${part.length} values` : show(part);
      throw wrongInput(at, `${found} where the shape needs ${shape[depth]} values`);
    }
    part.forEach((inner, i) => walk(inner, depth + 1, `${at}[${i}]`));
  };
  walk(data, 0, field);
  return flat;
}

function typed(
  datatype: Datatype,
  values: readonly unknown[],
  field: string,
  isNullable: boolean,
): TensorData {
  const bad = (i: number): never => {
    const isFloat = datatype === 'FP32' || datatype === 'FP64';
    const told = values[i] === null && isFloat ? ': the manifest does not say that it is nullable' : '';
    throw wrongInput(`${field}[${i}]`, `${show(values[i])} is not a value of ${datatype}${told}`);
  };
  switch (datatype) {
    case 'FP32':
    case 'FP64': {
      const result = datatype === 'FP32' ? new Float32Array(values.length) : new Float64Array(values.length);
      values.forEach((value, i) => {
        result[i] = typeof value === 'number' ? value : value === null && isNullable ? Number.NaN : bad(i);
      });
      return result;
    }
    case 'INT64':
      return BigInt64Array.from(values, (value, i) => integer(value) ?? bad(i));
    case 'BOOL':
      return Uint8Array.from(values, (value, i) => boolean(value) ?? bad(i));
    case 'BYTES':
      return values.map((value, i) => (typeof value === 'string' ? value : bad(i)));
  }
}

function integer(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) return undefined;
  const big = BigInt(value);
  return big >= INT64_MIN && big <= INT64_MAX ? big : undefined;
}

function boolean(value: unknown): number | undefined {
  if (value === true || value === 1) return 1;
  return value === false || value === 0 ? 0 : undefined;
}

/** A value for a message, shortened. */
function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
