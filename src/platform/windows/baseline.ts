import { isDeepStrictEqual } from 'node:util';
import type { Db } from 'mongodb';
import type { Baseline } from '../../contracts/activities.js';
import type { GuardrailProbe } from '../../contracts/routes.js';
import type { WindowBatch, WindowCell, WindowTable } from '../../contracts/windows.js';
import { countAbove, emptySketch, mergeSketch, quantileOf } from '../../statistics/sketch.js';
import { windowsOf, WITHOUT_FEATURES } from './collections.js';

export interface BaselineQuery {
  readonly model: string;
  /** Digest of the champion. */
  readonly champion: string;
  readonly probes: readonly GuardrailProbe[];
  /** 0..1 */
  readonly quantiles: readonly number[];
  /** Epoch milliseconds; windows that overlap this stretch count. */
  readonly from: number;
  readonly to: number;
}

/** What the champion did as champion in a stretch of time, over all generations and releases. */
export async function readBaseline(db: Db, query: BaselineQuery): Promise<Baseline> {
  const sum = new BaselineSum(query);
  const found = windowsOf(db)
    .find({ model: query.model, to: { $gt: query.from }, from: { $lt: query.to } })
    .project<Pick<WindowBatch, 'tables' | 'cells'>>({ evidence: 0, ...WITHOUT_FEATURES });
  for await (const { tables, cells } of found) {
    for (const cell of cells) {
      const table = tables.find(({ generation }) => generation === cell.generation);
      if (cell.role === 'champion' && cell.digest === query.champion && table !== undefined)
        sum.add(cell, table);
    }
  }
  return sum.result;
}

class BaselineSum {
  readonly #query: BaselineQuery;
  readonly #bad: number[];
  readonly #latency = emptySketch();
  #requests = 0;

  constructor(query: BaselineQuery) {
    this.#query = query;
    this.#bad = query.probes.map(() => 0);
  }

  add(cell: WindowCell, table: WindowTable): void {
    mergeSketch(this.#latency, cell.latency);
    const counts = this.#query.probes.map((probe) => badOf(probe, cell, table));
    // Counted under other definitions: its requests cannot stand for these guardrails.
    if (counts.includes(null)) return;
    this.#requests += cell.requests.split;
    counts.forEach((count, i) => {
      this.#bad[i] = (this.#bad[i] ?? 0) + Math.min(count ?? 0, cell.requests.split);
    });
  }

  get result(): Baseline {
    const { probes, quantiles } = this.#query;
    return {
      requests: this.#requests,
      bad: Object.fromEntries(probes.map(({ name }, i) => [name, this.#bad[i] ?? 0])),
      latencyMs: Object.fromEntries(quantiles.map((q) => [String(q), quantileOf(this.#latency, q)])),
    };
  }
}

/** Bad split requests by a probe's definition; null when the cell was counted by another one. */
function badOf(probe: GuardrailProbe, cell: WindowCell, { guardrails }: WindowTable): number | null {
  if (probe.kind === 'slow') {
    // Thresholds change from release to release; the sketch answers for any. A request without answer was slow.
    const unanswered = cell.requests.split + cell.requests.unsplit - cell.latency.count;
    return countAbove(cell.latency, probe.thresholdMs) + Math.max(0, unanswered);
  }
  const counted = guardrails.find((known) => isDeepStrictEqual(known, probe));
  return counted === undefined ? null : (cell.bad[counted.name] ?? null);
}
