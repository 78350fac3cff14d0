/** Opens the file of a data set with DuckDB: which columns it has, of which type, and reading them in the order of the file. */
import { open } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { GateProblem } from './ports.js';

export interface DataFile {
  readonly columns: ReadonlyMap<string, string>;
  readonly rows: number;
  /** Gives the values of the expressions chunk by chunk; NULL is null. */
  read(expressions: readonly string[]): AsyncGenerator<readonly (readonly DuckDBValue[])[], void>;
  close(): void;
}

export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quotedText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * @param csvTypes DuckDB types of columns, for CSV alone: the file itself does not say them
 * @throws GateProblem when the file is neither Parquet nor CSV
 */
export async function openDataFile(path: string, csvTypes: ReadonlyMap<string, string>): Promise<DataFile> {
  const source = await sourceOf(path);
  const database = await DuckDBInstance.create(':memory:', {
    threads: '2',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await database.connect();
  const close = (): void => {
    connection.closeSync();
    database.closeSync();
  };
  try {
    const untyped = await describe(connection, source.table([]), path);
    const table = source.table([...csvTypes].filter(([name]) => untyped.has(name)));
    const columns = source.csv ? await describe(connection, table, path) : untyped;
    const [count] = await query(connection, `SELECT count(*) FROM ${table}`, path);
    return {
      columns,
      rows: Number(count?.[0] ?? 0),
      read: (expressions) => chunks(connection, `SELECT ${expressions.join(', ')} FROM ${table}`, path),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface Source {
  readonly csv: boolean;
  readonly table: (types: readonly (readonly [string, string])[]) => string;
}

/** The content says what it is: artifacts have no file ending. */
async function sourceOf(path: string): Promise<Source> {
  const file = await open(path);
  const head = Buffer.alloc(4);
  let bytesRead: number;
  try {
    ({ bytesRead } = await file.read(head, 0, 4, 0));
  } finally {
    await file.close();
  }
  if (bytesRead === 0) throw new GateProblem('The data set is an empty file');
  if (head.toString('latin1') === 'PAR1') {
    return { csv: false, table: () => `read_parquet(${quotedText(path)})` };
  }
  const packed = head[0] === 0x1f && head[1] === 0x8b ? ", compression = 'gzip'" : '';
  return {
    csv: true,
    table: (types) => {
      const list = types.map(([name, type]) => `${quotedText(name)}: ${quotedText(type)}`).join(', ');
      const typed = types.length === 0 ? '' : `, types = {${list}}`;
      return `read_csv(${quotedText(path)}, header = true${packed}${typed})`;
    },
  };
}

async function describe(
  connection: DuckDBConnection,
  table: string,
  path: string,
): Promise<Map<string, string>> {
  const rows = await query(connection, `DESCRIBE SELECT * FROM ${table}`, path);
  return new Map(rows.map((row) => [String(row[0]), String(row[1])]));
}

async function query(
  connection: DuckDBConnection,
  sql: string,
  path: string,
): Promise<readonly (readonly DuckDBValue[])[]> {
  try {
    return await (await connection.run(sql)).getRows();
  } catch (error) {
    throw problem(error, path);
  }
}

async function* chunks(
  connection: DuckDBConnection,
  sql: string,
  path: string,
): AsyncGenerator<readonly (readonly DuckDBValue[])[], void> {
  try {
    const result = await connection.stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield Array.from({ length: chunk.columnCount }, (_, i) => chunk.getColumnValues(i));
    }
  } catch (error) {
    throw error instanceof GateProblem ? error : problem(error, path);
  }
}

function problem(error: unknown, path: string): GateProblem {
  const text = (error instanceof Error ? error.message : String(error)).replaceAll(path, 'the data set');
  const short = text.replaceAll(/\s+/g, ' ').trim().slice(0, 500);
  return new GateProblem(`The data set cannot be read as Parquet or CSV: ${short}`);
}
