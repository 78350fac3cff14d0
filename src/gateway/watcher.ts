import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { VersionRef } from '../contracts/model.js';
import type { GatewayRecord, ObservedRoute, RoutingTable } from '../contracts/routes.js';
import { Lease } from './lease.js';
import type { LiveRoute } from './live-route.js';
import { ModelRoutes } from './model-routes.js';
import type { ArtifactPaths } from './slots.js';
import type { Snapshot } from './snapshot.js';

const UNLOAD_MS = 2_000;
/** A reading that takes longer hangs: that is told while it hangs. */
const OVERDUE_MS = 5_000;
const CLOCK_SET_SECONDS = 2;

/** The part of the routing store that a gateway uses. */
export interface TableSource {
  readAll(): Promise<readonly RoutingTable[]>;
  report(record: Omit<GatewayRecord, 'seenAt'>): Promise<void>;
}

export interface WatcherSettings {
  readonly gateway: string;
  readonly boot: string;
  readonly url: () => string;
  readonly source: TableSource;
  readonly snapshot: Snapshot;
  readonly artifacts: ArtifactPaths;
  readonly pollMs: number;
  readonly graceMs: number;
  /** Default as in `lease.ts`. */
  readonly resumeMs?: number;
  readonly onRestart: (
    live: LiveRoute | null,
    model: string,
    ref: VersionRef,
    why: 'stuck' | 'crashed',
  ) => void;
  readonly log: Logger;
}

/** Reads the routing tables again and again, keeps the versions they name loaded, and reports what is in force. */
export class Watcher {
  readonly #settings: WatcherSettings;
  readonly #models = new Map<string, ModelRoutes>();
  readonly #startedAt = new Date().toISOString();
  #tables: readonly RoutingTable[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #clockOffset: number | null = null;
  readonly #lease: Lease;
  #source: 'none' | 'snapshot' | 'store' = 'none';
  #lastError: string | null = null;
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #again = false;

  constructor(settings: WatcherSettings) {
    this.#settings = settings;
    this.#lease = new Lease(settings.resumeMs);
  }

  get models(): ReadonlyMap<string, ModelRoutes> {
    return this.#models;
  }

  /** Seconds since the store was last read; null before the first time. */
  get readAgeSeconds(): number | null {
    return this.#source === 'store' ? (performance.now() - this.#readAt) / 1_000 : null;
  }

  get lastError(): string | null {
    return this.#lastError;
  }

  /** Where the tables come from that are in force. */
  get tablesFrom(): 'none' | 'snapshot' | 'store' {
    return this.#source;
  }

  /** Tables are known and none of their models is still loading for the first time. */
  get ready(): boolean {
    return (
      this.#running && this.#source !== 'none' && ![...this.#models.values()].some(({ starting }) => starting)
    );
  }

  /** Why the tables taken are not in the snapshot; null when they are. */
  get snapshotProblem(): string | null {
    return this.#settings.snapshot.problem;
  }

  leaseHeld({ leaseSeconds }: RoutingTable): boolean {
    return this.#lease.holds(leaseSeconds);
  }

  /** Reads once; without the store takes the snapshot, and goes on trying. */
  async start(): Promise<void> {
    this.#running = true;
    this.#turn = this.#poll();
    await this.#turn;
    if (this.#source === 'none') {
      const tables = await this.#settings.snapshot.load();
      this.#lease.startedWithout();
      if (tables !== null && this.#source === 'none') {
        this.#source = 'snapshot';
        this.#settings.log.warn(
          { models: tables.length },
          'The store is away: serving from the last known tables',
        );
        this.#take(tables);
      }
    }
    this.#next();
  }

  /** Reports soon, e.g. after a trip, without waiting for the next turn. */
  hurry(): void {
    if (!this.#running || this.#again) return;
    this.#again = true;
    clearTimeout(this.#timer);
    this.#turn = this.#turn.then(() => {
      this.#again = false;
      return this.#poll();
    });
    void this.#turn.then(() => this.#next());
  }

  /** Ends the readings, says goodbye and unloads everything. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#turn;
    await this.#report('stopped').catch(() => {});
    // A thread inside a native call ends when the call does; nobody waits for a stuck one.
    const closed = Promise.all([...this.#models.values()].map((routes) => routes.close()));
    await Promise.race([closed, sleep(UNLOAD_MS, undefined, { ref: false })]);
  }

  #next(): void {
    clearTimeout(this.#timer);
    if (!this.#running) return;
    // Gateways started together must not read together for ever.
    const delay = this.#settings.pollMs * (0.8 + 0.4 * Math.random());
    this.#timer = setTimeout(() => {
      // One at a time: a hurried one may be under way, and an older reading must neither report nor be kept after a newer one.
      this.#turn = this.#turn.then(() => this.#poll());
      void this.#turn.then(() => this.#next());
    }, delay);
  }

  async #poll(): Promise<void> {
    const { source, snapshot, log } = this.#settings;
    // The lease runs from before the reading: what it says was true then.
    const began = performance.now();
    const beganAtClock = Date.now();
    this.#noteClock(beganAtClock - began);
    const overdue = setTimeout(() => this.#noteError('MongoDB has not answered for 5 s'), OVERDUE_MS);
    overdue.unref();
    try {
      const tables = await source.readAll();
      this.#readAt = began;
      this.#source = 'store';
      this.#take(tables);
      // Before it is reported: what a gateway has confirmed, it serves after a restart without the store too.
      await this.#keep(snapshot);
      await this.#report('serving');
      // Whoever counts silent gateways out goes by their reports: a reading that nobody heard of renews no lease.
      this.#lease.renew(began, beganAtClock);
      if (this.#lastError !== null) log.info('The routing tables can be read again');
      this.#lastError = null;
    } catch (error) {
      this.#noteError(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(overdue);
    }
  }

  /** @param offset of the clock to the steady one, which changes only when the clock is set, or the machine was suspended */
  #noteClock(offset: number): void {
    const seconds = (offset - (this.#clockOffset ?? offset)) / 1_000;
    this.#clockOffset = offset;
    if (Math.abs(seconds) >= CLOCK_SET_SECONDS)
      this.#settings.log.warn(
        { seconds: Math.round(seconds) },
        'The clock of this machine was set, or it was suspended: no candidate until the tables are read again',
      );
  }

  #noteError(reason: string): void {
    if (this.#lastError === null)
      this.#settings.log.warn({ reason }, 'The routing tables cannot be read or reported');
    this.#lastError = reason;
  }

  async #keep(snapshot: Snapshot): Promise<void> {
    const before = snapshot.problem;
    await snapshot.save(this.#tables);
    const { problem } = snapshot;
    if (problem !== null && problem !== before)
      this.#settings.log.error({ reason: problem }, 'The snapshot was not written');
    if (problem === null && before !== null) this.#settings.log.info('The snapshot is written again');
  }

  #take(tables: readonly RoutingTable[]): void {
    const { log } = this.#settings;
    // A table that has vanished is no wish to stop serving: that is said by a table without champion.
    const present = new Set(tables.map(({ model }) => model));
    this.#tables = [...tables, ...this.#tables.filter(({ model }) => !present.has(model))];
    for (const table of tables) {
      try {
        this.#routesOf(table.model).want(table);
      } catch (error) {
        log.error(
          { model: table.model, generation: table.generation, err: error },
          'The routing table cannot be used',
        );
      }
    }
  }

  #routesOf(model: string): ModelRoutes {
    const known = this.#models.get(model);
    if (known !== undefined) return known;
    const { artifacts, graceMs, onRestart } = this.#settings;
    const routes: ModelRoutes = new ModelRoutes(
      model,
      { artifacts, graceMs, onRestart: (ref, why) => onRestart(routes.current, model, ref, why) },
      () => this.hurry(),
    );
    this.#models.set(model, routes);
    return routes;
  }

  async #report(status: GatewayRecord['status']): Promise<void> {
    const { gateway, boot, url, source } = this.#settings;
    const observed: Record<string, ObservedRoute> = {};
    for (const [model, routes] of this.#models) observed[model] = routes.observed;
    await source.report({ gateway, boot, url: url(), startedAt: this.#startedAt, status, observed });
  }
}
