/**
 * The Temporal UI draws tables without any space between columns, so that neighbours run into each other. Ordinary spaces at the end
 * of a cell are cut off by Markdown, these are not.
 */
const GAP = '\u00a0\u00a0';

/** Lines of a Markdown table. Cells are other people's texts: none of them ends its cell or its row. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
}

/** A text that ends neither a cell nor a row. */
export const inOneCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const cell = (text: string): string => `${inOneCell(text)}${GAP}`;
