import { type DataFile, DataFileError, quotedName } from './data-file.js';

/**
 * A column of times as epoch milliseconds (doubles); NULL where a text is no time. Times without a zone are UTC.
 * @throws DataFileError for a column of a type that holds no times: a number would have to be guessed
 */
export function timeExpression(file: Pick<DataFile, 'columns'>, column: string): string {
  const type = file.columns.get(column) ?? '';
  const name = quotedName(column);
  if (type.startsWith('TIMESTAMP') || type === 'DATE') return `CAST(epoch_ms(${name}) AS DOUBLE)`;
  // Through a text with its offset, which is what JSON lines hold.
  if (type === 'VARCHAR') return `CAST(epoch_ms(TRY_CAST(${name} AS TIMESTAMPTZ)) AS DOUBLE)`;
  throw new DataFileError(
    `Column ${column} has type ${type}: times are needed, as TIMESTAMP or as text like 2026-11-28T18:00:00Z`,
  );
}
