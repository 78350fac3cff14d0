import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { Complaint, Path, Problem } from './problems.js';
import { pathInWords } from './problems.js';

/** Characters of text that are read at most: enough for ten thousand inputs, a line each. */
export const MAX_TEXT = 512 * 1024;
/** More problems than that are counted, not shown. */
const MAX_PROBLEMS = 100;
/** Levels of nesting; a manifest has seven. The parser recurses, and deep enough nesting ends the whole process. */
const MAX_DEPTH = 64;
/** Anchors may be used so often; more looks like an attack. */
const MAX_ALIASES = 200;

export interface ManifestDocument {
  /** The plain value; undefined when the text is not YAML. */
  readonly value: unknown;
  /** Problems of the text itself. */
  readonly problems: readonly Problem[];
  /** Turns complaints into problems with their place, in the order of the text. */
  locate(complaints: readonly Complaint[]): Problem[];
}

/** Reads the text of a manifest. Never throws. */
export function readDocument(text: string): ManifestDocument {
  const whole = (message: string): ManifestDocument => ({
    value: undefined,
    problems: [{ path: '', line: 1, column: 1, message }],
    locate: () => [],
  });
  if (text.length > MAX_TEXT)
    return whole(`The manifest has ${text.length} characters; allowed: at most ${MAX_TEXT}`);
  if (isDeep(text)) return whole(`The manifest is nested too deeply; allowed: at most ${MAX_DEPTH} levels`);
  try {
    return read(text);
  } catch (error) {
    return whole(
      `The manifest cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Whether brackets, indentation or indicators on one line nest beyond the limit; looks at tokens only, so it cannot overflow. */
function isDeep(text: string): boolean {
  let [brackets, indicators] = [0, 0];
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') brackets += 1;
    else if (token === ']' || token === '}') brackets -= 1;
    else if (token === '-' || token === '?' || token === ':') indicators += 1;
    else if (token === '\n' || token === '\r\n') indicators = 0;
    const indented = token.length > MAX_DEPTH * 4 && token.trim() === '';
    if (brackets > MAX_DEPTH || (brackets === 0 && indicators > MAX_DEPTH) || indented) return true;
  }
  return false;
}

function read(text: string): ManifestDocument {
  const lines = new LineCounter();
  // The parser compares each key with every other one of its section: hours, for a text that is made for it.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    uniqueKeys: false,
  });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const flaws = [...document.errors, ...document.warnings, ...flawsOf(document)];
  const problems = flaws.slice(0, MAX_PROBLEMS).map(({ pos, message }) => ({
    path: '',
    ...place(pos[0]),
    message: `Not valid YAML: ${message}`,
  }));
  problems.push(...andMore(flaws.length, place(text.length)));
  if (problems.length > 0) return { value: undefined, problems, locate: () => [] };
  return {
    value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown,
    problems,
    locate: (complaints) => [
      ...complaints
        .slice(0, MAX_PROBLEMS)
        .map(({ path, message, atName }) => ({
          path: pathInWords(path),
          ...place(offsetOf(document, path, atName === true)),
          message,
        }))
        .sort((a, b) => a.line - b.line || a.column - b.column),
      ...andMore(complaints.length, place(text.length)),
    ],
  };
}

interface Flaw {
  readonly pos: readonly [number, ...number[]];
  readonly message: string;
}

/** What the parser would find in quadratic time, or only after it: keys that are there twice, and anchors used too often. */
function flawsOf(document: Document): Flaw[] {
  const flaws: Flaw[] = [];
  let aliases = 0;
  visit(document, {
    Alias: (_, { range }) => {
      aliases += 1;
      if (aliases === MAX_ALIASES + 1)
        flaws.push({
          pos: [range?.[0] ?? 0],
          message: `Anchors are used too often; allowed: at most ${MAX_ALIASES} times`,
        });
    },
    Map: (_, { items }) => {
      const known = new Set<string>();
      for (const { key } of items as readonly Pair<Node, Node | null>[]) {
        // A merge key may stand several times.
        if (!isScalar(key) || key.value === '<<' || typeof key.value === 'symbol') continue;
        const name = `${typeof key.value} ${String(key.value)}`;
        if (known.has(name)) flaws.push({ pos: [key.range?.[0] ?? 0], message: 'Map keys must be unique' });
        known.add(name);
      }
    },
  });
  return flaws;
}

function andMore(
  count: number,
  end: { readonly line: number; readonly column: number },
): (Problem & typeof end)[] {
  return count > MAX_PROBLEMS
    ? [{ path: '', ...end, message: `There are ${count - MAX_PROBLEMS} more problems` }]
    : [];
}

/** Where a field's value (or name) stands; of a field that is not there, the nearest section around it. */
function offsetOf(document: Document, path: Path, atName: boolean): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    const container: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(container)) {
      node = container.items[Number(part)] as Node | undefined;
      if (node?.range === undefined || node.range === null) return offset;
      [offset] = node.range;
      continue;
    }
    const pair = isMap(container)
      ? (container.items as Pair<Node, Node | null>[]).find(
          ({ key }) => isScalar(key) && String(key.value) === String(part),
        )
      : undefined;
    if (pair === undefined) return offset;
    const nameOffset = pair.key.range?.[0] ?? offset;
    const last = depth === path.length - 1;
    node = pair.value;
    // The place of a section as a whole is its name: that of its value would be its first field.
    const isSection = isMap(node) || isSeq(node);
    const empty = isScalar(node) && node.range?.[0] === node.range?.[1];
    offset =
      node === null || isSection || empty || (last && atName) ? nameOffset : (node.range?.[0] ?? nameOffset);
  }
  return offset;
}
