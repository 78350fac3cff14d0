/**
 * Texts of DuckDB's vectors. A column of categories has the same few texts over and over, so one that was seen lately is taken from
 * here: a text that is decoded anew costs ten times as much, and each of its copies is hashed anew by whoever looks it up.
 */
import duckdb from '@duckdb/node-bindings';

/** A power of two. */
const SLOTS = 4_096;
/** Bytes of texts that are kept: long ones are no categories. */
const LONGEST = 256;
/** Bytes of texts that lie in the vector itself: of others it has the place. */
const INLINE = 12;
const FOR_EVER = 1;

export class TextCache {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** Of each slot the four words of its text, and until when they name it. */
  readonly #words = new Uint32Array(4 * SLOTS);
  readonly #chunks = new Float64Array(SLOTS);
  readonly #texts = Array<string>(SLOTS).fill('');
  #chunk = FOR_EVER;

  /** Memory that texts of the chunk before lay in may hold others now. */
  nextChunk(): void {
    this.#chunk += 1;
  }

  /**
   * @param words a vector's values: bytes of the text, then the text itself, or its first four bytes and where all of it is
   * @param row whose text is not NULL
   */
  read(words: Uint32Array, row: number): string {
    const at = 4 * row;
    const size = words[at] as number;
    const first = words[at + 1] as number;
    const second = words[at + 2] as number;
    const third = words[at + 3] as number;
    const slot = slotOf(size, first, second, third);
    const known = this.#words;
    const until = size <= INLINE ? FOR_EVER : this.#chunk;
    if (
      this.#chunks[slot] === until &&
      known[4 * slot] === size &&
      known[4 * slot + 1] === first &&
      known[4 * slot + 2] === second &&
      known[4 * slot + 3] === third
    )
      return this.#texts[slot] ?? '';
    const text = this.#decoder.decode(bytesOf(words, at, size));
    if (size <= LONGEST) {
      known.set(words.subarray(at, at + 4), 4 * slot);
      this.#chunks[slot] = until;
      this.#texts[slot] = text;
    }
    return text;
  }
}

function bytesOf({ buffer, byteOffset }: Uint32Array, word: number, size: number): Uint8Array {
  const place = byteOffset + 4 * word;
  return size <= INLINE
    ? new Uint8Array(buffer, place + 4, size)
    : duckdb.get_data_from_pointer(buffer as ArrayBuffer, place + 8, size);
}

/** By the end of Appleby's MurmurHash3. */
function slotOf(a: number, b: number, c: number, d: number): number {
  let h = a ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) & (SLOTS - 1);
}
