/** What the commands that read files of rows have in common. */
import type { DuckDBValue } from '@duckdb/node-api';
import type { RouteMonitoring } from '../contracts/routes.js';
import { type DataFile, DataFileError, openRows, quotedName } from '../platform/data-files/data-file.js';
import { MongoRoutingStore } from '../platform/serving/index.js';
import { explainStorage, TenureError } from './errors.js';
import type { Session } from './session.js';

/** @throws TenureError `not-found`, `refused` for a model that is not monitored */
export async function monitoringOf(session: Session, model: string): Promise<RouteMonitoring> {
  const { db } = await session.database();
  const table = await new MongoRoutingStore(db).read(model);
  if (table === null)
    throw new TenureError(
      'not-found',
      `Model ${model} has no routing table: no version of it was ever released`,
    );
  if (table.monitoring === undefined)
    throw new TenureError(
      'refused',
      `Model ${model} is not monitored: its routing table was written without a section monitoring of the manifest`,
    );
  return table.monitoring;
}

/**
 * @param csvTypes DuckDB types of columns, for CSV alone: guessed, 01 is a number
 * @throws TenureError `invalid` for a file that is none of these
 */
export async function withRows<T>(
  path: string,
  act: (file: DataFile) => Promise<T>,
  csvTypes: ReadonlyMap<string, string> = new Map(),
): Promise<T> {
  try {
    const file = await openRows(path, {
      kinds: ['Parquet', 'CSV', 'JSON lines'],
      name: `File ${path}`,
      csvTypes,
    });
    try {
      return await act(file);
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof DataFileError) throw new TenureError('invalid', error.message, { cause: error });
    throw explainFile(error, path);
  }
}

/** What reading a file has failed with: that there is none, or what storing its rows has failed with. */
export function explainFile(error: unknown, path: string): unknown {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
    ? new TenureError('invalid', `File ${path} does not exist`, { cause: error })
    : explainStorage(error);
}

/** The column that plays a part: as named, which must be there, or by its usual name, where that is there. */
export function columnOf(file: DataFile, named: string | undefined, usual: string): string | null {
  if (file.columns.has(named ?? usual)) return named ?? usual;
  if (named === undefined) return null;
  const has = [...file.columns.keys()].slice(0, 50).join(', ');
  throw new TenureError('invalid', `Column ${named} is not in the file; it has ${has}`);
}

export function needed(column: string | null, usual: string, option: string, file: DataFile): string {
  if (column !== null) return column;
  const has = [...file.columns.keys()].slice(0, 50).join(', ');
  throw new TenureError(
    'invalid',
    `The file has no column ${usual} (${option} names another); it has ${has}`,
  );
}

/** Labels by their text, but numbers and booleans as such. */
export function labelExpression(file: DataFile, column: string): string {
  const type = file.columns.get(column) ?? '';
  const plain = type === 'BOOLEAN' || type === 'DOUBLE';
  const numeric = /^(FLOAT|DECIMAL|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)/.test(type);
  return `CAST(${quotedName(column)} AS ${plain ? type : numeric ? 'DOUBLE' : 'VARCHAR'})`;
}

export function readTime(value: DuckDBValue | undefined, column: string, place: () => string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TenureError(
    'invalid',
    `Column ${column} is no time in ${place()}: it is empty, or not written like 2026-11-28T18:00:00Z`,
  );
}
