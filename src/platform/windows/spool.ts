import { createReadStream } from 'node:fs';
import { appendFile, mkdir, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { WindowBatch } from '../../contracts/windows.js';
import { effect } from '../../fail-points/index.js';

export const DEFAULT_SPOOL_BYTES = 64 * 1024 * 1024;
const CHUNK = 200;

/**
 * Batches that could not be stored yet: a file with one JSON text a line, bounded. One process uses it at a time.
 * A line that was cut off by a crash is left out when reading.
 */
export class Spool {
  readonly #file: string;
  readonly #maxBytes: number;
  #bytes = 0;
  #batches = 0;
  /** The file may end within a line, which must not run into the next one. */
  #cutOff = false;

  constructor(file: string, maxBytes: number = DEFAULT_SPOOL_BYTES) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get batches(): number {
    return this.#batches;
  }

  /** Finds what a former process left. */
  async open(): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    const found = await stat(this.#file).catch(() => null);
    this.#bytes = found?.size ?? 0;
    for await (const chunk of this.chunks(CHUNK)) this.#batches += chunk.length;
    this.#cutOff = this.#bytes > 0;
  }

  /**
   * @returns false when the spool is full and the batch was not kept
   * @throws when the disk does not take it; nothing of it is kept then
   */
  async add(batch: WindowBatch): Promise<boolean> {
    const line = `${this.#cutOff ? '\n' : ''}${JSON.stringify(batch)}\n`;
    if (this.#bytes + Buffer.byteLength(line) > this.#maxBytes) return false;
    await effect('spool.add', () => this.#append(line));
    this.#batches += 1;
    return true;
  }

  /** All batches, oldest first, so many at a time: an hour's worth is more than should be in memory at once. */
  async *chunks(size: number): AsyncGenerator<readonly WindowBatch[]> {
    if ((await stat(this.#file).catch(() => null)) === null) return;
    const lines = createInterface({
      input: createReadStream(this.#file),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    let chunk: WindowBatch[] = [];
    for await (const line of lines) {
      const batch = parsed(line);
      if (batch !== null) chunk.push(batch);
      if (chunk.length < size) continue;
      yield chunk;
      chunk = [];
    }
    if (chunk.length > 0) yield chunk;
  }

  /** After all were stored. */
  async clear(): Promise<void> {
    await effect('spool.clear', () => rm(this.#file, { force: true }));
    this.#bytes = 0;
    this.#batches = 0;
    this.#cutOff = false;
  }

  async #append(text: string): Promise<void> {
    try {
      await appendFile(this.#file, text);
    } catch (error) {
      // A full disk takes a part of a line: without it the next one is whole, and the bound is kept.
      const trimmed = truncate(this.#file, this.#bytes).then(() => false);
      this.#cutOff = await trimmed.catch(() => true);
      throw error;
    }
    this.#cutOff = false;
    this.#bytes += Buffer.byteLength(text);
  }
}

function parsed(line: string): WindowBatch | null {
  if (line === '') return null;
  try {
    return JSON.parse(line) as WindowBatch;
  } catch {
    return null;
  }
}
