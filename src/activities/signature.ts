import type { Datatype, Manifest } from '../contracts/manifest.js';

/** A tensor that a model takes or gives; -1 is a free dimension. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

export interface Signature {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/**
 * Differences between what a model takes and gives and what its manifest says, in words; empty when it fits. Pure.
 * Outputs that the manifest does not name are fine: many exporters add some.
 */
export function compareSignature(schema: Manifest['schema'], signature: Signature): readonly string[] {
  const problems: string[] = [];
  for (const field of schema.inputs) {
    const tensor = signature.inputs.find(({ name }) => name === field.name);
    problems.push(...compareField('input', field, tensor, signature.inputs));
  }
  for (const { name } of signature.inputs) {
    if (schema.inputs.every((field) => field.name !== name)) {
      problems.push(`the model needs an input ${name}, which schema.inputs does not have`);
    }
  }
  for (const field of schema.outputs) {
    const tensor = signature.outputs.find(({ name }) => name === field.name);
    problems.push(...compareField('output', field, tensor, signature.outputs));
  }
  return problems;
}

function compareField(
  kind: 'input' | 'output',
  field: { readonly name: string; readonly datatype: Datatype; readonly width: number },
  tensor: Tensor | undefined,
  all: readonly Tensor[],
): readonly string[] {
  const { name, datatype, width } = field;
  if (tensor === undefined) {
    return [
      `the model has no ${kind} ${name}; it has ${all.map((other) => other.name).join(', ') || 'none'}`,
    ];
  }
  const problems: string[] = [];
  if (tensor.datatype !== datatype) {
    problems.push(`${kind} ${name} is ${tensor.datatype} in the model, but ${datatype} in the manifest`);
  }
  const [rows, ...rest] = tensor.shape;
  const shape = `[${tensor.shape.join(', ')}]`;
  if (rows === undefined) {
    problems.push(`${kind} ${name} is a scalar in the model: a first dimension for the rows is needed`);
  } else if (rows >= 0) {
    problems.push(
      `${kind} ${name} has shape ${shape} in the model: the first dimension must be free, for any number of rows`,
    );
  }
  const fixed = rest.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  const open = rest.some((size) => size < 0);
  if (open ? width % fixed !== 0 : width !== fixed) {
    problems.push(`${kind} ${name} has shape ${shape} in the model, but width ${width} in the manifest`);
  }
  return problems;
}
