import { ManifestError, TenureError } from '../errors.js';
import { confirm, type Input } from './confirm.js';
import { coloursWanted, createStyle, printable, type Style } from './style.js';

/** Where a command writes. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where answers come from; absent: nobody can be asked. */
  readonly stdin?: Input;
}

/** Writes results to stdout, once and whole, and everything on the way to stderr. */
export class Printer {
  readonly json: boolean;
  readonly #outputs: Outputs;
  readonly #style: Style;
  readonly #errorStyle: Style;

  constructor(outputs: Outputs, options: { readonly json: boolean; readonly colour?: boolean }) {
    this.json = options.json;
    this.#outputs = outputs;
    const wanted = (options.colour ?? true) && coloursWanted();
    this.#style = createStyle(wanted && outputs.stdout.isTTY === true);
    this.#errorStyle = createStyle(wanted && outputs.stderr.isTTY === true);
  }

  /** The command's answer: one JSON document, or what `render` makes of it. */
  result<T>(data: T, render: (data: T, style: Style) => string): void {
    const text = this.json ? JSON.stringify(data, null, 2) : render(printable(data), this.#style);
    this.#outputs.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** A line for people who wait. */
  progress(text: string | ((style: Style) => string)): void {
    const line = typeof text === 'string' ? printable(text) : text(this.#errorStyle);
    this.#outputs.stderr.write(`${line}\n`);
  }

  /** Asks whoever sits at the terminal; with `--json` nobody does. @throws TenureError `invalid` where nobody can be asked */
  confirm(question: string): Promise<boolean> {
    const { stdin, stderr } = this.#outputs;
    return confirm(this.json ? undefined : stdin, stderr, printable(question));
  }

  /** What went wrong, on stderr; with `--json` as a document on stdout. */
  error(error: unknown): void {
    const message = messageOf(error);
    if (this.json) {
      const code = error instanceof TenureError ? error.code : 'failed';
      const problems = error instanceof ManifestError ? { problems: error.problems } : {};
      this.#outputs.stdout.write(`${JSON.stringify({ error: { code, message, ...problems } }, null, 2)}\n`);
      return;
    }
    this.#outputs.stderr.write(`${this.#errorStyle.red('error')}: ${printable(message)}\n`);
  }

  /** A picture that is drawn over the one before; null where there is no terminal to draw on. */
  canvas(): Canvas | null {
    const { stdout } = this.#outputs;
    return stdout.isTTY === true && !this.json ? new Canvas(stdout, this.#style) : null;
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const ESCAPE = String.fromCodePoint(27);
const COLOUR = new RegExp(`${ESCAPE}\\[\\d+m`, 'g');

export class Canvas {
  readonly #output: Output;
  readonly #style: Style;
  #lines = 0;

  constructor(output: Output, style: Style) {
    this.#output = output;
    this.#style = style;
  }

  /** Long lines are folded here: one that the terminal folded would be counted wrongly and leave its end behind. */
  draw(render: (style: Style) => string): void {
    // A terminal that does not know its size says 0.
    const columns = this.#output.columns || 80;
    const rows = this.#output.rows || 24;
    const all = render(this.#style)
      .trimEnd()
      .split('\n')
      .flatMap((line) => fold(line, columns));
    const lines = all.length < rows ? all : [...all.slice(0, rows - 2), '…'];
    const up = this.#lines === 0 ? '' : `${ESCAPE}[${this.#lines}A`;
    this.#output.write(`${up}\r${ESCAPE}[0J${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }
}

const width = (text: string): number => text.replaceAll(COLOUR, '').length;

/** Breaks a line between words where it would not fit, words that are too long anywhere. Colours go on in the next line. */
export function fold(line: string, columns: number): string[] {
  if (width(line) <= columns) return [line];
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<= )/)) {
    if (width(current + word.trimEnd()) > columns && current !== '') {
      lines.push(current.trimEnd());
      current = '';
    }
    current += word;
    while (width(current.trimEnd()) > columns && !current.includes(ESCAPE)) {
      lines.push(current.slice(0, columns));
      current = current.slice(columns);
    }
  }
  return [...lines, current.trimEnd()];
}
