import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { DuckDBArrayValue, DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import type { ObservedAnswer } from '../contracts/observations.js';
import { type DataFile, quotedName } from '../platform/data-files/data-file.js';
import { timeExpression } from '../platform/data-files/times.js';
import { MongoObserved } from '../platform/observations/observed.js';
import { numericInputs, ObservationError } from '../platform/observations/observed-values.js';
import { RowTaker } from '../platform/observations/take-rows.js';
import { explainStorage, TenureError } from './errors.js';
import { columnOf, labelExpression, monitoringOf, needed, readTime, withRows } from './row-file.js';
import type { Session } from './session.js';

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

export interface ObserveOptions {
  readonly version: string;
  /** Default: the file's digest. */
  readonly batch?: string;
  readonly columns?: ObserveColumns;
  /** Columns that nothing is read from are refused, unless this is set. */
  readonly ignoreOthers?: boolean;
  readonly onProgress?: (done: number, rows: number) => void;
}

export interface ObservedFile extends ObservedAnswer {
  readonly model: string;
  readonly version: string;
  readonly seconds: number;
}

/** Hours of more than a year: windows of a file are counted in memory. */
const MOST_STRETCHES = 10_000;

/**
 * Counts a file of rows that were answered elsewhere (Parquet, CSV or JSON lines) into windows. All of it is checked before anything is
 * stored; the same file again does nothing, and one that was interrupted goes on.
 * @throws TenureError `invalid`, `refused`, `not-found`, `unreachable`
 */
export async function observeFile(
  session: Session,
  model: string,
  path: string,
  options: ObserveOptions,
): Promise<ObservedFile> {
  const began = performance.now();
  const { client, db } = await session.database();
  const observed = new MongoObserved(client, db);
  try {
    const monitoring = await monitoringOf(session, model);
    const { version } = options;
    const ref = await observed.version(model, version);
    return await withRows(path, async (file) => {
      const content = await digestOf(path);
      const head = { model, ref, batch: options.batch ?? content, content };
      const { profile, done } = await observed.begin(head);
      const finished = (answer: ObservedAnswer): ObservedFile => ({
        model,
        version,
        ...answer,
        seconds: (performance.now() - began) / 1_000,
      });
      if (done !== null) return finished(done);
      const taker = new RowTaker({
        head,
        profile,
        monitoring,
        now: Date.now(),
        mostStretches: MOST_STRETCHES,
      });
      await takeAll(file, taker, numericInputs(profile.content), options);
      return finished(await observed.store(head, profile, taker.counted()));
    });
  } catch (error) {
    if (!(error instanceof ObservationError)) throw explainStorage(error);
    const code = ({ invalid: 'invalid', unknown: 'not-found', conflict: 'refused' } as const)[error.code];
    throw new TenureError(code, error.message, { cause: error });
  }
}

async function takeAll(
  file: DataFile,
  taker: RowTaker,
  numeric: ReadonlySet<string>,
  { columns = {}, ignoreOthers = false, onProgress = () => undefined }: ObserveOptions,
): Promise<void> {
  const { inputs: given = {} } = columns;
  const parts = {
    score: needed(columnOf(file, columns.score, 'score'), 'score', '--score-column', file),
    at: needed(columnOf(file, columns.at, 'at'), 'at', '--at-column', file),
    label: columnOf(file, columns.label, 'label'),
    id: columnOf(file, columns.id, 'id'),
  };
  const sources = taker.names.map((name) => (Object.hasOwn(given, name) ? (given[name] ?? name) : name));
  checkColumns(file, taker.names, sources, given, Object.values(parts), ignoreOthers);
  const expressions = [
    ...sources.map((column) => valueExpression(file, column)),
    valueExpression(file, parts.score),
    timeExpression(file, parts.at),
    parts.label === null ? 'NULL' : labelExpression(file, parts.label),
    parts.id === null ? 'NULL' : `CAST(${quotedName(parts.id)} AS VARCHAR)`,
  ];
  // CSV has no types: where one value is a text, all are.
  const untyped = taker.names.map(
    (name, i) => file.kind === 'CSV' && numeric.has(name) && file.columns.get(sources[i] ?? '') === 'VARCHAR',
  );
  let chunk: readonly (readonly DuckDBValue[])[] = [];
  let row = 0;
  let done = 0;
  const inputOf = (input: number): unknown => {
    const value = plain(chunk[input]?.[row]);
    return untyped[input] === true ? numberIn(value) : value;
  };
  const place = (): string => `row ${done + row + 1} of the file`;
  const [score, at, label, id] = [0, 1, 2, 3].map((i) => sources.length + i) as [
    number,
    number,
    number,
    number,
  ];
  for await (const next of file.read(expressions)) {
    chunk = next;
    const rows = chunk[score]?.length ?? 0;
    for (row = 0; row < rows; row += 1) {
      const known = chunk[id]?.[row] ?? null;
      taker.take(
        inputOf,
        {
          score: plain(chunk[score]?.[row]),
          label: chunk[label]?.[row] ?? undefined,
          at: readTime(chunk[at]?.[row], parts.at, place),
          id: known === null ? null : String(known),
        },
        place,
      );
    }
    done += rows;
    onProgress(done, file.rows);
  }
  if (done === 0) throw new TenureError('invalid', 'The file has no rows');
}

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

function plain(value: DuckDBValue | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value ?? null;
  return value instanceof DuckDBListValue || value instanceof DuckDBArrayValue ? value.items : value;
}

const numberIn = (value: unknown): unknown =>
  typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value;

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
