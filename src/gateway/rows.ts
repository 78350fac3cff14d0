/** The rows of a request, from the tensors that it sent and got. */
import type { Tensor } from '../platform/onnx/tensors.js';
import type { SampleDocument, SampleValue } from '../platform/observations/collections.js';

type Value = SampleValue | readonly SampleValue[];

/** Rows that were answered: the first dimension of the score; one where it has none. */
export const rowsOf = (score: Tensor | undefined): number => score?.shape[0] ?? 1;

/** A tensor's value in each row: one, or a list. Null where the tensor is not split by rows. */
export function rowValues(tensor: Tensor, rows: number): readonly Value[] | null {
  const { data, shape } = tensor;
  const split = shape[0] === rows;
  if (!split && rows !== 1) return null;
  const width = rows === 0 ? 0 : data.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    if (width === 1) return valueAt(tensor, row);
    return Array.from({ length: width }, (_value, i) => valueAt(tensor, row * width + i));
  });
}

/** Score of each row; NaN where it is not one finite number. */
export function scoresOf(score: Tensor | undefined, rows: number): readonly number[] {
  const values = score === undefined ? null : rowValues(score, rows);
  return Array.from({ length: rows }, (_, row) => {
    const value = values?.[row];
    return typeof value === 'number' ? value : Number.NaN;
  });
}

/** Inputs of each row by name, without those left out. */
export function inputsOf(
  inputs: readonly Tensor[],
  rows: number,
  without: ReadonlySet<string>,
): readonly SampleDocument['inputs'][] {
  const result = Array.from({ length: rows }, (): Record<string, Value> => ({}));
  for (const tensor of inputs) {
    if (without.has(tensor.name)) continue;
    rowValues(tensor, rows)?.forEach((value, row) => {
      const into = result[row];
      // Names come from the model's file: `__proto__` must be a name like any other.
      if (into !== undefined)
        Object.defineProperty(into, tensor.name, { value, enumerable: true, configurable: true });
    });
  }
  return result;
}

function valueAt({ datatype, data }: Tensor, index: number): SampleValue {
  const value = data[index];
  if (value === undefined) return null;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (datatype === 'BOOL') return value !== 0;
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}
