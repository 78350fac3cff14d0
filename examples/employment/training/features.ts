/** From census codes to places in a network's first table, and to keys of combined columns. */
import { age, categories } from '../columns.js';
import type { Table } from '../data.js';

/** A model input as one version uses it. */
export interface Feature {
  readonly name: string;
  /** Values are divided by this, rounding down: 10 makes age bands of ten years. */
  readonly divideBy: number;
  /** The feature has the values 0 to `size` - 1 after dividing; greater ones count as the last. */
  readonly size: number;
}

/**
 * The features by name, with age in bands of `ageBand` years. The oldest age in the reference is 94, so older
 * people count as 94.
 */
export function features(names: readonly string[], ageBand = 1): readonly Feature[] {
  return names.map((name) => {
    if (name === age.name) return { name, divideBy: ageBand, size: Math.floor(94 / ageBand) + 1 };
    const category = categories.find((column) => column.name === name);
    if (category === undefined) throw new Error(`Column ${name} is not a model input`);
    return { name, divideBy: 1, size: category.to + 1 };
  });
}

/** Number of rows that the first table needs. */
export function tableSize(used: readonly Feature[]): number {
  return used.reduce((sum, feature) => sum + feature.size, 0);
}

/** Where each feature's rows start in the first table. */
export function offsets(used: readonly Feature[]): readonly number[] {
  let start = 0;
  return used.map((feature) => {
    const offset = start;
    start += feature.size;
    return offset;
  });
}

/** Places in the first table: `used.length` numbers a row. */
export function places(table: Table, used: readonly Feature[]): Int32Array {
  const result = new Int32Array(table.rows * used.length);
  const starts = offsets(used);
  used.forEach((feature, position) => {
    const values = columnOf(table, feature.name);
    const start = starts[position] as number;
    for (let row = 0; row < table.rows; row += 1) {
      const value = Math.floor((values[row] as number) / feature.divideBy);
      result[row * used.length + position] = start + Math.min(Math.max(value, 0), feature.size - 1);
    }
  });
  return result;
}

/** A column of a cross with the factor that keeps its values apart from those of the columns after it. */
export interface CrossColumn {
  readonly name: string;
  readonly factor: number;
}

/** Columns whose combinations are features of their own: key = sum of value times factor. */
export function cross(names: readonly string[]): readonly CrossColumn[] {
  let factor = 1;
  return names.map((name) => {
    const column = { name, factor };
    factor *= name === age.name ? age.to + 1 : 32;
    return column;
  });
}

/** The key of each row's combination. */
export function crossKeys(table: Table, columns: readonly CrossColumn[]): Int32Array {
  const keys = new Int32Array(table.rows);
  for (const { name, factor } of columns) {
    const values = columnOf(table, name);
    for (let row = 0; row < table.rows; row += 1)
      keys[row] = (keys[row] as number) + (values[row] as number) * factor;
  }
  return keys;
}

function columnOf(table: Table, name: string): Int32Array {
  const values = table.columns.get(name);
  if (values === undefined) throw new Error(`Column ${name} is missing`);
  return values;
}
