import type {
  AssignmentKind,
  KeyEvidence,
  WindowBatch,
  WindowCell,
  WindowTable,
} from '../../contracts/windows.js';
import { ASSIGNMENT_KINDS } from '../../contracts/windows.js';
import { mergeWindows } from '../../statistics/profile/merge.js';
import { emptySketch, mergeSketch } from '../../statistics/sketch.js';
import { type KeyIdentity, type KeyMark, packKeys, unpackKeys } from './keys.js';

/** Cells of several windows added up by version, role, generation, release and profile; the same in any order, sums up to rounding. */
export function mergeCells(cells: readonly WindowCell[]): readonly WindowCell[] {
  const merged = new Map<string, WindowCell>();
  for (const cell of cells) {
    const { digest, role, generation, release, features } = cell;
    const id = [digest, role, generation, release, features?.profile ?? ''].join('/');
    const known = merged.get(id);
    merged.set(id, known === undefined ? cell : addCells(known, cell));
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell);
}

function addCells(a: WindowCell, b: WindowCell): WindowCell {
  const latency = emptySketch();
  const scores = emptySketch();
  for (const cell of [a, b]) {
    mergeSketch(latency, cell.latency);
    mergeSketch(scores, cell.scores);
  }
  return {
    ...a,
    requests: Object.fromEntries(
      ASSIGNMENT_KINDS.map((kind) => [kind, a.requests[kind] + b.requests[kind]]),
    ) as Record<AssignmentKind, number>,
    errors: addNamed(a.errors, b.errors),
    latency,
    scores,
    slow: a.slow + b.slow,
    bad: addNamed(a.bad, b.bad),
    shadow: {
      compared: a.shadow.compared + b.shadow.compared,
      agreed: a.shadow.agreed + b.shadow.agreed,
      failed: a.shadow.failed + b.shadow.failed,
      dropped: a.shadow.dropped + b.shadow.dropped,
    },
    ...(a.features && b.features ? { features: mergeWindows(a.features, b.features) } : {}),
  };
}

function addNamed(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

/** One generation is one table, so that any of them will do. */
export function mergeTables(batches: readonly Pick<WindowBatch, 'tables'>[]): readonly WindowTable[] {
  const tables = new Map(
    batches.flatMap(({ tables }) => tables.map((table) => [table.generation, table] as const)),
  );
  return [...tables.values()].sort((a, b) => a.generation - b.generation);
}

interface OpenEvidence {
  readonly generation: number;
  readonly digest: string;
  readonly seen: KeyMark[];
  readonly newBad: KeyMark[];
}

/** What is known of the keys of one release. Bits of masks mean what the release's list of names says, whatever table they came from. */
interface Scope {
  readonly seen: Set<KeyIdentity>;
  readonly bad: Map<KeyIdentity, number>;
  readonly names: string[];
}

/**
 * Key evidence of several batches, in the order of their times: who reads it afterwards finds what they would have found in
 * the batches one after the other.
 * @param level the largest level of the batches
 */
export function mergeEvidence(
  batches: readonly Pick<WindowBatch, 'tables' | 'evidence'>[],
  level: number,
): readonly KeyEvidence[] {
  const merged = new Map<string, OpenEvidence>();
  const scopes = new Map<string, Scope>();
  for (const { tables, evidence } of batches) {
    for (const { generation, digest, seen, newBad } of evidence) {
      const table = tables.find((one) => one.generation === generation);
      const scope = scopeOf(scopes, table?.release ?? null);
      const places = (table?.guardrails ?? []).map(({ name }) => placeOf(scope, name));
      const id = `${generation}/${digest}`;
      const open = merged.get(id) ?? { generation, digest, seen: [], newBad: [] };
      merged.set(id, open);
      for (const mark of unpackKeys(seen)) {
        if (!scope.seen.has(mark.identity)) open.seen.push(mark);
        scope.seen.add(mark.identity);
      }
      for (const { identity, mask } of unpackKeys(newBad)) {
        const known = scope.bad.get(identity) ?? 0;
        const isNew = (place: number, bit: number): boolean =>
          (mask & (1 << bit)) !== 0 && (known & (1 << place)) === 0;
        const fresh = places.reduce((sum, place, bit) => (isNew(place, bit) ? sum | (1 << bit) : sum), 0);
        if (fresh !== 0) open.newBad.push({ identity, mask: fresh });
        scope.bad.set(
          identity,
          places.reduce((sum, place, bit) => ((mask & (1 << bit)) === 0 ? sum : sum | (1 << place)), known),
        );
      }
    }
  }
  return [...merged.values()].map(({ generation, digest, seen, newBad }) => ({
    generation,
    digest,
    seen: packKeys(seen, level),
    newBad: packKeys(newBad, level),
  }));
}

function scopeOf(scopes: Map<string, Scope>, release: number | null): Scope {
  const id = String(release);
  const known = scopes.get(id);
  if (known !== undefined) return known;
  const fresh: Scope = { seen: new Set(), bad: new Map(), names: [] };
  scopes.set(id, fresh);
  return fresh;
}

/** The place of a guardrail in the release's list. */
function placeOf({ names }: Scope, name: string): number {
  const found = names.indexOf(name);
  return found >= 0 ? found : names.push(name) - 1;
}
