/** Census rows as inference requests of the Open Inference Protocol v2. */
import { DuckDBInstance } from '@duckdb/node-api';
import { age, inputNames, labelColumn } from './columns.js';
import { dataFile, labelsFile, quoted } from './data.js';
import type { Year } from './data.js';

/** A tensor in a request body: one row, one column. */
export interface InferInput {
  readonly name: string;
  readonly shape: readonly [1, 1];
  readonly datatype: 'FP32' | 'INT64';
  readonly data: readonly [number];
}

/** One row ready to be sent. */
export interface RequestRow {
  /** The same for every request about the same person. */
  readonly routingKey: string;
  /** Body of `POST /v2/models/employment/infer`. */
  readonly body: { readonly id: string; readonly inputs: readonly InferInput[] };
  /** The truth, which production would learn later: 1 employed, 0 not. */
  readonly label: 0 | 1;
}

/** Which rows: `limit` rows of a year (all of the rest, unless given) after the first `offset`, in replay order. */
export interface RowSelection {
  readonly year: Year;
  readonly limit?: number;
  readonly offset?: number;
}

/**
 * Streams the rows of a year in replay order, the order of the file: a fixed shuffle. Rows are read in chunks of
 * about 2,000, so that a slow reader holds little in memory.
 */
export async function* readRows({
  year,
  limit,
  offset = 0,
}: RowSelection): AsyncGenerator<RequestRow, void, undefined> {
  for (const [name, value] of Object.entries({ limit, offset }))
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new RangeError(`${name} is ${value}, expected a whole number from 0`);
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const columns = ['id', ...inputNames, labelColumn]
      .map((name) => `${name}::INTEGER AS ${name}`)
      .join(', ');
    // Both files are in replay order, but a join is not: hence the row number of the first.
    const result = await connection.stream(`
      SELECT ${columns}
      FROM read_parquet(${quoted(dataFile(year))}, file_row_number = true) AS rows
      JOIN read_parquet(${quoted(labelsFile(year))}) USING (id)
      ORDER BY rows.file_row_number LIMIT ${limit ?? 'ALL'} OFFSET ${offset}`);
    for await (const chunk of result.yieldRowsJs())
      for (const row of chunk) yield requestRow(row as number[]);
  } finally {
    connection.closeSync();
  }
}

function requestRow([id = 0, ...values]: readonly number[]): RequestRow {
  const inputs = inputNames.map((name, index): InferInput => {
    const datatype = name === age.name ? 'FP32' : 'INT64';
    return { name, shape: [1, 1], datatype, data: [values[index] as number] };
  });
  return {
    routingKey: `person-${id}`,
    body: { id: `census-${id}`, inputs },
    label: values[inputNames.length] === 1 ? 1 : 0,
  };
}
