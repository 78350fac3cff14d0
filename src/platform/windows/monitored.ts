/** What monitors read: closed stretches of many models, in one pass over their windows. */
import type { Db } from 'mongodb';
import type { WindowCounts } from '../../contracts/window-counts.js';
import type { WindowCell } from '../../contracts/windows.js';
import { mergeWindows } from '../../statistics/profile/merge.js';
import { emptySketch, mergeSketch, type MutableSketch } from '../../statistics/sketch.js';
import { type WindowDocument, windowsOf } from './collections.js';

export interface MonitoredQuery {
  readonly model: string;
  /** Digest of the champion, whose features and latency are read. */
  readonly champion: string;
  /** Stretches of windows and of slots, epoch milliseconds: whole multiples of their length. */
  readonly windows: Stretches;
  readonly slots: Stretches;
}

export interface Stretches {
  readonly from: number;
  readonly to: number;
  /** Of one, milliseconds. */
  readonly length: number;
}

export interface MonitoredReading {
  /** Every stretch, in order, also those in which nothing came. */
  readonly windows: readonly ReadWindow[];
  readonly slots: readonly ReadSlot[];
  /** What was not taken, and why. */
  readonly strange: readonly string[];
}

export interface ReadSlot {
  readonly from: number;
  readonly to: number;
  readonly requests: number;
  readonly bad: number;
}

export interface ReadWindow extends ReadSlot {
  /** By the digest of the profile in whose bins they are. */
  readonly features: ReadonlyMap<string, WindowCounts>;
  readonly latency: MutableSketch;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ANSWER_MS = 60_000;
/** A gateway's clock may be ahead by so much. */
const AHEAD_MOST = 10 * MINUTE;

/**
 * A window is in the stretch in which it was stored, by the database's clock: so each is in exactly one of the stretches that are read
 * one after another, and no gateway's clock matters much. One whose own time is far from that is not taken, and told: its gateway's
 * clock is off, or it lay in a spool, and its traffic is not of that stretch. Of windows that were merged into hours (after 48 h) the time that
 * they are about decides.
 */
export async function readMonitored(
  db: Db,
  queries: readonly MonitoredQuery[],
): Promise<ReadonlyMap<string, MonitoredReading>> {
  const open = new Map(queries.map((query) => [query.model, new Reading(query)]));
  const bounds = [...open.values()].filter(({ isEmpty }) => !isEmpty);
  if (bounds.length === 0) return readings(open);
  const from = Math.min(...bounds.map((one) => one.from));
  const to = Math.max(...bounds.map((one) => one.to));
  const stored = {
    span: { $in: ['batch', 'minute'] as const },
    insertedAt: { $gte: new Date(from), $lt: new Date(to) },
  };
  const merged = {
    span: { $in: ['hour', 'day'] as const },
    from: { $gte: from, $lt: to },
    to: { $gt: from },
  };
  const found = windowsOf(db)
    .find(
      { model: { $in: bounds.map(({ model }) => model) }, $or: [stored, merged] },
      { timeoutMS: ANSWER_MS, timeoutMode: 'iteration', batchSize: 1_000 },
    )
    .project<Seen>({ model: 1, gateway: 1, span: 1, from: 1, to: 1, insertedAt: 1, cells: 1 });
  for await (const document of found) open.get(document.model)?.add(document);
  return readings(open);
}

const readings = (open: ReadonlyMap<string, Reading>): ReadonlyMap<string, MonitoredReading> =>
  new Map([...open].map(([model, reading]) => [model, reading.result]));

type Seen = Pick<WindowDocument, 'model' | 'gateway' | 'span' | 'from' | 'to' | 'insertedAt' | 'cells'>;
type Open<T> = { -readonly [K in keyof T]: T[K] };
interface OpenWindow extends Open<ReadSlot> {
  features: Map<string, WindowCounts>;
  latency: MutableSketch;
}

class Reading {
  readonly #query: MonitoredQuery;
  readonly #windows: readonly OpenWindow[];
  readonly #slots: readonly Open<ReadSlot>[];
  readonly #strange = new Map<string, { documents: number; hours: number }>();

  constructor(query: MonitoredQuery) {
    this.#query = query;
    this.#slots = stretchesOf(query.slots);
    this.#windows = stretchesOf(query.windows).map((slot) => ({
      ...slot,
      features: new Map(),
      latency: emptySketch(),
    }));
  }

  get model(): string {
    return this.#query.model;
  }
  get isEmpty(): boolean {
    return this.#windows.length + this.#slots.length === 0;
  }
  get from(): number {
    return Math.min(
      ...[this.#windows[0], this.#slots[0]].flatMap((one) => (one === undefined ? [] : [one.from])),
    );
  }
  get to(): number {
    return Math.max(
      ...[this.#windows.at(-1), this.#slots.at(-1)].flatMap((one) => (one === undefined ? [] : [one.to])),
    );
  }

  add(document: Seen): void {
    const isStored = document.span === 'batch' || document.span === 'minute';
    const at = isStored ? document.insertedAt.getTime() : document.from;
    const { windows, slots } = this.#query;
    const window = this.#windows[Math.floor((at - windows.from) / windows.length)];
    const slot = this.#slots[Math.floor((at - slots.from) / slots.length)];
    if (window === undefined && slot === undefined) return;
    const late = document.insertedAt.getTime() - document.to;
    if (isStored && (late < -AHEAD_MOST || late > Math.max(HOUR, windows.length))) {
      const known = this.#strange.get(document.gateway) ?? { documents: 0, hours: 0 };
      this.#strange.set(document.gateway, { documents: known.documents + 1, hours: late / HOUR });
      return;
    }
    const traffic = trafficOf(document.cells);
    for (const one of [window, slot]) {
      if (one === undefined) continue;
      one.requests += traffic.requests;
      one.bad += traffic.bad;
    }
    if (window !== undefined) this.#addCells(window, document.cells);
  }

  #addCells(window: OpenWindow, cells: readonly WindowCell[]): void {
    for (const cell of cells) {
      if (cell.role !== 'champion' || cell.digest !== this.#query.champion) continue;
      mergeSketch(window.latency, cell.latency);
      const { features } = cell;
      if (features === undefined || features === null) continue;
      const known = window.features.get(features.profile);
      window.features.set(features.profile, known === undefined ? features : mergeWindows(known, features));
    }
  }

  get result(): MonitoredReading {
    const strange = [...this.#strange].map(([gateway, { documents, hours }]) => {
      const off = `${Math.abs(hours).toFixed(1)} h ${hours < 0 ? 'ahead of' : 'behind'} the database's`;
      return `Gateway ${gateway}: ${documents} windows are not judged, their time is ${off}`;
    });
    return { windows: this.#windows, slots: this.#slots, strange };
  }
}

function stretchesOf({ from, to, length }: Stretches): Open<ReadSlot>[] {
  const count = Math.max(0, Math.floor((to - from) / length));
  return Array.from({ length: count }, (_, i) => ({
    from: from + i * length,
    to: from + (i + 1) * length,
    requests: 0,
    bad: 0,
  }));
}

/**
 * What users asked, and what they did not get. A request that failed and was answered by the champion counts as `fallback` there: it
 * is an error that nobody saw. Shadow copies are nobody's requests.
 */
function trafficOf(cells: readonly WindowCell[]): { readonly requests: number; readonly bad: number } {
  let [requests, failed, saved] = [0, 0, 0];
  for (const { role, requests: counted, errors } of cells) {
    if (role === 'shadow') continue;
    requests += counted.split + counted.unsplit + counted.shed;
    failed += counted.shed + Object.values(errors).reduce((sum, count) => sum + count, 0);
    saved += counted.fallback;
  }
  return { requests, bad: Math.min(requests, Math.max(0, failed - saved)) };
}
