import type { InputField, Manifest, OutputField } from '../../contracts/manifest.js';
import type { ModelMetadata } from '../../platform/onnx/protocol.js';
import type { TensorSpec } from '../../platform/onnx/tensors.js';

/** How a model's inputs and outputs differ from the manifest's schema, in words; empty when they are equal. */
export function schemaDifferences(schema: Manifest['schema'], model: ModelMetadata): readonly string[] {
  return [
    ...sideDifferences('input', schema.inputs, model.inputs),
    ...sideDifferences('output', schema.outputs, model.outputs),
  ];
}

function sideDifferences(
  side: 'input' | 'output',
  wanted: readonly (InputField | OutputField)[],
  found: readonly TensorSpec[],
): readonly string[] {
  const extra = found
    .filter(({ name }) => !wanted.some((field) => field.name === name))
    .map(({ name, datatype }) => `${side} ${name} (${datatype}) is not in the manifest`);
  const others = wanted.flatMap((field) => {
    const spec = found.find(({ name }) => name === field.name);
    if (spec === undefined) return [`${side} ${field.name} of the manifest is not in the model`];
    return fieldDifferences(side, field, spec);
  });
  return [...others, ...extra];
}

function fieldDifferences(
  side: string,
  field: InputField | OutputField,
  spec: TensorSpec,
): readonly string[] {
  const differences: string[] = [];
  if (spec.datatype !== field.datatype) {
    differences.push(`${side} ${field.name} is ${spec.datatype}, not ${field.datatype}`);
  }
  // The first dimension counts rows; a free one further on takes any width.
  const perRow = spec.shape.slice(1);
  const width = perRow.includes(-1) ? field.width : perRow.reduce((product, size) => product * size, 1);
  if (spec.shape.length === 0 || width !== field.width) {
    differences.push(
      `${side} ${field.name} has shape [${spec.shape.join(', ')}], not ${field.width} values a row`,
    );
  }
  return differences;
}
