/** The rows that all tools read: the same on every machine but for the last digits of logarithms. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { quotedText } from '../../src/platform/data-files/data-file.js';

const NUMERIC = 12;
/** Values of each categorical column. */
const CATEGORIES = [5, 12, 40, 150] as const;
/** The first of the numeric columns, in the later rows. */
const SHIFTED = 2;
/** In sd. */
const SHIFT = 0.1;
/** Later rows are spread over so much time, evenly. */
export const HOURS = 10;
export const BEGAN = Date.UTC(2026, 10, 1);

export interface Made {
  /** Parquet files of half of the rows each. */
  readonly reference: string;
  readonly later: string;
  readonly numeric: readonly string[];
  readonly categorical: readonly string[];
  readonly shifted: readonly string[];
}

/** 16 columns of data, and what rows of a model have besides: score, label and time. */
export async function makeRows(folder: string, rows: number): Promise<Made> {
  const numeric = Array.from({ length: NUMERIC }, (_, i) => `n${i}`);
  const categorical = CATEGORIES.map((_, i) => `c${i}`);
  const half = rows / 2;
  const [reference, later] = ['reference', 'later'].map((name) => join(folder, `${name}.parquet`)) as [
    string,
    string,
  ];
  const database = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await database.connect();
  try {
    const normals = numeric.map((name, i) => {
      const shift = i < SHIFTED ? ` + CASE WHEN row >= ${half} THEN ${SHIFT} ELSE 0 END` : '';
      return `sqrt(-2 * ln(${uniform(2 * i)})) * cos(2 * pi() * ${uniform(2 * i + 1)})${shift} AS ${name}`;
    });
    const names = categorical.map(
      (name, i) =>
        `'c' || CAST(floor(${CATEGORIES[i]} * pow(${uniform(2 * NUMERIC + i)}, 2)) AS INTEGER) AS ${name}`,
    );
    const score = uniform(2 * NUMERIC + CATEGORIES.length);
    const others = [
      `${score} AS score`,
      `CAST(${uniform(2 * NUMERIC + CATEGORIES.length + 1)} < ${score} AS INTEGER) AS label`,
      `make_timestamp_ms(CAST(${BEGAN} + row % ${half} * ${(HOURS * 3_600_000) / half} AS BIGINT)) AS at`,
    ];
    for (const [i, path] of [reference, later].entries())
      await connection.run(
        `COPY (SELECT ${[...normals, ...names, ...others].join(', ')} FROM range(${i * half}, ${(i + 1) * half}) made(row))
         TO ${quotedText(path)} (FORMAT parquet, ROW_GROUP_SIZE 100000)`,
      );
  } finally {
    connection.closeSync();
    database.closeSync();
  }
  return { reference, later, numeric, categorical, shifted: numeric.slice(0, SHIFTED) };
}

/** In (0, 1), by the row: a generator with a state would give other rows to more threads. */
const uniform = (stream: number): string =>
  `((CAST(hash(row * 64 + ${stream}) >> 12 AS DOUBLE) + CAST(0.5 AS DOUBLE)) / CAST(${2 ** 52} AS DOUBLE))`;
