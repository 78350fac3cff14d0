/** Field names and list indices from the top of the manifest. */
export type Path = readonly (string | number)[];

/** Something wrong with a manifest. `line` and `column` count from 1; null when it did not come from a file's text. */
export interface Problem {
  /** E.g. `canary.steps[1].weight`; empty for the file as a whole. */
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  /** Field, value and what is allowed. */
  readonly message: string;
}

/** A problem before it is looked up in the text. */
export interface Complaint {
  readonly path: Path;
  readonly message: string;
  /** The problem is the field's name, not its value. */
  readonly atName?: boolean;
}

export function pathInWords(path: Path): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`))
    .join('');
}

/** A value as it is shown in messages: one line, bounded. */
export function valueInWords(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  if (Array.isArray(value) && value.length > 3) return `a list of ${value.length} entries`;
  const written = JSON.stringify(value);
  return written.length > 80 ? `${written.slice(0, 77)}...` : written;
}

/**
 * The candidate that is nearest to what was written, by edits; a common beginning counts as near. None where more than half of it would
 * have to be written anew: such a guess only misleads.
 */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  const scored = candidates.map((candidate) => {
    const [a, b] = [written.toLowerCase(), candidate.toLowerCase()];
    const begins = a.length >= 3 && (b.startsWith(a) || a.startsWith(b));
    return { candidate, distance: begins ? 1 : edits(a, b) };
  });
  const near = scored.filter(({ candidate, distance }) => distance <= candidate.length / 2);
  return near.sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Levenshtein distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** One line a problem: `model.yaml:12:5  canary.alpha is 2; allowed: ...`. */
export function formatProblems(problems: readonly Problem[], file = 'model.yaml'): string {
  return problems
    .map(
      ({ line, column, message }) => `${file}${line === null ? '' : `:${line}:${column ?? 1}`}  ${message}`,
    )
    .join('\n');
}
