/** The rows that all tools read: the same on every machine but for the last digits of logarithms. */
import { DuckDBInstance } from '@duckdb/node-api';
import { quotedText } from '../../src/platform/data-files/data-file.js';

const NUMERIC = 12;
/** Values of each categorical column. */
const CATEGORIES = [5, 12, 40, 150] as const;
/** The first of the numeric columns, in the second half. */
const SHIFTED = 2;
/** In sd. */
const SHIFT = 0.1;

export interface Made {
  readonly path: string;
  readonly rows: number;
  readonly numeric: readonly string[];
  readonly categorical: readonly string[];
  readonly shifted: readonly string[];
}

/** One Parquet file: a column `row` that counts from 0, and 16 columns of data; the second half of the rows is the later one. */
export async function makeRows(path: string, rows: number): Promise<Made> {
  const numeric = Array.from({ length: NUMERIC }, (_, i) => `n${i}`);
  const categorical = CATEGORIES.map((_, i) => `c${i}`);
  const database = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await database.connect();
  try {
    const normals = numeric.map((name, i) => {
      const shift = i < SHIFTED ? ` + CASE WHEN row >= ${rows / 2} THEN ${SHIFT} ELSE 0 END` : '';
      return `sqrt(-2 * ln(${uniform(2 * i)})) * cos(2 * pi() * ${uniform(2 * i + 1)})${shift} AS ${name}`;
    });
    const names = categorical.map(
      (name, i) =>
        `'c' || CAST(floor(${CATEGORIES[i]} * pow(${uniform(2 * NUMERIC + i)}, 2)) AS INTEGER) AS ${name}`,
    );
    await connection.run(
      `COPY (SELECT row, ${[...normals, ...names].join(', ')} FROM range(${rows}) made(row))
       TO ${quotedText(path)} (FORMAT parquet, ROW_GROUP_SIZE 100000)`,
    );
  } finally {
    connection.closeSync();
    database.closeSync();
  }
  return { path, rows, numeric, categorical, shifted: numeric.slice(0, SHIFTED) };
}

/** In (0, 1), by the row: a generator with a state would give other rows to more threads. */
const uniform = (stream: number): string =>
  `((CAST(hash(row * 64 + ${stream}) >> 12 AS DOUBLE) + CAST(0.5 AS DOUBLE)) / CAST(${2 ** 52} AS DOUBLE))`;
