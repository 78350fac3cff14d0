import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoutingTable } from '../contracts/routes.js';
import { effect } from '../fail-points/index.js';

/** A disk that takes longer is not waited for: the tables that come after this one are worth more. */
const PATIENCE_MS = 2_000;

/** The last tables read, so that a gateway that starts while the store is away can serve its champions. */
export class Snapshot {
  readonly #file: string;
  readonly #patienceMs: number;
  #written = '';
  /** What the file holds. */
  #kept: readonly RoutingTable[] | null = null;
  #next: readonly RoutingTable[] | null = null;
  #saving: Promise<void> | null = null;
  #hangs = false;
  #problem: string | null = null;

  constructor(file: string, patienceMs: number = PATIENCE_MS) {
    this.#file = file;
    this.#patienceMs = patienceMs;
  }

  /** Why the file does not hold the tables that were saved last; null when it does. */
  get problem(): string | null {
    return this.#hangs ? `the disk has not taken it for ${this.#patienceMs / 1_000} s` : this.#problem;
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
   * One write at a time, each of the newest tables: two at once would take the file from under each other. Never throws: what is
   * wrong is in `problem`. Waits for the disk, but not for one that hangs.
   */
  async save(tables: readonly RoutingTable[]): Promise<void> {
    // At most readings nothing has changed, and the tables of a fleet are megabytes of text.
    if (this.#saving === null && this.#kept !== null && isSame(this.#kept, tables)) return;
    this.#next = tables;
    this.#saving ??= this.#work().finally(() => {
      this.#saving = null;
      this.#hangs = false;
    });
    if (this.#hangs) return;
    const waiting = new AbortController();
    const late = sleep(this.#patienceMs, undefined, { signal: waiting.signal, ref: false }).then(
      () => {
        this.#hangs = true;
      },
      () => undefined,
    );
    await Promise.race([this.#saving, late]);
    waiting.abort();
  }

  async #work(): Promise<void> {
    while (this.#next !== null) {
      const tables = this.#next;
      this.#next = null;
      try {
        await this.#keep(JSON.stringify(tables));
        this.#kept = tables;
        this.#problem = null;
      } catch (error) {
        this.#kept = null;
        this.#problem = error instanceof Error ? error.message : String(error);
        await this.#dropStale(tables).catch(() => undefined);
      }
    }
  }

  async #keep(text: string): Promise<void> {
    if (text === this.#written) return;
    await effect('snapshot.save', () => this.#write(text));
    this.#written = text;
  }

  /** Written beside, made durable, renamed: a crash leaves the old one or the new one. */
  async #write(text: string): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    const file = await open(`${this.#file}.new`, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${this.#file}.new`, this.#file);
  }

  /** What was taken away from users must not come back with a restart: a gateway then rather waits for the store. */
  async #dropStale(tables: readonly RoutingTable[]): Promise<void> {
    const champions = new Map(tables.map(({ model, champion }) => [model, champion?.digest ?? null]));
    const isStale = (await this.load())?.some(
      ({ model, champion }) => champions.has(model) && champions.get(model) !== (champion?.digest ?? null),
    );
    if (isStale !== true) return;
    await rm(this.#file, { force: true });
    this.#written = '';
  }
}

/** The same objects: a table that has not changed is not read again. */
const isSame = (a: readonly RoutingTable[], b: readonly RoutingTable[]): boolean =>
  a.length === b.length && a.every((table, i) => table === b[i]);
