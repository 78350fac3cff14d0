/** Scores a data set with a model on its own thread. */
import type { Manifest } from '../../contracts/manifest.js';
import { ModelError } from '../../platform/onnx/errors.js';
import type { Tensor, TensorData } from '../../platform/onnx/tensors.js';
import { numberAt } from '../../platform/onnx/tensors.js';
import type { ModelAnswer, ModelThread } from '../../platform/onnx/thread.js';
import type { Scored } from '../../statistics/metrics/scored.js';
import type { InputColumn } from './columns.js';
import type { DataSet } from './data-set.js';
import { GateProblem } from './ports.js';
import type { Progress } from './ports.js';

/** Rows a call; models whose first dimension is fixed get that many. */
const BATCH_ROWS = 1024;

/** Values of the score output a row. */
export function scoreWidth({ task, prediction }: Manifest): number {
  return task === 'multiclass' ? prediction.classes.length : 1;
}

/** Input tensors of the given rows, shaped as the model's own metadata says: `[n]` or `[n, width]`. */
export function inputTensors(data: DataSet, rows: ArrayLike<number>, model: ModelThread): readonly Tensor[] {
  return data.inputs.map(({ field, values }) => {
    const spec = model.metadata.inputs.find(({ name }) => name === field.name);
    const flat = field.width === 1 && spec?.shape.length === 1;
    return {
      name: field.name,
      datatype: field.datatype,
      shape: flat ? [rows.length] : [rows.length, field.width],
      data: pick({ field, values }, rows),
    };
  });
}

function pick({ field, values }: Pick<InputColumn, 'field' | 'values'>, rows: ArrayLike<number>): TensorData {
  const size = rows.length * field.width;
  switch (field.datatype) {
    case 'FP32':
      return copied(new Float32Array(size), field.width, values, rows, Number);
    case 'FP64':
      return copied(new Float64Array(size), field.width, values, rows, Number);
    case 'BOOL':
      return copied(new Uint8Array(size), field.width, values, rows, Number);
    case 'INT64':
      return copied(new BigInt64Array(size), field.width, values, rows, BigInt);
    case 'BYTES':
      return copied(Array<string>(size), field.width, values, rows, String);
  }
}

/** A loop: `from` with a function takes several times as long, and there are as many values as the data set has. */
function copied<T, A extends { [place: number]: T }>(
  into: A,
  width: number,
  values: InputColumn['values'],
  rows: ArrayLike<number>,
  read: (value: string | number) => T,
): A {
  const places: { [place: number]: T } = into;
  for (let row = 0; row < rows.length; row += 1) {
    const from = (rows[row] ?? 0) * width;
    for (let k = 0; k < width; k += 1) places[row * width + k] = read(values[from + k] ?? 0);
  }
  return into;
}

/**
 * Scores of all rows, row after row.
 * @param who `candidate` or `champion`, for messages
 * @throws GateProblem when the model fails on a row or answers something that is no score; ModelError when its thread is gone
 */
export async function scoreRows(
  model: ModelThread,
  who: string,
  data: DataSet,
  manifest: Manifest,
  progress: Progress,
): Promise<Float64Array> {
  const width = scoreWidth(manifest);
  const scores = new Float64Array(data.rows * width);
  const fixed = model.metadata.inputs.map(({ shape }) => shape[0] ?? -1).filter((size) => size > 0);
  const batch = Math.min(BATCH_ROWS, ...fixed);
  for (let start = 0; start < data.rows; start += batch) {
    const rows = Array.from({ length: Math.min(batch, data.rows - start) }, (_, i) => start + i);
    const answer = await model
      .infer(inputTensors(data, rows, model), { signal: progress.signal })
      .catch(async (error: unknown) => {
        throw await failureOn(error, model, who, data, rows, progress);
      });
    scores.set(scoresOf(answer, manifest, rows.length, `the ${who}, rows from ${start + 1}`), start * width);
    progress.report(`scoring with the ${who}`, start + rows.length, data.rows);
  }
  return scores;
}

/** The score output of an answer, checked: there, of the right size, finite, probabilities within 0..1. */
export function scoresOf(
  { outputs }: ModelAnswer,
  manifest: Manifest,
  rows: number,
  where: string,
): Float64Array {
  const { score } = manifest.prediction;
  const tensor = outputs.find(({ name }) => name === score);
  if (tensor === undefined) throw new GateProblem(`Output ${score} is not among the answers of ${where}`);
  const width = scoreWidth(manifest);
  if (tensor.data.length !== rows * width) {
    throw new GateProblem(
      `Output ${score} has ${tensor.data.length} values for ${rows} rows in ${where}; prediction.score needs ${width} a row`,
    );
  }
  const scores = new Float64Array(rows * width);
  for (let i = 0; i < scores.length; i += 1) {
    const value = numberAt(tensor, i);
    if (!Number.isFinite(value))
      throw new GateProblem(
        `Output ${score} is ${value} (${where}, row ${Math.floor(i / width) + 1} of these)`,
      );
    if (manifest.task === 'regression') {
      scores[i] = value;
      continue;
    }
    // Sums of floats can pass 1 by a rounding.
    if (value < -1e-6 || value > 1 + 1e-6) {
      throw new GateProblem(
        `Output ${score} is ${value}, no probability (${where}, row ${Math.floor(i / width) + 1} of these)`,
      );
    }
    scores[i] = Math.min(1, Math.max(0, value));
  }
  return scores;
}

/** Labels and scores together, as the statistics take them. */
export function scoredOf(manifest: Manifest, data: DataSet, scores: Float64Array): Scored {
  const { labels } = data;
  switch (manifest.task) {
    case 'binary':
      return { task: 'binary', labels, scores, threshold: manifest.prediction.threshold };
    case 'multiclass':
      return { task: 'multiclass', labels, scores, classes: manifest.prediction.classes.length };
    case 'regression':
      return { task: 'regression', labels, scores };
  }
}

/** Names the first row that the model fails on by asking for one row after the other. */
async function failureOn(
  error: unknown,
  model: ModelThread,
  who: string,
  data: DataSet,
  rows: readonly number[],
  progress: Progress,
): Promise<unknown> {
  if (!(error instanceof ModelError) || (error.code !== 'run-failed' && error.code !== 'wrong-input'))
    return error;
  if (error.code === 'run-failed') {
    for (const row of rows) {
      try {
        await model.infer(inputTensors(data, [row], model), { signal: progress.signal });
      } catch (single) {
        if (!(single instanceof ModelError)) return single;
        return new GateProblem(`The ${who} fails on row ${row + 1}: ${single.message.slice(0, 300)}`, {
          row: row + 1,
        });
      }
    }
  }
  return new GateProblem(
    `The ${who} fails on rows ${(rows[0] ?? 0) + 1} to ${(rows.at(-1) ?? 0) + 1}: ${error.message.slice(0, 300)}`,
  );
}
