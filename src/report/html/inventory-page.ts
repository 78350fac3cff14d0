import type { InventoryRow } from '../../contracts/report.js';
import { date, minute } from '../words.js';
import { html, type Part } from './markup.js';
import { page, table, type Column } from './page.js';

/**
 * The inventory as one file: no script, nothing from elsewhere, legible in print.
 * @param madeAt ISO 8601 UTC
 */
export function inventoryPage(rows: readonly InventoryRow[], madeAt: string): string {
  const serving = rows.filter(({ version }) => version !== null).length;
  const overdue = rows.filter(({ nextDue }) => nextDue?.overdue === true).length;
  return page('Tenure inventory', [
    html`<h1>Inventory of models</h1>
      <p class="about">
        ${minute(madeAt)} UTC: ${rows.length} model(s), ${serving} in production, ${overdue} overdue.
      </p> `,
    table(COLUMNS, rows),
  ]);
}

const COLUMNS: readonly Column<InventoryRow>[] = [
  {
    title: 'Model',
    value: ({ model, purpose }) => html`<b>${model}</b><br /><span class="note">${purpose}</span>`,
  },
  { title: 'Team', value: ({ team }) => team },
  { title: 'Owner', value: ({ owner }) => owner },
  { title: 'Risk tier', value: ({ riskTier }) => riskTier },
  { title: 'In production', value: ({ version }) => version ?? 'nothing' },
  { title: 'Health', value: ({ health }) => health ?? 'not asked' },
  { title: 'Last release', value: lastRelease },
  { title: 'Next due', value: nextDue },
];

function lastRelease({ lastRelease: last }: InventoryRow): Part {
  return last === null
    ? '–'
    : `${last.release} of ${last.version}, ${last.state}${last.at === null ? '' : `, ${date(last.at)}`}`;
}

function nextDue({ nextDue: due }: InventoryRow): Part {
  if (due === null) return '–';
  return due.overdue
    ? html`<span class="bad">${due.what} overdue since ${date(due.at)}</span>`
    : `${due.what} ${date(due.at)}`;
}
