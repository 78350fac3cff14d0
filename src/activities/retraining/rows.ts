/** Which labelled rows can be used, and for what. Pure. */
import { createHash } from 'node:crypto';
import type { InputField, Manifest } from '../../contracts/manifest.js';
import type { LabelledRow } from '../../platform/samples/labelled-rows.js';

/** Every second row, by its request: never the place in time, which drifts, and the same in every retraining. */
export function isHeldOut(requestId: string): boolean {
  return ((createHash('sha256').update(`tenure/held-out/${requestId}`).digest()[0] ?? 0) & 1) === 1;
}

/**
 * A row as it goes into the table, with the inputs in the manifest's order and the label last: numbers and texts, null for what is
 * missing, lists for wide fields. Null when the row cannot be used: an input is missing that must not be, or of another type, or the
 * label is none of the model's.
 */
export function usable(manifest: Manifest, row: LabelledRow): readonly Cell[] | null {
  const cells: Cell[] = [];
  for (const field of manifest.schema.inputs) {
    const cell = cellOf(field, row.inputs[field.name]);
    if (cell === undefined) return null;
    cells.push(cell);
  }
  const label = labelOf(manifest, row.label);
  return label === null ? null : [...cells, label];
}

export type Cell = string | number | null | readonly (number | null)[];

function cellOf(field: InputField, value: unknown): Cell | undefined {
  if (field.width === 1)
    return scalarOf(field, Array.isArray(value) && value.length === 1 ? value[0] : value);
  if (!Array.isArray(value) || value.length !== field.width) return undefined;
  const items = value.map((item) => scalarOf(field, item));
  // Text in lists has no CSV form that every reader understands.
  return items.every((item): item is number | null => item === null || typeof item === 'number')
    ? items
    : undefined;
}

/** Undefined when it does not fit. */
function scalarOf({ datatype, nullable }: InputField, value: unknown): string | number | null | undefined {
  if (value === null || value === undefined || Number.isNaN(value))
    return nullable && (datatype === 'FP32' || datatype === 'FP64') ? null : undefined;
  switch (datatype) {
    case 'FP32':
    case 'FP64':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    case 'INT64':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
    case 'BOOL':
      if (typeof value === 'boolean') return value ? 1 : 0;
      return value === 0 || value === 1 ? value : undefined;
    case 'BYTES':
      return typeof value === 'string' ? value : undefined;
  }
}

function labelOf({ task, prediction }: Manifest, label: unknown): string | number | null {
  if (task === 'regression') return typeof label === 'number' && Number.isFinite(label) ? label : null;
  const names = prediction.classes.map(String);
  const text = typeof label === 'boolean' && names.join() === '0,1' ? String(Number(label)) : String(label);
  return names.includes(text) ? text : null;
}

/** One line of CSV: an empty field is a missing value, an empty text is quoted. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\n`;

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell);
  return text !== '' && /^[^",\r\n\s]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}
