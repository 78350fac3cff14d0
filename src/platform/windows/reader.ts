import type { Db } from 'mongodb';
import type { ArmCounts, CanaryCounts } from '../../contracts/canary.js';
import type { ShadowCounts, WindowBatch, WindowTable } from '../../contracts/windows.js';
import { type WindowDocument, windowsOf, WITHOUT_FEATURES } from './collections.js';
import { isSampled, type KeyIdentity, unpackKeys } from './keys.js';

export interface ReleaseQuery {
  readonly model: string;
  readonly release: number;
  /** Digests of the two arms; null: there is no champion to compare with. */
  readonly candidate: string;
  readonly champion: string | null;
  /** Names of the guardrails, at most 31. */
  readonly guardrails: readonly string[];
}

export interface ReleaseCounts {
  readonly counts: CanaryCounts;
  readonly shadow: ShadowCounts;
  /** Routing keys seen in the release, both arms; estimated when sampled. */
  readonly keysSeen: number;
}

type Arm = 0 | 1;
type Counts = [candidate: number, champion: number];

interface Generation {
  readonly share: number;
  /** Guardrails that the generation's table has. */
  readonly known: readonly boolean[];
  readonly requests: Counts;
  readonly bad: readonly Counts[];
}

interface KeyState {
  /** Where the key was first seen, and what its first request was bad for. */
  seen: { readonly generation: number; readonly arm: Arm; readonly mask: number } | null;
  /** Guardrails that were bad already, and where that was. */
  bad: number;
  readonly badAt: { readonly guardrail: number; readonly generation: number; readonly arm: Arm }[];
}

/** The newest batches are left for the next reading: two inserts at once may become visible in another order than their times. */
export const SETTLE_MS = 500;
/** Shorter than the waiting activity may be silent: it is told that MongoDB hangs, and not that the activity did. */
const ANSWER_MS = 8_000;

/**
 * Merges what all gateways counted for a release; each reading adds what is new. A key counts once a release, where the
 * earliest batch (by the server's clock) has it first, so that cumulative counts never fall.
 */
export class ReleaseReader {
  readonly #query: ReleaseQuery;
  readonly #generations = new Map<number, Generation>();
  readonly #keys = new Map<KeyIdentity, KeyState>();
  #shadow = { compared: 0, agreed: 0, failed: 0, dropped: 0 };
  #level = 0;
  #last = new Date(0);
  #atLast = new Set<string>();

  constructor(query: ReleaseQuery) {
    this.#query = query;
  }

  /** Reads the batches that were inserted since the last time. */
  async advance(db: Db, settleMs: number = SETTLE_MS): Promise<void> {
    const { model, release } = this.#query;
    const settled = { $lt: ['$insertedAt', { $subtract: ['$$NOW', settleMs] }] };
    const found = windowsOf(db)
      .find(
        { model, releases: release, insertedAt: { $gte: this.#last }, $expr: settled },
        { timeoutMS: ANSWER_MS, timeoutMode: 'iteration', projection: WITHOUT_FEATURES },
      )
      .sort({ insertedAt: 1, gateway: 1, boot: 1, sequence: 1 });
    for await (const batch of found) this.#next(batch);
  }

  /** Everything that was inserted before a time, merged into one; only what is newer will be read. */
  startFrom(sums: Pick<WindowBatch, 'tables' | 'cells' | 'level' | 'evidence'>, upTo: Date): void {
    this.add(sums);
    this.#last = upTo;
  }

  #next(batch: WindowDocument): void {
    if (batch.insertedAt.getTime() > this.#last.getTime()) {
      this.#last = batch.insertedAt;
      this.#atLast = new Set();
    }
    // Merged meanwhile, with others that were read as well: a merged document has the time of its last batch.
    if (batch.batches.some((id) => this.#atLast.has(id))) return;
    for (const id of batch.batches) this.#atLast.add(id);
    this.add(batch);
  }

  /** Adds one batch; each once, in the order of their times. */
  add(batch: Pick<WindowBatch, 'tables' | 'cells' | 'level' | 'evidence'>): void {
    const { release } = this.#query;
    const tables = new Map<number, WindowTable>();
    for (const table of batch.tables) {
      if (table.release === release) tables.set(table.generation, table);
    }
    this.#level = Math.max(this.#level, batch.level);
    for (const cell of batch.cells) {
      const table = tables.get(cell.generation);
      if (table === undefined) continue;
      if (cell.role === 'shadow') {
        if (cell.digest === this.#query.candidate) this.#addShadow(cell.shadow);
        continue;
      }
      const generation = this.#generation(table);
      const arm = this.#armOf(cell.digest);
      if (generation === null || arm === null) continue;
      generation.requests[arm] += cell.requests.split;
      generation.bad.forEach((counts, i) => {
        counts[arm] += cell.bad[this.#query.guardrails[i] ?? ''] ?? 0;
      });
    }
    for (const { generation, digest, seen, newBad } of batch.evidence) {
      const table = tables.get(generation);
      const arm = this.#armOf(digest);
      if (table === undefined || arm === null || this.#generation(table) === null) continue;
      const translate = this.#translator(table);
      for (const { identity, mask } of unpackKeys(seen)) {
        const key = this.#key(identity);
        key.seen ??= { generation, arm, mask: translate(mask) };
      }
      for (const { identity, mask } of unpackKeys(newBad))
        this.#newBad(identity, translate(mask), generation, arm);
    }
  }

  get result(): ReleaseCounts {
    const level = this.#level;
    const keys = new Map<number, { keys: Counts; firstBad: Counts[]; newBad: Counts[] }>();
    const zeros = (): Counts[] => this.#query.guardrails.map((): Counts => [0, 0]);
    for (const generation of this.#generations.keys()) {
      keys.set(generation, { keys: [0, 0], firstBad: zeros(), newBad: zeros() });
    }
    let sampled = 0;
    for (const [identity, { seen, badAt }] of this.#keys) {
      if (!isSampled(identity, level)) continue;
      const first = seen === null ? undefined : keys.get(seen.generation);
      if (seen !== null && first !== undefined) {
        sampled += 1;
        first.keys[seen.arm] += 1;
        first.firstBad.forEach((counts, i) => {
          if ((seen.mask & (1 << i)) !== 0) counts[seen.arm] += 1;
        });
      }
      for (const { guardrail, generation, arm } of badAt) {
        const counts = keys.get(generation)?.newBad[guardrail];
        if (counts !== undefined) counts[arm] += 1;
      }
    }
    const generations = [...this.#generations]
      .sort(([a], [b]) => a - b)
      .map(([number, generation]) => {
        const mine = keys.get(number) ?? { keys: [0, 0] as Counts, firstBad: zeros(), newBad: zeros() };
        const arm = (a: Arm): ArmCounts => ({
          requests: generation.requests[a],
          keys: mine.keys[a],
          firstBad: this.#named(mine.firstBad, a, generation.known),
          newBad: this.#named(mine.newBad, a, generation.known),
          bad: this.#named(generation.bad, a, generation.known),
        });
        return { generation: number, candidateShare: generation.share, candidate: arm(0), champion: arm(1) };
      });
    const sampleRate = 2 ** -level;
    return {
      counts: { generations, sampleRate },
      shadow: { ...this.#shadow },
      keysSeen: Math.round(sampled / sampleRate),
    };
  }

  /** A guardrail that a table did not have is left out: that is missing data, not good data. */
  #named(counts: readonly Counts[], arm: Arm, known: readonly boolean[]): Record<string, number> {
    return Object.fromEntries(
      this.#query.guardrails.flatMap((name, i) =>
        known[i] === true ? [[name, counts[i]?.[arm] ?? 0] as const] : [],
      ),
    );
  }

  #armOf(digest: string): Arm | null {
    if (digest === this.#query.candidate) return 0;
    return digest === this.#query.champion ? 1 : null;
  }

  /** Null when the table's requests are not compared. */
  #generation({ generation, candidateShare, guardrails }: WindowTable): Generation | null {
    if (candidateShare === null) return null;
    const found = this.#generations.get(generation);
    if (found !== undefined) return found;
    const wanted = this.#query.guardrails;
    const fresh: Generation = {
      share: candidateShare,
      known: wanted.map((name) => guardrails.some((probe) => probe.name === name)),
      requests: [0, 0],
      bad: wanted.map((): Counts => [0, 0]),
    };
    this.#generations.set(generation, fresh);
    return fresh;
  }

  /** From bits in the table's order to bits in the query's. */
  #translator({ guardrails }: WindowTable): (mask: number) => number {
    const places = this.#query.guardrails.map((name) => guardrails.findIndex((probe) => probe.name === name));
    return (mask) =>
      places.reduce(
        (result, place, i) => (place >= 0 && (mask & (1 << place)) !== 0 ? result | (1 << i) : result),
        0,
      );
  }

  #key(identity: KeyIdentity): KeyState {
    const found = this.#keys.get(identity);
    if (found !== undefined) return found;
    const fresh: KeyState = { seen: null, bad: 0, badAt: [] };
    this.#keys.set(identity, fresh);
    return fresh;
  }

  #newBad(identity: KeyIdentity, mask: number, generation: number, arm: Arm): void {
    const key = this.#key(identity);
    const fresh = mask & ~key.bad;
    key.bad |= mask;
    this.#query.guardrails.forEach((_, guardrail) => {
      if ((fresh & (1 << guardrail)) !== 0) key.badAt.push({ guardrail, generation, arm });
    });
  }

  #addShadow({ compared, agreed, failed, dropped }: ShadowCounts): void {
    const sum = this.#shadow;
    this.#shadow = {
      compared: sum.compared + compared,
      agreed: sum.agreed + agreed,
      failed: sum.failed + failed,
      dropped: sum.dropped + dropped,
    };
  }
}

/** Everything that is stored of a release, read once. */
export async function readCanaryCounts(
  db: Db,
  query: ReleaseQuery,
  settleMs?: number,
): Promise<ReleaseCounts> {
  const reader = new ReleaseReader(query);
  await reader.advance(db, settleMs);
  return reader.result;
}
