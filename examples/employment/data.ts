/** Where the example's data are, and how to read them. */
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { inputNames, labelColumn, subgroupColumns } from './columns.js';

/** The years whose rows come after the reference of 2015. */
export const years = [2016, 2017, 2018] as const;
export type Year = (typeof years)[number];
export type Part = 'train' | 'validation' | Year;

/** Path of the Parquet file of a part. Those of the later years hold no labels. */
export function dataFile(part: Part): string {
  const name = typeof part === 'number' ? `production-${part}` : `reference-${part}`;
  return fileURLToPath(new URL(`data/${name}.parquet`, import.meta.url));
}

/** Path of the Parquet file with the labels of a later year, by id. */
export function labelsFile(year: Year): string {
  return fileURLToPath(new URL(`data/production-${year}-labels.parquet`, import.meta.url));
}

/** A part in memory, by columns; `columns` holds the model inputs and the subgroup columns. */
export interface Table {
  readonly rows: number;
  readonly ids: Int32Array;
  readonly columns: ReadonlyMap<string, Int32Array>;
  /** 1 employed, 0 not. */
  readonly labels: Int32Array;
}

/** Reads a part with its labels, in the order of the file; `limit` takes the first rows only. */
export async function readTable(part: Part, limit?: number): Promise<Table> {
  const columns = ['id', ...inputNames, ...subgroupColumns];
  const labels = typeof part === 'number' ? `JOIN read_parquet(${quoted(labelsFile(part))}) USING (id)` : '';
  const names = [...columns, labelColumn];
  const query = `SELECT ${names.map((name) => `${name}::INTEGER AS ${name}`).join(', ')}
    FROM read_parquet(${quoted(dataFile(part))}, file_row_number = true) AS rows ${labels}
    ORDER BY rows.file_row_number ${limit === undefined ? '' : `LIMIT ${limit}`}`;
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const reader = await connection.runAndReadAll(query);
    const all = reader.getColumnsJS();
    const values = new Map(
      reader.columnNames().map((name, index) => [name, Int32Array.from(all[index] as number[])]),
    );
    const take = (name: string): Int32Array => {
      const column = values.get(name);
      if (column === undefined) throw new Error(`Column ${name} is missing in ${dataFile(part)}`);
      return column;
    };
    return {
      rows: take('id').length,
      ids: take('id'),
      columns: new Map(columns.slice(1).map((name) => [name, take(name)])),
      labels: take(labelColumn),
    };
  } finally {
    connection.closeSync();
  }
}

/** The rows of a table for which `keep` is true, in their order. */
export function pick(table: Table, keep: (row: number) => boolean): Table {
  const rows = Array.from({ length: table.rows }, (_, row) => row).filter(keep);
  const take = (values: Int32Array): Int32Array => Int32Array.from(rows, (row) => values[row] as number);
  return {
    rows: rows.length,
    ids: take(table.ids),
    columns: new Map([...table.columns].map(([name, values]) => [name, take(values)])),
    labels: take(table.labels),
  };
}

/** A path as a text of SQL. */
export function quoted(path: string): string {
  return `'${path.replaceAll("'", "''")}'`;
}
