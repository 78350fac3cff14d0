/** What monitors read: closed stretches of many models, in one pass over their windows. */
import type { Db } from 'mongodb';
import type { WindowCounts } from '../../contracts/window-counts.js';
import type { WindowCell } from '../../contracts/windows.js';
import { LOOK_BACK_MS } from '../../statistics/monitor/late.js';
import { mergeWindows } from '../../statistics/profile/merge.js';
import { emptySketch, mergeSketch, type MutableSketch } from '../../statistics/sketch.js';
import { type WindowDocument, windowsOf } from './collections.js';
import { LateTraffic, type Traffic } from './late-traffic.js';

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
  /** Stored in this window and about earlier ones, by those, in the order of time. */
  readonly late: readonly ReadLate[];
}

interface ReadLate {
  readonly from: number;
  readonly to: number;
  readonly features: ReadWindow['features'];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ANSWER_MS = 60_000;
/** Stored longer than this, or than a window, after its time, a window is late. */
export const LATE_MS = HOUR;
/** A gateway's clock may be ahead by so much. */
const AHEAD_MOST = 10 * MINUTE;

/**
 * A window is in the stretch in which it was stored, by the database's clock: so each is in exactly one of the stretches that are read
 * one after another. One that is late counts with its rows and labels for the window that it is about, as far as monitors look back.
 * Its traffic is over when it lay in a spool, and counts when it is late by a clock alone, see {@link LateTraffic}. A window whose own
 * time is ahead, or farther back, is not taken, and told: its gateway's clock is off, or it is history. So late windows are found by
 * the reading that there is anyhow. Of windows that were merged into hours (after 48 h) the time that they are about decides. Slots are
 * read apart, without the counts of features: those are most of a document, and a slot holds many windows.
 */
export async function readMonitored(
  db: Db,
  queries: readonly MonitoredQuery[],
): Promise<ReadonlyMap<string, MonitoredReading>> {
  const open = new Map(queries.map((query) => [query.model, new Reading(query)]));
  for (const part of ['windows', 'slots'] as const) {
    for await (const document of found(db, part, queries)) open.get(document.model)?.[part](document);
  }
  return new Map([...open].map(([model, reading]) => [model, reading.close()]));
}

const HEAD = { model: 1, gateway: 1, span: 1, from: 1, to: 1, insertedAt: 1 } as const;
const PARTS = {
  windows: {
    ...HEAD,
    ...Object.fromEntries(
      ['role', 'digest', 'requests', 'errors', 'latency', 'features'].map((name) => [`cells.${name}`, 1]),
    ),
  },
  slots: { ...HEAD, 'cells.role': 1, 'cells.requests': 1, 'cells.errors': 1 },
} as const;

async function* found(
  db: Db,
  part: keyof typeof PARTS,
  queries: readonly MonitoredQuery[],
): AsyncGenerator<Seen> {
  const due = queries.filter((query) => query[part].to > query[part].from);
  if (due.length === 0) return;
  const from = Math.min(...due.map((query) => query[part].from));
  const to = Math.max(...due.map((query) => query[part].to));
  const stored = {
    span: { $in: ['batch', 'minute'] as const },
    insertedAt: { $gte: new Date(from), $lt: new Date(to) },
  };
  const merged = {
    span: { $in: ['hour', 'day'] as const },
    from: { $gte: from, $lt: to },
    to: { $gt: from },
  };
  yield* windowsOf(db)
    .find(
      { model: { $in: due.map(({ model }) => model) }, $or: [stored, merged] },
      { timeoutMS: ANSWER_MS, timeoutMode: 'iteration', batchSize: 1_000 },
    )
    .project<Seen>(PARTS[part]);
}

type SeenCell = Pick<WindowCell, 'role' | 'digest' | 'requests' | 'errors' | 'latency' | 'features'>;
type Seen = Pick<WindowDocument, '_id' | 'model' | 'gateway' | 'span' | 'from' | 'to' | 'insertedAt'> & {
  readonly cells: readonly SeenCell[];
};
type Open<T> = { -readonly [K in keyof T]: T[K] };
interface OpenWindow extends Open<ReadSlot> {
  features: Map<string, WindowCounts>;
  latency: MutableSketch;
  lateByStart: Map<number, Map<string, WindowCounts>> | null;
}

class Reading {
  readonly #query: MonitoredQuery;
  readonly #windows: readonly OpenWindow[];
  readonly #slots: readonly Open<ReadSlot>[];
  readonly #late = new LateTraffic();
  readonly #strange = new Map<string, { readonly documents: Set<string>; readonly hours: number }>();

  constructor(query: MonitoredQuery) {
    this.#query = query;
    this.#slots = stretchesOf(query.slots);
    this.#windows = stretchesOf(query.windows).map((slot) => ({
      ...slot,
      features: new Map(),
      latency: emptySketch(),
      lateByStart: null,
    }));
  }

  windows(document: Seen): void {
    const window = this.#windows[placeOf(document, this.#query.windows)];
    if (window === undefined || this.#isStrange(document)) return;
    const isLate = this.#isLate(document);
    const traffic = isLate ? this.#late.in(window, document) : window;
    addTraffic(traffic, document.cells);
    this.#addLatency(traffic, document.cells);
    if (isLate) this.#addLate(window, document);
    else this.#addFeatures(window, document.cells);
  }

  slots(document: Seen): void {
    const slot = this.#slots[placeOf(document, this.#query.slots)];
    if (slot === undefined || this.#isStrange(document)) return;
    addTraffic(this.#isLate(document) ? this.#late.in(slot, document) : slot, document.cells);
  }

  /** Noted once, though it may be read as a part of both. */
  #isStrange({ _id, span, gateway, insertedAt, to }: Seen): boolean {
    const late = insertedAt.getTime() - to;
    if (!isStored({ span }) || (late >= -AHEAD_MOST && late <= LOOK_BACK_MS)) return false;
    const known = this.#strange.get(gateway) ?? { documents: new Set(), hours: 0 };
    known.documents.add(_id);
    this.#strange.set(gateway, { ...known, hours: late / HOUR });
    return true;
  }

  #isLate({ span, insertedAt, to }: Seen): boolean {
    return isStored({ span }) && insertedAt.getTime() - to > Math.max(LATE_MS, this.#query.windows.length);
  }

  #addLatency({ latency }: Pick<OpenWindow, 'latency'>, cells: readonly SeenCell[]): void {
    for (const cell of cells)
      if (cell.digest === this.#query.champion && cell.role === 'champion')
        mergeSketch(latency, cell.latency);
  }

  #addFeatures({ features }: OpenWindow, cells: readonly SeenCell[]): void {
    for (const cell of cells) if (cell.digest === this.#query.champion) addFeatures(features, cell);
  }

  #addLate(window: OpenWindow, { from, cells }: Seen): void {
    const { length } = this.#query.windows;
    const start = Math.floor(from / length) * length;
    const late = (window.lateByStart ??= new Map());
    for (const cell of cells) {
      if (cell.digest !== this.#query.champion) continue;
      const features = late.get(start) ?? new Map<string, WindowCounts>();
      addFeatures(features, cell);
      if (features.size > 0) late.set(start, features);
    }
  }

  /** Once, when all has been read. */
  close(): MonitoredReading {
    const behind = this.#late.place();
    const strange = [...this.#strange].map(([gateway, { documents, hours }]) => {
      const off = `${Math.abs(hours).toFixed(1)} h ${hours < 0 ? 'ahead of' : 'behind'} the database's`;
      return `Gateway ${gateway}: ${documents.size} windows are not judged, their time is ${off}`;
    });
    const { length } = this.#query.windows;
    const windows = this.#windows.map(({ lateByStart, ...window }) => ({
      ...window,
      late: [...(lateByStart ?? [])]
        .sort(([a], [b]) => a - b)
        .map(([from, features]) => ({ from, to: from + length, features })),
    }));
    return { windows, slots: this.#slots, strange: [...strange, ...behind] };
  }
}

/** What a version answered as the champion; of what it answered as a candidate or hold-back, the labels. */
function addFeatures(into: Map<string, WindowCounts>, { role, features }: SeenCell): void {
  if (features === undefined || features === null || role === 'shadow') return;
  const counts = role === 'champion' ? features : labelsOnly(features);
  if (counts === null) return;
  const known = into.get(counts.profile);
  into.set(counts.profile, known === undefined ? counts : mergeWindows(known, counts));
}

/** Null where there are none. */
function labelsOnly({ profile, features, score }: WindowCounts): WindowCounts | null {
  if (score === null || [...score.positives, ...score.negatives].every((count) => count === 0)) return null;
  return {
    profile,
    rows: 0,
    features: features.map((feature) => {
      const nothing = { counts: feature.counts.map(() => 0), missing: 0, wrongType: 0 };
      return feature.kind === 'numeric'
        ? { kind: 'numeric', ...nothing, below: 0, above: 0 }
        : { kind: 'categorical', ...nothing, unlisted: { names: [], rest: 0 } };
    }),
    score: { ...score, counts: score.counts.map(() => 0), invalid: 0 },
  };
}

const isStored = ({ span }: Pick<Seen, 'span'>): boolean => span === 'batch' || span === 'minute';

/** Index of the stretch that it is in; there may be none there. */
function placeOf(document: Seen, { from, length }: Stretches): number {
  const at = isStored(document) ? document.insertedAt.getTime() : document.from;
  return Math.floor((at - from) / length);
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
function addTraffic(into: Traffic, cells: readonly Pick<WindowCell, 'role' | 'requests' | 'errors'>[]): void {
  let [requests, failed, saved] = [0, 0, 0];
  for (const { role, requests: counted, errors } of cells) {
    if (role === 'shadow') continue;
    requests += counted.split + counted.unsplit + counted.shed;
    failed += counted.shed + Object.values(errors).reduce((sum, count) => sum + count, 0);
    saved += counted.fallback;
  }
  into.requests += requests;
  into.bad += Math.min(requests, Math.max(0, failed - saved));
}
