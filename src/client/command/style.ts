import Table from 'cli-table3';
import pc from 'picocolors';

/** How human output looks: colours where they are wanted, nothing where not. */
export type Style = Pick<
  ReturnType<typeof pc.createColors>,
  'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan'
>;

export const createStyle = (colours: boolean): Style => pc.createColors(colours);

/** Whether the environment asks for no colours (NO_COLOR, `--no-color`) or the terminal has none. */
export const coloursWanted = (): boolean => pc.isColorSupported;

/** Columns without borders, so that people and `awk` can read them. */
export function table(style: Style, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const nothing = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const made = new Table({
    head: head.map((title) => style.bold(title)),
    chars: {
      ...nothing,
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      right: '',
      middle: '  ',
    },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Label and value, one a line, values under each other. */
export function fields(style: Style, pairs: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `${style.dim(label.padEnd(width))}  ${value}`).join('\n');
}

export const percent = (share: number): string => `${Math.round(share * 10_000) / 100} %`;
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');
export const figure = (value: number): string => value.toFixed(2);
export const shortDigest = (digest: string): string => digest.slice(0, 12);
/** `2026-01-31T12:00:00.000Z` as `2026-01-31 12:00:00Z`. */
export const time = (iso: string): string => iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');

/** Control characters but tab and line feed, and those that change the direction of text. */
const UNPRINTABLE = /(?![\t\n])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The same value with every control character in its texts made visible: reasons and names are other people's, and a terminal
 * obeys what it is sent.
 */
export function printable<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(UNPRINTABLE, '\u{FFFD}') as T;
  if (Array.isArray(value)) return value.map((entry: unknown) => printable(entry)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]: [string, unknown]) => [printable(key), printable(field)]),
  ) as T;
}
