/** Golden rows are stored as they are sent, in the clear: of what says something about persons they hold no person's own record. */
import type { Random } from '../../statistics/metrics/random.js';
import { item } from '../../statistics/metrics/scored.js';
import type { ColumnValues, InputColumn } from './columns.js';
import type { DataSet } from './data-set.js';

/** As in the bins of a profile: so many rows stand behind each value. */
const PERSONS_LEAST = 20;

/**
 * The same data set, with other values in the personal inputs of these rows, each drawn by itself, so that no row is anybody's: a
 * number is the mean of 20 neighbours in the order of size, a text is one that 20 rows have (or else the most frequent one). Offline
 * answers are asked of these rows, so that nothing is lost for a comparison.
 * @param complete rows without a missing value; there is at least one
 */
export function withoutPersons(
  data: DataSet,
  complete: ArrayLike<number>,
  chosen: readonly number[],
  random: Random,
): DataSet {
  const inputs = data.inputs.map((column): InputColumn => {
    if (column.field.personal !== true) return column;
    const draw = drawOf(column, complete, random);
    const { width } = column.field;
    const values: (string | number)[] = [];
    // Only these rows are read.
    for (const row of chosen) for (let k = 0; k < width; k += 1) values[row * width + k] = draw();
    return { ...column, values: values as unknown as ColumnValues };
  });
  return { ...data, inputs };
}

function drawOf(
  { field: { datatype, width }, values }: InputColumn,
  complete: ArrayLike<number>,
  random: Random,
): () => string | number {
  const all = Array.from(
    { length: complete.length * width },
    (_, i) => values[item(complete, Math.floor(i / width)) * width + (i % width)],
  );
  if (datatype === 'BYTES') return drawText(all.map(String), random);
  const sorted = Float64Array.from(all, Number).sort();
  const size = Math.min(PERSONS_LEAST, sorted.length);
  return () => {
    const from = random.below(sorted.length - size + 1);
    const near = sorted.subarray(from, from + size);
    const [least, most] = [item(near, 0), item(near, size - 1)];
    const mean = least === most ? least : near.reduce((sum, value) => sum + value / size, 0);
    return datatype === 'INT64' || datatype === 'BOOL' ? Math.round(mean) : mean;
  };
}

function drawText(all: readonly string[], random: Random): () => string {
  const rows = new Map<string, number>();
  for (const text of all) rows.set(text, (rows.get(text) ?? 0) + 1);
  const sorted = [...rows].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const common = sorted.filter(([, count], i) => i === 0 || count >= PERSONS_LEAST).map(([text]) => text);
  return () => common[random.below(common.length)] ?? '';
}
