/** Reading a file of rows that were answered elsewhere. */
import { DuckDBArrayValue, DuckDBListValue } from '@duckdb/node-api';
import { type DataFile, quotedName, type ReadColumn } from '../platform/data-files/data-file.js';
import { timeExpression } from '../platform/data-files/times.js';
import type { RowTaker } from '../platform/observations/take-rows.js';
import { TenureError } from './errors.js';
import { columnOf, labelExpression, needed, readTime } from './row-file.js';

export interface ObserveColumns {
  /** Input of the model -> column of the file, where they differ. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Default `score`. */
  readonly score?: string;
  /** Default `label`, where there is one. */
  readonly label?: string;
  /** Default `at`. */
  readonly at?: string;
  /** Default `id`, where there is one. */
  readonly id?: string;
}

export interface ReadingOptions {
  readonly columns?: ObserveColumns;
  /** Columns that nothing is read from are refused, unless this is set. */
  readonly ignoreOthers?: boolean;
  readonly onProgress?: (done: number, rows: number) => void;
}

/**
 * Gives all rows of a file to a taker.
 * @param numeric names of inputs that hold numbers
 * @throws TenureError `invalid` for columns and times; what the taker throws
 */
export async function takeFile(
  file: DataFile,
  taker: RowTaker,
  numeric: ReadonlySet<string>,
  { columns = {}, ignoreOthers = false, onProgress = () => undefined }: ReadingOptions = {},
): Promise<void> {
  const { inputs: given = {} } = columns;
  const parts = {
    score: needed(columnOf(file, columns.score, 'score'), 'score', '--score-column', file),
    at: needed(columnOf(file, columns.at, 'at'), 'at', '--at-column', file),
    label: columnOf(file, columns.label, 'label'),
    id: columnOf(file, columns.id, 'id'),
  };
  const sources = taker.names.map((name) => sourceOf(name, given));
  checkColumns(file, taker.names, sources, given, Object.values(parts), ignoreOthers);
  const expressions = [
    ...sources.map((column) => valueExpression(file, column)),
    valueExpression(file, parts.score),
    timeExpression(file, parts.at),
    ...(parts.label === null ? [] : [labelExpression(file, parts.label)]),
    ...(parts.id === null ? [] : [`CAST(${quotedName(parts.id)} AS VARCHAR)`]),
  ];
  // CSV has no types: where one value is a text, all are.
  const untyped = taker.names.map(
    (name, i) => file.kind === 'CSV' && numeric.has(name) && file.columns.get(sources[i] ?? '') === 'VARCHAR',
  );
  let done = 0;
  const place = (row: number): string => `row ${done + row + 1} of the file`;
  for await (const columns of file.read(expressions)) {
    const inputs = sources.map((_, i) => {
      const values = plain(columns[i] ?? []);
      return untyped[i] === true ? Array.from(values, numberIn) : values;
    });
    const [scores = [], times = [], ...others] = columns.slice(sources.length);
    const at = timesOf(times, parts.at, place);
    const unknown = Array<null>(at.length).fill(null);
    const labels = parts.label === null ? unknown : (others.shift() ?? unknown);
    const ids = parts.id === null ? unknown : (others.shift() ?? unknown);
    taker.take({ inputs, scores: plain(scores), labels, at, ids: ids as readonly (string | null)[] }, place);
    done += at.length;
    onProgress(done, file.rows);
  }
  if (done === 0) throw new TenureError('invalid', 'The file has no rows');
}

/** What columns of a CSV file are read as, for {@link takeFile}. @param texts names of inputs that hold texts */
export const csvTypes = (
  texts: readonly string[],
  { inputs = {} }: ObserveColumns = {},
): ReadonlyMap<string, string> => new Map(texts.map((name) => [sourceOf(name, inputs), 'VARCHAR']));

const sourceOf = (name: string, given: Readonly<Record<string, string>>): string =>
  Object.hasOwn(given, name) ? (given[name] ?? name) : name;

function checkColumns(
  file: DataFile,
  names: readonly string[],
  sources: readonly string[],
  given: Readonly<Record<string, string>>,
  others: readonly (string | null)[],
  ignoreOthers: boolean,
): void {
  const list = (columns: readonly string[]): string => columns.slice(0, 50).join(', ');
  const unknown = Object.keys(given).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new TenureError(
      'invalid',
      `The version's profile has no input ${list(unknown)}; it has ${list(names)}`,
    );
  const has = [...file.columns.keys()];
  const absent = sources.filter((column) => !file.columns.has(column));
  if (absent.length > 0)
    throw new TenureError(
      'invalid',
      `The file lacks ${absent.length} of ${names.length} input columns: ${list(absent)} (--column INPUT=COLUMN names another); it has ${list(has)}`,
    );
  const extra = has.filter((column) => !sources.includes(column) && !others.includes(column));
  if (extra.length > 0 && !ignoreOthers)
    throw new TenureError(
      'invalid',
      `The version's profile has no input ${list(extra)}: leave them out of the file, or say --ignore-others`,
    );
}

const WHOLE = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DECIMAL\(.*\))$/;
const AS_IT_IS = /^(DOUBLE|BOOLEAN|VARCHAR)(\[\d*\])?$/;

/** Numbers as doubles; what no tensor holds, as text, which is counted as a wrong type. */
function valueExpression(file: DataFile, column: string): string {
  const type = file.columns.get(column) ?? '';
  const element = type.replace(/\[\d*\]$/, '');
  const name = quotedName(column);
  if (WHOLE.test(element)) return `CAST(${name} AS DOUBLE${element === type ? '' : '[]'})`;
  return AS_IT_IS.test(type) ? name : `CAST(${name} AS VARCHAR)`;
}

function timesOf(times: ReadColumn, column: string, place: (row: number) => string): Float64Array {
  const at = new Float64Array(times.length);
  for (let row = 0; row < at.length; row += 1) at[row] = readTime(times[row], column, () => place(row));
  return at;
}

/** Lists as such; in a column of lists all values that are not NULL are. */
function plain(column: ReadColumn): ArrayLike<unknown> {
  if (column instanceof Float64Array || !column.some((value) => typeof value === 'object' && value !== null))
    return column;
  return column.map((value) =>
    value instanceof DuckDBListValue || value instanceof DuckDBArrayValue ? value.items : value,
  );
}

const numberIn = (value: unknown): unknown =>
  typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value;
