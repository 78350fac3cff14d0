import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WindowBatch } from '../../contracts/windows.js';
import { effect } from '../../fail-points/index.js';

export const DEFAULT_SPOOL_BYTES = 64 * 1024 * 1024;

/**
 * Batches that could not be stored yet: a file with one JSON text a line, bounded. One process uses it at a time.
 * A line that was cut off by a crash is left out when reading.
 */
export class Spool {
  readonly #file: string;
  readonly #maxBytes: number;
  #bytes = 0;
  #batches = 0;

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
    this.#batches = (await this.read()).length;
    // A cut-off last line must not run into the next one.
    if (this.#bytes > 0) await this.#append('\n');
  }

  /** @returns false when the spool is full and the batch was not kept */
  async add(batch: WindowBatch): Promise<boolean> {
    const line = `${JSON.stringify(batch)}\n`;
    if (this.#bytes + Buffer.byteLength(line) > this.#maxBytes) return false;
    await effect('spool.add', () => this.#append(line));
    this.#batches += 1;
    return true;
  }

  /** All batches, oldest first. */
  async read(): Promise<readonly WindowBatch[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      const batch = parsed(line);
      return batch === null ? [] : [batch];
    });
  }

  /** Keeps only these, e.g. none after all were stored. */
  async replace(batches: readonly WindowBatch[]): Promise<void> {
    if (batches.length === 0) {
      await effect('spool.clear', () => rm(this.#file, { force: true }));
      this.#bytes = 0;
    } else {
      const text = batches.map((batch) => `${JSON.stringify(batch)}\n`).join('');
      await writeFile(`${this.#file}.new`, text);
      await rename(`${this.#file}.new`, this.#file);
      this.#bytes = Buffer.byteLength(text);
    }
    this.#batches = batches.length;
  }

  async #append(text: string): Promise<void> {
    await appendFile(this.#file, text);
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
