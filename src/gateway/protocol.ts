/** Open Inference Protocol v2, REST: what comes in and what goes out. */
import { ModelError } from '../platform/onnx/errors.js';
import { dataToJson, readTensor, type Tensor, type TensorSpec } from '../platform/onnx/tensors.js';

/** An error with its HTTP status; the body is `{error}`. */
export class HttpError extends Error {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, retryAfterSeconds?: number) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface InferRequest {
  readonly id: string | null;
  readonly inputs: readonly Tensor[];
  /** Names of the wanted outputs, in order; null: all. */
  readonly outputs: readonly string[] | null;
}

const MAX_INPUTS = 1_000;

/**
 * @param nullable inputs that may have missing values, `null`
 * @throws ModelError `wrong-input` that names the field
 */
export function readInferRequest(body: unknown, nullable: readonly string[] = []): InferRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw malformed('body', 'an object is needed');
  const { id, inputs, outputs } = body as Record<string, unknown>;
  if (id !== undefined && typeof id !== 'string') throw malformed('id', 'a string is needed');
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw malformed('inputs', 'a list of at least one tensor is needed');
  if (inputs.length > MAX_INPUTS)
    throw malformed('inputs', `${inputs.length} tensors are more than ${MAX_INPUTS}`);
  return {
    id: id ?? null,
    inputs: inputs.map((given: unknown, i) => readTensor(given, `inputs[${i}]`, nullable)),
    outputs: readOutputs(outputs),
  };
}

function readOutputs(outputs: unknown): readonly string[] | null {
  if (outputs === undefined) return null;
  if (!Array.isArray(outputs)) throw malformed('outputs', 'a list is needed');
  if (outputs.length === 0) return null;
  return outputs.map((output: unknown, i) => {
    const name: unknown =
      typeof output === 'object' && output !== null && 'name' in output ? output.name : undefined;
    if (typeof name !== 'string') throw malformed(`outputs[${i}].name`, 'a name is needed');
    return name;
  });
}

/** @throws ModelError `wrong-input` for an output that the model does not have */
export function checkOutputs(wanted: readonly string[] | null, specs: readonly TensorSpec[]): void {
  wanted?.forEach((name, i) => {
    if (specs.some((spec) => spec.name === name)) return;
    const names = specs.map((spec) => spec.name).join(', ');
    throw malformed(`outputs[${i}].name`, `the model has no output ${JSON.stringify(name)}; it has ${names}`);
  });
}

/** JSON text of the answer. Written by hand, as INT64 values do not survive as numbers of JavaScript. */
export function answerText(
  model: string,
  version: string,
  id: string,
  outputs: readonly Tensor[],
  wanted: readonly string[] | null,
): string {
  const chosen =
    wanted === null ? outputs : wanted.flatMap((name) => outputs.filter((output) => output.name === name));
  const tensors = chosen.map((output) => {
    const { name, shape, datatype } = output;
    return `${JSON.stringify({ name, shape, datatype }).slice(0, -1)},"data":${dataToJson(output)}}`;
  });
  const head = JSON.stringify({ model_name: model, model_version: version, id }).slice(0, -1);
  return `${head},"outputs":[${tensors.join(',')}]}`;
}

export const specText = ({ name, datatype, shape }: TensorSpec): object => ({ name, datatype, shape });

const malformed = (field: string, message: string): ModelError =>
  new ModelError('wrong-input', `${field}: ${message}`, field);
