/**
 * Counts by name of bounded size that come out the same in whatever order and shards the names arrive: of all names, those with the
 * smallest hashes are kept. A name that is among the smallest of all is among the smallest of each shard, so none of its rows is
 * ever lost; a name that has once been let go never comes back. What is let go is still counted, without its name.
 */
import type { NameCounts } from './types.js';

/** Names that are kept. */
export const MOST_NAMES = 50;
/** Code units of a name; longer ones end in a hash of all of it. */
export const LONGEST_NAME = 64;

export class Names {
  readonly #rows = new Map<string, number>();
  /** The kept name with the largest hash; null until there are too many. */
  #last: string | null = null;
  #rest = 0;

  add(name: string, rows = 1): void {
    const known = this.#rows.get(name);
    if (known !== undefined) {
      this.#rows.set(name, known + rows);
    } else if (this.#last !== null && order(name, this.#last) > 0) {
      this.#rest += rows;
    } else {
      this.#rows.set(name, rows);
      if (this.#last !== null || this.#rows.size > MOST_NAMES) this.#letGo();
    }
  }

  addAll({ names, rest }: NameCounts): void {
    for (const [name, rows] of names) this.add(name, rows);
    this.#rest += rest;
  }

  counts(): NameCounts {
    const names = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
    return { names, rest: this.#rest };
  }

  #letGo(): void {
    if (this.#rows.size > MOST_NAMES) {
      const gone = this.#largest();
      this.#rest += this.#rows.get(gone) ?? 0;
      this.#rows.delete(gone);
    }
    this.#last = this.#largest();
  }

  #largest(): string {
    return [...this.#rows.keys()].reduce((a, b) => (order(a, b) > 0 ? a : b));
  }
}

/** A value's text, shortened, and without halves of characters, which no store takes. */
export function nameOf(text: string): string {
  const whole = text.replace(/\p{Surrogate}/gu, '\u{fffd}');
  if (whole.length <= LONGEST_NAME) return whole;
  const ending = `…${hash(text).toString(16).padStart(8, '0')}`;
  return whole.slice(0, LONGEST_NAME - ending.length).replace(/\p{Surrogate}/gu, '') + ending;
}

function order(a: string, b: string): number {
  const gap = hash(a) - hash(b);
  if (gap !== 0) return gap;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** 32 bits: FNV-1a by Fowler, Noll and Vo over the code units, mixed by the end of Appleby's MurmurHash3. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
