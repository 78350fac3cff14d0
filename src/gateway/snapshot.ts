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
  #champions = '';
  #next: readonly RoutingTable[] | null = null;
  #saving: Promise<void> | null = null;
  #problem: string | null = null;

  constructor(file: string, patienceMs: number = PATIENCE_MS) {
    this.#file = file;
    this.#patienceMs = patienceMs;
  }

  /** Why the file does not hold the tables that were saved last; null when it does. */
  get problem(): string | null {
    return this.#problem;
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

  /** Never throws: what is wrong is in `problem`. Waits for the disk, but not for one that hangs. */
  async save(tables: readonly RoutingTable[]): Promise<void> {
    this.#next = tables;
    // One write at a time, and the newest tables after it.
    if (this.#saving !== null) return;
    this.#saving = this.#work().finally(() => (this.#saving = null));
    const waiting = new AbortController();
    const late = sleep(this.#patienceMs, undefined, { signal: waiting.signal, ref: false }).then(
      () => {
        this.#problem = `the disk has not taken it for ${this.#patienceMs / 1_000} s`;
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
      const text = JSON.stringify(tables);
      if (text === this.#written) continue;
      const champions = championsOf(tables);
      try {
        await effect('snapshot.save', () => this.#write(text));
        this.#written = text;
        this.#champions = champions;
        this.#problem = null;
      } catch (error) {
        this.#problem = error instanceof Error ? error.message : String(error);
        // What was taken away from users must not come back with a restart: then rather wait for the store.
        if (champions !== this.#champions) await rm(this.#file, { force: true }).catch(() => undefined);
      }
    }
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
}

const championsOf = (tables: readonly RoutingTable[]): string =>
  tables
    .map(({ model, champion }) => `${model} ${champion?.digest ?? 'none'}`)
    .toSorted()
    .join();
