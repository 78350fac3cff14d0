import { isDeepStrictEqual } from 'node:util';
import type { VersionRef } from '../contracts/model.js';
import type { ObservedRoute, RoutingTable } from '../contracts/routes.js';
import { MAX_GUARDRAILS } from '../platform/windows/keys.js';
import { LiveRoute } from './live-route.js';
import { type Lane, loadSlot, type Slot, type SlotSettings } from './slots.js';

interface Need {
  readonly lane: Lane;
  readonly ref: VersionRef;
  /** A warm version does not hold up the switch: a roll-back must not wait for one. */
  readonly routed: boolean;
}

interface Failed {
  readonly state: 'failed';
  readonly reason: string;
  /** In a row. */
  readonly tries: number;
  readonly retryAt: number;
  /** It is being loaded again: until that has ended, what is known is that it failed. */
  readonly trying: boolean;
}

type Entry = { readonly state: 'loading' } | { readonly state: 'ready'; readonly slot: Slot } | Failed;

/** Of a version that cannot be loaded, twice as long after each try: a fleet of them must not keep a gateway busy. */
const RETRY_MS = { first: 5_000, most: 60_000 } as const;
/** After the deadline and this, requests still with an unloaded version are given up. */
const PATIENCE_MS = 10_000;

const NO_TRIPS: ObservedRoute['trips'] = [];

const keyOf = (lane: Lane, digest: string): string => `${lane}/${digest}`;

/** The versions of one model on this gateway: loads what a new table names, then switches, then unloads what is left over. */
export class ModelRoutes {
  readonly model: string;
  readonly #settings: SlotSettings;
  readonly #changed: () => void;
  readonly #entries = new Map<string, Entry>();
  /** The newest table read; equal to the current one's when it has been taken. */
  #wanted: RoutingTable | null = null;
  #current: LiveRoute | null = null;
  /** The current route serves only the champion, as its other versions are not ready. */
  #provisional = false;
  #closed = false;
  #observed: ObservedRoute | null = null;
  /** Whether it may be another by now. */
  #stale = true;

  constructor(model: string, settings: SlotSettings, changed: () => void) {
    this.model = model;
    this.#settings = settings;
    this.#changed = changed;
  }

  /** What is in force; null until a first table could be taken. */
  get current(): LiveRoute | null {
    return this.#current;
  }

  /** Whether loading goes on for a first route. */
  get starting(): boolean {
    return this.#current === null && [...this.#entries.values()].some(({ state }) => state === 'loading');
  }

  /** The same object while nothing has changed: a fleet's are compared at each reading. */
  get observed(): ObservedRoute {
    const trips = this.#current?.trips ?? NO_TRIPS;
    const before = this.#observed;
    if (before !== null && !this.#stale && before.trips === trips) return before;
    const now = this.#observe(trips);
    this.#stale = false;
    if (before !== null && before.trips === trips && isDeepStrictEqual(now, before)) return before;
    this.#observed = now;
    return now;
  }

  #observe(trips: ObservedRoute['trips']): ObservedRoute {
    const ready = new Set<string>();
    const failed = new Map<string, string>();
    for (const [key, entry] of this.#entries) {
      const digest = key.slice(key.indexOf('/') + 1);
      if (entry.state === 'ready') ready.add(digest);
      if (entry.state === 'failed') failed.set(digest, entry.reason);
    }
    return {
      generation: this.#provisional ? 0 : (this.#current?.table.generation ?? 0),
      wanted: this.#wanted?.generation ?? 0,
      ready: [...ready],
      failed: [...failed].map(([digest, reason]) => ({ digest, reason })),
      trips,
    };
  }

  /** Takes note of the table in force; called at every reading, which also retries what failed to load. */
  want(table: RoutingTable): void {
    // Of thousands of tables nearly all are as they were.
    if (table === this.#wanted && performance.now() < this.#retryAt) return;
    if (this.#wanted?.generation !== table.generation) {
      // What failed for an older table may have been mended since.
      for (const [key, entry] of this.#entries)
        if (entry.state === 'failed' && !entry.trying) this.#entries.delete(key);
    }
    this.#wanted = table;
    this.#settle();
  }

  /** When a version that failed is due again; never, without one. */
  get #retryAt(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values())
      if (entry.state === 'failed' && !entry.trying) soonest = Math.min(soonest, entry.retryAt);
    return soonest;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const slots = new Set(
      [...this.#entries.values()].flatMap((entry) => (entry.state === 'ready' ? [entry.slot] : [])),
    );
    this.#entries.clear();
    this.#stale = true;
    await Promise.all([...slots].map((slot) => slot.retire(0)));
  }

  /** After whatever has changed a version or the table wanted. */
  #settle(): void {
    this.#stale = true;
    const table = this.#wanted;
    if (table === null || this.#closed) return;
    const needs = needsOf(table);
    const keys = new Set(needs.map(({ lane, ref }) => keyOf(lane, ref.digest)));
    for (const need of needs) this.#provide(need, keys);
    const missing = needs.filter(({ routed, lane, ref }) => routed && this.#slot(lane, ref) === null);
    const current = this.#current;
    const taken =
      current !== null &&
      current.table.generation === table.generation &&
      current.table.changeId === table.changeId;
    if (missing.length === 0 && (!taken || this.#provisional)) this.#switch(table, false);
    else if (missing.length > 0 && current === null && !missing.some(({ lane }) => lane === 'champion')) {
      this.#switch({ ...table, candidate: null, holdback: null, shadow: null }, true);
    } else if (!taken && current !== null) current.suspended = takesAway(table, current.table);
    if (!this.#provisional && this.#current?.table.generation === table.generation) this.#prune(keys);
  }

  #switch(table: RoutingTable, provisional: boolean): void {
    const slot = (lane: Lane, ref: VersionRef | null): Slot | null =>
      ref === null ? null : this.#slot(lane, ref);
    const live = new LiveRoute(table, {
      champion: slot('champion', table.champion),
      candidate: slot('trial', table.candidate),
      holdback: slot('trial', table.holdback),
      shadow: slot('trial', table.shadow),
    });
    live.suspended = provisional;
    this.#current = live;
    this.#provisional = provisional;
    this.#changed();
  }

  /** All versions that are loaded, for requests that name one. */
  loaded(version: string): Slot | null {
    const { champion } = this.#current?.slots ?? { champion: null };
    if (champion?.ref.version === version) return champion;
    for (const entry of this.#entries.values()) {
      if (entry.state === 'ready' && entry.slot.ref.version === version) return entry.slot;
    }
    return null;
  }

  versions(): readonly string[] {
    const names = [...this.#entries.values()].flatMap((entry) =>
      entry.state === 'ready' ? [entry.slot.ref.version] : [],
    );
    return [...new Set(names)];
  }

  /** Each loaded version's. */
  slots(): readonly Slot[] {
    const ready = [...this.#entries.values()].flatMap((entry) =>
      entry.state === 'ready' ? [entry.slot] : [],
    );
    return [...new Set(ready)];
  }

  /** Requests with each loaded version, for the metrics. */
  inFlight(): readonly { readonly version: string; readonly count: number }[] {
    return [...this.#entries.values()].flatMap((entry) =>
      entry.state === 'ready' ? [{ version: entry.slot.ref.version, count: entry.slot.inFlight }] : [],
    );
  }

  #slot(lane: Lane, { digest }: VersionRef): Slot | null {
    const entry = this.#entries.get(keyOf(lane, digest));
    return entry?.state === 'ready' ? entry.slot : null;
  }

  #provide({ lane, ref }: Need, keys: ReadonlySet<string>): void {
    const key = keyOf(lane, ref.digest);
    const entry = this.#entries.get(key);
    if (entry?.state === 'loading' || entry?.state === 'ready') return;
    if (entry?.state === 'failed' && (entry.trying || performance.now() < entry.retryAt)) return;
    // A promoted candidate takes its thread along, and so does a champion that becomes the hold-back.
    const otherKey = keyOf(lane === 'champion' ? 'trial' : 'champion', ref.digest);
    const other = this.#entries.get(otherKey);
    if (other?.state === 'ready' && !keys.has(otherKey)) {
      this.#entries.set(key, other);
      return;
    }
    this.#entries.set(key, entry === undefined ? { state: 'loading' } : { ...entry, trying: true });
    loadSlot(ref, this.#settings).then(
      (slot) => {
        if (this.#closed) return slot.retire(0);
        this.#entries.set(key, { state: 'ready', slot });
        this.#settle();
        this.#changed();
      },
      (error: unknown) => {
        const failed = failedAgain(entry, error instanceof Error ? error.message : String(error));
        this.#entries.set(key, failed);
        this.#settle();
        // Nobody waits for being told the same again.
        if (failed.reason !== entry?.reason) this.#changed();
      },
    );
  }

  #prune(keys: ReadonlySet<string>): void {
    const left: Slot[] = [];
    for (const [key, entry] of this.#entries) {
      if (keys.has(key) || entry.state === 'loading' || (entry.state === 'failed' && entry.trying)) continue;
      this.#entries.delete(key);
      if (entry.state === 'ready') left.push(entry.slot);
    }
    const kept = new Set(
      [...this.#entries.values()].flatMap((entry) => (entry.state === 'ready' ? [entry.slot] : [])),
    );
    const patience = (this.#current?.table.deadlineMs ?? 0) + PATIENCE_MS;
    for (const slot of left) if (!kept.has(slot)) void slot.retire(patience);
  }
}

function failedAgain(before: Failed | undefined, reason: string): Failed {
  const tries = (before?.tries ?? 0) + 1;
  const pause = Math.min(RETRY_MS.first * 2 ** (tries - 1), RETRY_MS.most);
  return { state: 'failed', reason, tries, retryAt: performance.now() + pause, trying: false };
}

/** @throws Error when the table cannot be served at all */
function needsOf({ champion, candidate, holdback, shadow, warm, guardrails }: RoutingTable): readonly Need[] {
  if (guardrails.length > MAX_GUARDRAILS) {
    throw new Error(
      `The table has ${guardrails.length} guardrails; at most ${MAX_GUARDRAILS} can be counted`,
    );
  }
  const needs = new Map<string, Need>();
  const add = (lane: Lane, ref: VersionRef | null, routed: boolean): void => {
    if (ref === null) return;
    const key = keyOf(lane, ref.digest);
    if (!needs.has(key)) needs.set(key, { lane, ref: { version: ref.version, digest: ref.digest }, routed });
  };
  add('champion', champion, true);
  for (const ref of [candidate, holdback, shadow]) add('trial', ref, true);
  for (const ref of warm) {
    if (ref.digest !== champion?.digest) add('trial', ref, false);
  }
  return [...needs.values()];
}

/** Whether the newer table gives the current candidate or hold-back less than it has. */
function takesAway(newer: RoutingTable, current: RoutingTable): boolean {
  const weight = newer.candidate?.digest === current.candidate?.digest ? (newer.candidate?.weight ?? 0) : 0;
  return current.candidate !== null && weight < current.candidate.weight;
}
