import type { InventoryRow } from '../contracts/report.js';

const COLUMNS: readonly (readonly [title: string, value: (row: InventoryRow) => string | number | null])[] = [
  ['model', (row) => row.model],
  ['team', (row) => row.team],
  ['owner', (row) => row.owner],
  ['risk_tier', (row) => row.riskTier],
  ['version', (row) => row.version],
  ['health', (row) => row.health],
  ['last_release', (row) => row.lastRelease?.release ?? null],
  ['last_release_version', (row) => row.lastRelease?.version ?? null],
  ['last_release_state', (row) => row.lastRelease?.state ?? null],
  ['last_release_at', (row) => row.lastRelease?.at ?? null],
  ['next_due', (row) => row.nextDue?.at ?? null],
  ['next_due_what', (row) => row.nextDue?.what ?? null],
  ['overdue', (row) => (row.nextDue === null ? null : String(row.nextDue.overdue))],
  ['purpose', (row) => row.purpose],
];

/** By RFC 4180, with a line of titles. What is not known is an empty field. */
export const inventoryCsv = (rows: readonly InventoryRow[]): string =>
  [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, value]) => cell(value(row))))]
    .map((fields) => `${fields.join(',')}\r\n`)
    .join('');

/** A spreadsheet runs what begins like a formula, and names are other people's. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
