import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RoutingTable } from '../contracts/routes.js';
import { effect } from '../fail-points/index.js';

/** The last tables read, so that a gateway that starts while the store is away can serve its champions. */
export class Snapshot {
  readonly #file: string;
  #written = '';
  #newest: readonly RoutingTable[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** @returns null without a readable snapshot */
  async load(): Promise<readonly RoutingTable[] | null> {
    try {
      const tables: unknown = JSON.parse(await readFile(this.#file, 'utf8'));
      return Array.isArray(tables) ? (tables as RoutingTable[]) : null;
    } catch {
      return null;
    }
  }

  /**
   * Written beside and renamed: a crash leaves the old one or the new one. One save after the other, each of the newest tables: two at
   * once would take the file from under each other, and the older one could come last.
   */
  save(tables: readonly RoutingTable[]): Promise<void> {
    this.#newest = tables;
    const saved = this.#turn.then(() => this.#write());
    this.#turn = saved.catch(() => undefined);
    return saved;
  }

  async #write(): Promise<void> {
    const text = JSON.stringify(this.#newest);
    if (text === this.#written) return;
    await mkdir(dirname(this.#file), { recursive: true });
    await writeFile(`${this.#file}.new`, text);
    await effect('snapshot.save', () => rename(`${this.#file}.new`, this.#file));
    this.#written = text;
  }
}
