/** What Tenure does with the rows: the profile as validation makes it, column after column, and the window's counts by DuckDB. */
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
    const columns: FeatureColumn[] = [];
    for (const column of numeric) {
      const values = new Float64Array(half);
      await eachValue(file, column, half, (value, row) => {
        values[row] = value as number;
      });
      columns.push({ column, datatype: 'FP64', feature: numericProfile(column, values) });
    }
    for (const column of categorical) {
      const values: unknown[] = [];
      await eachValue(file, column, half, (value) => void values.push(value));
      columns.push({ column, datatype: 'BYTES', feature: categoricalProfile(column, values, 'string') });
    }
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

async function eachValue(
  file: DataFile,
  column: string,
  half: number,
  take: (value: unknown, row: number) => void,
): Promise<void> {
  let row = 0;
  for await (const [values = []] of file.read([column], `row < ${half}`))
    for (const value of values) {
      take(value, row);
      row += 1;
    }
}
