/** Runs the employment example's ONNX files on rows of its data. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { age, inputNames } from '../../examples/employment/columns.js';
import type { Table } from '../../examples/employment/data.js';

/** One thread, and no log line for a run that fails. */
export function openSession(model: Uint8Array): Promise<InferenceSession> {
  return InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
}

/** Scores and labels of the rows from `start` to before `end`, in one call of the runtime. */
export async function runModel(
  session: InferenceSession,
  table: Table,
  start = 0,
  end = table.rows,
): Promise<{ readonly scores: Float32Array; readonly labels: readonly number[] }> {
  const feeds: Record<string, Tensor> = {};
  for (const name of inputNames) {
    const values = (table.columns.get(name) ?? new Int32Array()).subarray(start, end);
    feeds[name] =
      name === age.name
        ? new Tensor('float32', Float32Array.from(values), [values.length, 1])
        : new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length, 1]);
  }
  const { score, label } = await session.run(feeds);
  return {
    scores: score?.data as Float32Array,
    labels: Array.from(label?.data as BigInt64Array, Number),
  };
}
