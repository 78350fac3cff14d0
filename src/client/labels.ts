import type { DuckDBValue } from '@duckdb/node-api';
import { type GivenLabel, type LabelAnswer, MOST_LABELS } from '../contracts/observations.js';
import type { RouteMonitoring } from '../contracts/routes.js';
import { type DataFile, DataFileError, openRows, quotedName } from '../platform/data-files/data-file.js';
import { timeExpression } from '../platform/data-files/times.js';
import { MongoLabelJoin } from '../platform/observations/labels.js';
import { MongoProfiles } from '../platform/observations/profiles.js';
import { MongoRoutingStore } from '../platform/serving/index.js';
import { explainStorage, TenureError } from './errors.js';
import type { Session } from './session.js';

export interface LabelColumns {
  /** Default `id`. */
  readonly id?: string;
  /** Default `row` where the file has it; else all labels are of row 0. */
  readonly row?: string;
  /** Default `label`. */
  readonly label?: string;
  /** Default `at` where the file has it; else labels became known now. */
  readonly at?: string;
}

export interface LabelFileOptions {
  readonly columns?: LabelColumns;
  readonly onProgress?: (done: number, rows: number) => void;
}

export interface LabelFileResult extends Omit<LabelAnswer, 'refused'> {
  readonly model: string;
  readonly rows: number;
  readonly refused: {
    readonly total: number;
    /** Reason -> labels. */
    readonly reasons: Readonly<Record<string, number>>;
    /** The first of each reason, by their place in the file. */
    readonly examples: readonly { readonly fileRow: number; readonly message: string }[];
  };
}

/**
 * Joins a file of labels (Parquet, CSV or JSON lines) to the requests of a model. The same file again changes nothing, so an interrupted
 * one is sent again.
 * @throws TenureError `invalid`, `not-found`, `unreachable`
 */
export async function labelFile(
  session: Session,
  model: string,
  path: string,
  { columns = {}, onProgress = () => undefined }: LabelFileOptions = {},
): Promise<LabelFileResult> {
  const { client, db } = await session.database();
  const settings = await monitoringOf(session, model);
  const join = new MongoLabelJoin(client, db, new MongoProfiles(db), 'file');
  return withRows(path, async (file) => {
    const result = { model, rows: 0, accepted: 0, counted: 0, repeated: 0 };
    const reasons: Record<string, number> = {};
    const examples: { fileRow: number; message: string }[] = [];
    const send = async (labels: readonly GivenLabel[]): Promise<void> => {
      const answer = await join.join({ model, settings, labels, now: Date.now() });
      for (const { index, reason, message } of answer.refused) {
        if (reasons[reason] === undefined) examples.push({ fileRow: result.rows + index + 1, message });
        reasons[reason] = (reasons[reason] ?? 0) + 1;
      }
      result.rows += labels.length;
      result.accepted += answer.accepted;
      result.counted += answer.counted;
      result.repeated += answer.repeated;
      onProgress(result.rows, file.rows);
    };
    let batch: GivenLabel[] = [];
    for await (const label of labelsIn(file, columns)) {
      if (batch.push(label) < MOST_LABELS) continue;
      await send(batch);
      batch = [];
    }
    if (batch.length > 0) await send(batch);
    const total = Object.values(reasons).reduce((sum, count) => sum + count, 0);
    return { ...result, refused: { total, reasons, examples } };
  });
}

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

/** @throws TenureError `invalid` for a file that is none of these */
export async function withRows<T>(path: string, act: (file: DataFile) => Promise<T>): Promise<T> {
  try {
    const file = await openRows(path, { kinds: ['Parquet', 'CSV', 'JSON lines'], name: `File ${path}` });
    try {
      return await act(file);
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof DataFileError) throw new TenureError('invalid', error.message, { cause: error });
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new TenureError('invalid', `File ${path} does not exist`, { cause: error });
    throw explainStorage(error);
  }
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

async function* labelsIn(file: DataFile, columns: LabelColumns): AsyncGenerator<GivenLabel, void> {
  const id = needed(columnOf(file, columns.id, 'id'), 'id', '--id-column', file);
  const label = needed(columnOf(file, columns.label, 'label'), 'label', '--label-column', file);
  const row = columnOf(file, columns.row, 'row');
  const at = columnOf(file, columns.at, 'at');
  const expressions = [
    `CAST(${quotedName(id)} AS VARCHAR)`,
    labelExpression(file, label),
    row === null ? '0' : `TRY_CAST(${quotedName(row)} AS DOUBLE)`,
    at === null ? '0' : timeExpression(file, at),
  ];
  let start = 0;
  for await (const [ids = [], labels = [], rows = [], times = []] of file.read(expressions)) {
    for (let i = 0; i < ids.length; i += 1) {
      const place = `row ${start + i + 1} of the file`;
      const found = rows[i];
      if (typeof ids[i] !== 'string' || ids[i] === '')
        throw new TenureError('invalid', `Column ${id} is empty in ${place}: a request id is needed`);
      if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0)
        throw new TenureError('invalid', `Column ${row} is no whole number from 0 in ${place}`);
      yield {
        id: String(ids[i]),
        row: found,
        label: labels[i] ?? undefined,
        at: at === null ? null : readTime(times[i], at, place),
      };
    }
    start += ids.length;
  }
}

export function readTime(value: DuckDBValue | undefined, column: string, place: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TenureError(
    'invalid',
    `Column ${column} is no time in ${place}; it is written like 2026-11-28T18:00:00Z`,
  );
}
