/** Opens a file of rows with DuckDB: which columns it has, of which type, and reading them in the order of the file. */
import { open } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { ChunkReader, type ReadColumn } from './chunk-columns.js';

export type { ReadColumn } from './chunk-columns.js';

export type FileKind = 'Parquet' | 'CSV' | 'JSON lines';

export interface DataFile {
  readonly kind: FileKind;
  readonly columns: ReadonlyMap<string, string>;
  readonly rows: number;
  /** Gives the values of the expressions chunk by chunk, a column an expression; they are to be used up before the next chunk. */
  read(expressions: readonly string[]): AsyncGenerator<readonly ReadColumn[], void>;
  close(): void;
}

export interface DataFileOptions {
  /** Kinds that are taken; one that is not is read as CSV. */
  readonly kinds: readonly FileKind[];
  /** In messages, e.g. `The data set`. */
  readonly name: string;
  /** DuckDB types of columns, for CSV alone: the file itself does not say them. */
  readonly csvTypes?: ReadonlyMap<string, string>;
}

/** The file cannot be read as what it should be; the message names it as the caller does. */
export class DataFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DataFileError';
  }
}

export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const quotedText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** @throws DataFileError when the file is of no kind that is taken, or empty */
export async function openRows(path: string, options: DataFileOptions): Promise<DataFile> {
  const { csvTypes = new Map<string, string>() } = options;
  const source = await sourceOf(path, options);
  const database = await DuckDBInstance.create(':memory:', {
    threads: '2',
    // Rows stream through; what would need more is told, and nothing is put on disk.
    memory_limit: '1GB',
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await database.connect();
  const close = (): void => {
    connection.closeSync();
    database.closeSync();
  };
  const problem = (error: unknown): DataFileError => problemOf(error, path, options);
  try {
    // What a time without a zone means must not depend on the machine.
    await connection.run("SET TimeZone = 'UTC'");
    const untyped = await describe(connection, source.table([]));
    const types = typesOf(source.kind, untyped, csvTypes);
    const table = source.table(types);
    const columns = types.length === 0 ? untyped : await describe(connection, table);
    const [count] = await query(connection, `SELECT count(*) FROM ${table}`);
    return {
      kind: source.kind,
      columns,
      rows: Number(count?.[0] ?? 0),
      read: (expressions) => chunks(connection, `SELECT ${expressions.join(', ')} FROM ${table}`, problem),
      close,
    };
  } catch (error) {
    close();
    throw problem(error);
  }
}

export interface DataSource {
  readonly kind: FileKind;
  readonly table: (types: Types) => string;
}

/** The content says what it is: artifacts have no file ending. */
export async function sourceOf(
  path: string,
  { name, kinds }: Pick<DataFileOptions, 'name' | 'kinds'>,
): Promise<DataSource> {
  const file = await open(path);
  const head = Buffer.alloc(64);
  let bytesRead: number;
  try {
    ({ bytesRead } = await file.read(head, 0, head.length, 0));
  } finally {
    await file.close();
  }
  if (bytesRead === 0) throw new DataFileError(`${name} is an empty file`);
  const text = head.subarray(0, bytesRead).toString('latin1');
  if (kinds.includes('Parquet') && text.startsWith('PAR1'))
    return { kind: 'Parquet', table: () => `read_parquet(${quotedText(path)})` };
  const packed = text.startsWith('\x1f\x8b') ? ", compression = 'gzip'" : '';
  if (
    kinds.includes('JSON lines') &&
    (text.trimStart().startsWith('{') || /\.(json|jsonl|ndjson)(\.gz)?$/.test(path))
  )
    return {
      kind: 'JSON lines',
      // All of the file says the columns: one that comes late is no error. Once they are known, nobody looks for them again.
      table: (types) =>
        `read_ndjson(${quotedText(path)}, ${types.length === 0 ? 'sample_size = -1' : `columns = {${typeList(types)}}`}${packed})`,
    };
  return {
    kind: 'CSV',
    table: (types) => {
      const typed = types.length === 0 ? '' : `, types = {${typeList(types)}}`;
      return `read_csv(${quotedText(path)}, header = true${packed}${typed})`;
    },
  };
}

type Types = readonly (readonly [column: string, type: string])[];

const typeList = (types: Types): string =>
  types.map(([column, type]) => `${quotedText(column)}: ${quotedText(type)}`).join(', ');

/** What the reading is told of a file that does not say it itself. */
function typesOf(
  kind: FileKind,
  found: ReadonlyMap<string, string>,
  csvTypes: ReadonlyMap<string, string>,
): Types {
  if (kind === 'Parquet') return [];
  return kind === 'CSV' ? [...csvTypes].filter(([name]) => found.has(name)) : jsonTypes(found);
}

/** What JSON has are texts and no times: which of their forms a text has is not to be guessed. */
const jsonTypes = (found: ReadonlyMap<string, string>): Types =>
  [...found].map(([column, type]) => [
    column,
    type.replaceAll(/\b(TIMESTAMP(?: WITH TIME ZONE|_[A-Z]+)?|DATE|TIME)\b(?=\[|$)/g, 'VARCHAR'),
  ]);

async function describe(connection: DuckDBConnection, table: string): Promise<Map<string, string>> {
  const rows = await query(connection, `DESCRIBE SELECT * FROM ${table}`);
  return new Map(rows.map((row) => [String(row[0]), String(row[1])]));
}

async function query(
  connection: DuckDBConnection,
  sql: string,
): Promise<readonly (readonly DuckDBValue[])[]> {
  return (await connection.run(sql)).getRows();
}

async function* chunks(
  connection: DuckDBConnection,
  sql: string,
  problem: (error: unknown) => DataFileError,
): AsyncGenerator<readonly ReadColumn[], void> {
  let result: DuckDBResult;
  try {
    result = await connection.stream(sql);
  } catch (error) {
    throw problem(error);
  }
  const reader = new ChunkReader(
    Array.from({ length: result.columnCount }, (_, column) => result.columnTypeId(column)),
  );
  // DuckDB goes on while the rows before are worked on.
  let next = fetchNext(result);
  try {
    for (;;) {
      const { chunk, error } = await next;
      if (error !== undefined) throw problem(error);
      if (chunk === null || chunk.rowCount === 0) return;
      next = fetchNext(result);
      yield reader.columns(chunk);
    }
  } finally {
    // Whoever stops early closes the connection next.
    await next;
  }
}

/** Never rejects: nobody may be waiting yet. */
const fetchNext = (result: DuckDBResult) =>
  result.fetchChunk().then(
    (chunk) => ({ chunk, error: undefined }),
    (error: unknown) => ({ chunk: null, error: error ?? new Error('DuckDB gave no reason') }),
  );

function problemOf(
  error: unknown,
  path: string,
  { name, kinds }: Pick<DataFileOptions, 'name' | 'kinds'>,
): DataFileError {
  if (error instanceof DataFileError) return error;
  const inText = name.charAt(0).toLowerCase() + name.slice(1);
  const text = (error instanceof Error ? error.message : String(error)).replaceAll(path, inText);
  const short = text.replaceAll(/\s+/g, ' ').trim().slice(0, 500);
  const allowed = kinds.length < 2 ? kinds.join('') : `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}`;
  return new DataFileError(`${name} cannot be read as ${allowed}: ${short}`);
}
