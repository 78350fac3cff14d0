import type { RoutingTable } from '../../contracts/routes.js';
import {
  ASSIGNMENT_KINDS,
  type AssignmentKind,
  type KeyEvidence,
  type ShadowCounts,
  type WindowBatch,
  type WindowCell,
  type WindowRole,
  type WindowTable,
} from '../../contracts/windows.js';
import type { WindowCounter } from '../../statistics/profile/window.js';
import { addValue, emptySketch, type MutableSketch } from '../../statistics/sketch.js';
import { type KeyIdentity, type KeyMark, KeyTracker, packKeys } from './keys.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface OpenCell extends Omit<WindowCell, 'requests' | 'errors' | 'bad' | 'slow' | 'shadow' | 'features'> {
  readonly requests: Record<AssignmentKind, number>;
  readonly errors: Record<string, number>;
  readonly bad: Record<string, number>;
  readonly latency: MutableSketch;
  readonly scores: MutableSketch;
  readonly shadow: Mutable<ShadowCounts>;
  slow: number;
  /** Null until rows are counted in the bins of a profile. */
  features: { readonly profile: string; readonly counter: WindowCounter } | null;
}

interface OpenEvidence {
  readonly generation: number;
  readonly digest: string;
  readonly seen: KeyMark[];
  readonly newBad: KeyMark[];
}

/** Whom a count belongs to. */
export interface CellKey {
  readonly version: string;
  readonly digest: string;
  readonly role: WindowRole;
}

/** Rows of an answered request, to be counted in the bins of the version's profile. */
export interface CountedRows {
  /** Digest of the profile. */
  readonly profile: string;
  /** An empty counter of that profile. */
  open(): WindowCounter;
  addTo(counter: WindowCounter): void;
}

/** How a split request ended. */
export interface Outcome {
  /** Milliseconds inside the thread; null without an answer. */
  readonly elapsedMs: number | null;
  readonly score: number | null;
  /** Kind of error; null for an answer in time. */
  readonly error: string | null;
  /** Bit i: bad for guardrail i of the table. */
  readonly bad: number;
  /** Absent or null: no profile is known, or there was no answer. */
  readonly rows?: CountedRows | null;
}

const candidateShareOf = ({ phase, candidate, holdback }: RoutingTable): number | null => {
  if (phase === 'canary') return candidate?.weight ?? 0;
  return phase === 'soak' ? 1 - (holdback?.share ?? 0) : null;
};

/** Whether the table's split requests enter a comparison. */
const isCompared = ({ phase, release }: RoutingTable): boolean =>
  release !== null && (phase === 'canary' || phase === 'soak');

/**
 * Counts of one model since the last flush. Memory is bounded: cells by versions and generations of one flush, sketches by
 * their bins, keys by the tracker.
 */
export class ModelRecorder {
  readonly #model: string;
  readonly #maxKeys: number;
  #cells = new Map<string, OpenCell>();
  /** The cell of each role that was counted in last: nearly always that of the next request too. */
  #last: Partial<Record<WindowRole, OpenCell>> = {};
  #tables = new Map<number, WindowTable>();
  #evidence = new Map<string, OpenEvidence>();
  #from: number;
  #release: number | null = null;
  #keys: KeyTracker;

  constructor(model: string, now: number, maxKeys: number) {
    this.#model = model;
    this.#maxKeys = maxKeys;
    this.#from = now;
    this.#keys = new KeyTracker(maxKeys);
  }

  get isEmpty(): boolean {
    return this.#cells.size === 0;
  }

  /** @returns the tracker of the table's release; null when its requests are not compared */
  keysOf(table: RoutingTable): KeyTracker | null {
    if (!isCompared(table)) return null;
    if (this.#release !== table.release) {
      this.#release = table.release;
      // The release before is over; its last second would be packed by another sample's level.
      this.#evidence = new Map();
      this.#keys = new KeyTracker(this.#maxKeys);
    }
    return this.#keys;
  }

  /** A request by the way it came; `split` and `unsplit` ones are counted by `answered`. */
  count(table: RoutingTable, key: CellKey, kind: AssignmentKind, error: string | null = null): void {
    countIn(this.#cell(table, key), kind, error);
  }

  /** Something that happened to a version without a request, e.g. `thread-stuck`. */
  note(table: RoutingTable, key: CellKey, error: string): void {
    const { errors } = this.#cell(table, key);
    errors[error] = (errors[error] ?? 0) + 1;
  }

  answered(table: RoutingTable, key: CellKey, kind: 'split' | 'unsplit', outcome: Outcome): void {
    const rows = outcome.rows ?? null;
    const cell = this.#cell(table, key, rows?.profile ?? null);
    countIn(cell, kind, outcome.error);
    if (rows !== null) {
      cell.features ??= { profile: rows.profile, counter: rows.open() };
      rows.addTo(cell.features.counter);
    }
    if (outcome.elapsedMs !== null) {
      addValue(cell.latency, outcome.elapsedMs);
      addValue(cell.scores, outcome.score ?? Number.NaN);
    }
    if (kind === 'unsplit' || outcome.bad === 0) return;
    const slowProbe = table.guardrails.findIndex((probe) => probe.kind === 'slow');
    table.guardrails.forEach((probe, i) => {
      if ((outcome.bad & (1 << i)) === 0) return;
      cell.bad[probe.name] = (cell.bad[probe.name] ?? 0) + 1;
      if (i === slowProbe) cell.slow += 1;
    });
  }

  /**
   * Key evidence of a split request.
   * @param tracker what `keysOf` gave when the request was assigned
   * @param first what `begin` answered then
   * @param absent guardrails of which nothing was seen: not good, as a key's first outcome
   */
  key(
    table: RoutingTable,
    digest: string,
    tracker: KeyTracker,
    identity: KeyIdentity,
    first: boolean,
    bad: number,
    absent = 0,
  ): void {
    const fresh = tracker.end(identity, bad);
    if (tracker !== this.#keys || (!first && fresh === 0)) return;
    const id = `${table.generation}/${digest}`;
    let open = this.#evidence.get(id);
    if (open === undefined) {
      open = { generation: table.generation, digest, seen: [], newBad: [] };
      this.#evidence.set(id, open);
    }
    if (first) open.seen.push({ identity, mask: bad | absent });
    if (fresh !== 0) open.newBad.push({ identity, mask: fresh });
  }

  shadow(table: RoutingTable, key: CellKey, what: keyof ShadowCounts, agreed = false): void {
    const { shadow } = this.#cell(table, key);
    shadow[what] += 1;
    if (agreed) shadow.agreed += 1;
  }

  /** Nothing was counted until now: the window begins here. */
  rest(now: number): void {
    if (this.isEmpty) this.#from = now;
  }

  /** Closes the window; null when nothing was counted. */
  flush(now: number, head: Pick<WindowBatch, 'gateway' | 'boot' | 'sequence' | 'lost'>): WindowBatch | null {
    // A clock may have been set back meanwhile.
    const from = Math.min(this.#from, now);
    this.#from = now;
    if (this.isEmpty) return null;
    const { level } = this.#keys;
    const tables = [...this.#tables.values()];
    const batch: WindowBatch = {
      ...head,
      model: this.#model,
      span: 'batch',
      from,
      to: now,
      tables,
      cells: [...this.#cells.values()].map(closedCell),
      releases: [...new Set(tables.flatMap(({ release }) => (release === null ? [] : [release])))],
      level,
      evidence: [...this.#evidence.values()].map(({ generation, digest, seen, newBad }): KeyEvidence => ({
        generation,
        digest,
        seen: packKeys(seen, level),
        newBad: packKeys(newBad, level),
      })),
    };
    this.#cells = new Map();
    this.#last = {};
    this.#tables = new Map();
    this.#evidence = new Map();
    return batch;
  }

  /** @param profile of rows that are to be counted; null: any cell of the version will do */
  #cell(table: RoutingTable, { version, digest, role }: CellKey, profile: string | null = null): OpenCell {
    const { generation } = table;
    const last = this.#last[role];
    if (last?.generation === generation && last.digest === digest && takes(last, profile)) return last;
    const first = `${generation}/${role}/${digest}`;
    const known = this.#cells.get(first);
    const id = known === undefined || takes(known, profile) ? first : `${first}/${profile}`;
    const cell = this.#cells.get(id) ?? this.#open(id, table, { version, digest, role });
    this.#last[role] = cell;
    return cell;
  }

  #open(id: string, table: RoutingTable, { version, digest, role }: CellKey): OpenCell {
    const { generation, release } = table;
    if (!this.#tables.has(generation)) {
      const { phase, guardrails } = table;
      this.#tables.set(generation, {
        generation,
        release,
        phase,
        candidateShare: candidateShareOf(table),
        guardrails,
      });
    }
    const cell: OpenCell = {
      version,
      digest,
      role,
      generation,
      release,
      requests: Object.fromEntries(ASSIGNMENT_KINDS.map((kind) => [kind, 0])) as OpenCell['requests'],
      errors: {},
      latency: emptySketch(),
      scores: emptySketch(),
      slow: 0,
      bad: Object.fromEntries(table.guardrails.map(({ name }) => [name, 0])),
      shadow: { compared: 0, agreed: 0, failed: 0, dropped: 0 },
      features: null,
    };
    this.#cells.set(id, cell);
    return cell;
  }
}

const takes = ({ features }: OpenCell, profile: string | null): boolean =>
  profile === null || features === null || features.profile === profile;

function closedCell({ features, ...cell }: OpenCell): WindowCell {
  return features === null ? cell : { ...cell, features: features.counter.counts() };
}

function countIn({ requests, errors }: OpenCell, kind: AssignmentKind, error: string | null): void {
  requests[kind] += 1;
  if (error !== null) errors[error] = (errors[error] ?? 0) + 1;
}
