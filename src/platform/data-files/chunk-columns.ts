/**
 * Columns of DuckDB's chunks as values of JavaScript. The library makes them one by one, with a call of a TextDecoder a text and
 * arithmetic of big integers a NULL, which takes longer than all else that is done with a million rows: the usual types are read here
 * from the memory of the chunk, which `@duckdb/node-bindings` gives.
 */
import duckdb from '@duckdb/node-bindings';
import { type DuckDBDataChunk, DuckDBTypeId, type DuckDBValue } from '@duckdb/node-api';
import { TextCache } from './text-cache.js';

/** One value a row; NULL is null. Doubles of which none is NULL come as a typed array. */
export type ReadColumn = Float64Array | readonly DuckDBValue[];

/** Reads the chunks of one result, one after the other. */
export class ChunkReader {
  readonly #types: readonly DuckDBTypeId[];
  readonly #texts = new TextCache();
  /** By column. */
  readonly #numbers: Float64Array[] = [];

  /** @param types of the result's columns */
  constructor(types: readonly DuckDBTypeId[]) {
    this.#types = types;
  }

  /** Copies: the chunk's memory can go afterwards. Doubles stay what they are until the next call. */
  columns(chunk: DuckDBDataChunk): readonly ReadColumn[] {
    this.#texts.nextChunk();
    return this.#types.map((type, i) => this.#column(chunk, type, i));
  }

  #column(chunk: DuckDBDataChunk, type: DuckDBTypeId, index: number): ReadColumn {
    const bytes = BYTES[type];
    if (bytes === undefined) return chunk.getColumnValues(index);
    const rows = chunk.rowCount;
    const vector = duckdb.data_chunk_get_vector(chunk.chunk, index);
    const data = duckdb.vector_get_data(vector, rows * bytes);
    // A bit a row, in words of 64; nothing where no row is NULL.
    const valid: Uint8Array | undefined = duckdb.vector_get_validity(vector, 8 * Math.ceil(rows / 64));
    if (type === DuckDBTypeId.DOUBLE) {
      const numbers = new Float64Array(data.buffer, data.byteOffset, rows);
      if (valid) return listed(rows, valid, (row) => numbers[row]);
      const kept = this.#numbers[index] ?? new Float64Array(0);
      // A new one a chunk would be so much garbage as the file has numbers.
      const own = kept.length < rows ? (this.#numbers[index] = new Float64Array(rows)) : kept;
      own.set(numbers);
      return own.subarray(0, rows);
    }
    if (type === DuckDBTypeId.VARCHAR) {
      const words = new Uint32Array(data.buffer, data.byteOffset, 4 * rows);
      return this.#textsIn(words, rows, valid);
    }
    return listed(rows, valid, (row) => data[row] !== 0);
  }

  /** A loop of its own: through a function, each text would cost as much again. */
  #textsIn(words: Uint32Array, rows: number, valid: Uint8Array | undefined): readonly DuckDBValue[] {
    const values: DuckDBValue[] = [];
    for (let row = 0; row < rows; row += 1)
      values.push(isValid(valid, row) ? this.#texts.read(words, row) : null);
    return values;
  }
}

/** Of a value, in the types that are read here. */
const BYTES: Readonly<Partial<Record<DuckDBTypeId, number>>> = {
  [DuckDBTypeId.DOUBLE]: 8,
  [DuckDBTypeId.BOOLEAN]: 1,
  [DuckDBTypeId.VARCHAR]: 16,
};

function listed(
  rows: number,
  valid: Uint8Array | undefined,
  at: (row: number) => DuckDBValue | undefined,
): readonly DuckDBValue[] {
  const values: DuckDBValue[] = [];
  for (let row = 0; row < rows; row += 1) {
    values.push(isValid(valid, row) ? (at(row) ?? null) : null);
  }
  return values;
}

const isValid = (valid: Uint8Array | undefined, row: number): boolean =>
  !valid || (((valid[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
