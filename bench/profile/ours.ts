/** What Tenure does with the rows: the profile as validation makes it, and the window's counts by DuckDB. */
import { type DataFile, openRows } from '../../src/platform/data-files/data-file.js';
import { countColumns, type FeatureColumn } from '../../src/platform/profiles/file-counts.js';
import { judgeWindow } from '../../src/statistics/drift/judge-window.js';
import { inputPairs } from '../../src/statistics/monitor/pairs.js';
import { categoricalProfile, numericProfile } from '../../src/statistics/profile/build.js';
import type { ReferenceProfile } from '../../src/statistics/profile/types.js';
import type { Made } from './made.js';

/** @returns names of the columns in which there is a significant change, by name */
export async function profileAndJudge({
  path,
  rows,
  numeric,
  categorical,
}: Made): Promise<readonly string[]> {
  const file = await openRows(path, { kinds: ['Parquet'], name: 'The file of made rows' });
  try {
    const half = rows / 2;
    const columns = await profiled(file, numeric, categorical, half);
    const features = await countColumns(file, columns, `row >= ${half}`);
    const profile: ReferenceProfile = {
      format: 1,
      rows: half,
      features: columns.map(({ feature }) => feature),
      score: null,
    };
    const pairs = inputPairs(
      { digest: '', profile, predictions: [] },
      { profile: '', rows: half, features, score: null },
      [],
    );
    const judged = judgeWindow(Object.fromEntries(pairs.map(({ name, counts }) => [name, counts])));
    return judged.features.flatMap((one) =>
      one.verdict === 'insufficient' || one.pInWindow > judged.alpha ? [] : [one.name],
    );
  } finally {
    file.close();
  }
}

/** All columns in one pass: each chunk is a wait for another thread. */
async function profiled(
  file: DataFile,
  numeric: readonly string[],
  categorical: readonly string[],
  half: number,
): Promise<readonly FeatureColumn[]> {
  const numbers = numeric.map(() => new Float64Array(half));
  const texts = categorical.map(() => Array<unknown>(half));
  const targets = [...numbers, ...texts];
  let from = 0;
  for await (const chunk of file.read([...numeric, ...categorical], `row < ${half}`)) {
    for (const [i, values] of chunk.entries()) {
      const target = targets[i] as unknown[];
      for (let row = 0; row < values.length; row += 1) target[from + row] = values[row];
    }
    from += chunk[0]?.length ?? 0;
  }
  return [
    ...numeric.map((column, i): FeatureColumn => {
      return { column, datatype: 'FP64', feature: numericProfile(column, numbers[i] ?? []) };
    }),
    ...categorical.map((column, i): FeatureColumn => {
      return { column, datatype: 'BYTES', feature: categoricalProfile(column, texts[i] ?? [], 'string') };
    }),
  ];
}
