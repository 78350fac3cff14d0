import { type GivenLabel, type LabelAnswer, MOST_LABELS } from '../contracts/observations.js';
import { type DataFile, quotedName } from '../platform/data-files/data-file.js';
import { timeExpression } from '../platform/data-files/times.js';
import { MongoLabelJoin } from '../platform/observations/labels.js';
import { TenureError } from './errors.js';
import { columnOf, labelExpression, monitoringOf, needed, readTime, withRows } from './row-file.js';
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
  const join = new MongoLabelJoin(client, db, 'file');
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
        at: at === null ? null : readTime(times[i], at, () => place),
      };
    }
    start += ids.length;
  }
}
