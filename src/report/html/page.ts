import { html, Markup, type Part } from './markup.js';

/** No script and nothing from elsewhere: the policy says so to whoever opens the file. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE = new Markup(`
:root { color-scheme: light; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; }
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 68rem; padding: 0 1.5rem; color: var(--ink); background: #fff;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
p.about, figcaption, .note { color: var(--soft); font-size: .87rem; margin: .2rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.tile { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; break-inside: avoid; }
.tile b { display: block; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile .none { font-size: 1rem; font-weight: 400; color: var(--soft); }
.tile span { color: var(--soft); font-size: .85rem; }
figure { margin: 1rem 0; break-inside: avoid; }
figure svg { max-width: 100%; height: auto; overflow: visible; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .9em; vertical-align: -.05em;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
td:first-child, th + td { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
th:first-child, td:first-child { padding-left: 0; }
tbody th { width: 40%; }
th { color: var(--soft); font-weight: 600; overflow-wrap: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.bad { color: #a40e26; font-weight: 600; }
@media print {
  @page { margin: 14mm; }
  body { margin: 0; padding: 0; max-width: none; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  .wide { overflow-x: visible; }
  .wide table { font-size: 8.5pt; }
  .wide th, .wide td { padding: .25rem .4rem; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`);

/** One self-contained file. */
export const page = (title: string, content: Part): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        ${content}
      </body>
    </html> `.text;

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => Part;
  readonly isNumber?: boolean;
}

/** Rows that a page shows; all are in the JSON document. */
const MOST_ROWS = 1_000;

export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): Markup {
  const kind = ({ isNumber = false }: Column<T>): string => (isNumber ? 'number' : 'text');
  const left = rows.length - MOST_ROWS;
  return html`<div class="wide">
      <table>
        <thead>
          <tr>
            ${columns.map((column) => html`<th class="${kind(column)}">${column.title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, MOST_ROWS).map(
            (row) =>
              html`<tr>
                ${columns.map((column) => html`<td class="${kind(column)}">${column.value(row)}</td>`)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${left > 0 ? html`<p class="note">and ${left} more: see --json</p>` : ''}`;
}
