import type { AssignmentKind, WindowBatch, WindowCell, WindowTable } from '../../contracts/windows.js';
import { ASSIGNMENT_KINDS } from '../../contracts/windows.js';
import { emptySketch, mergeSketch } from '../../statistics/sketch.js';

/** Cells of several windows added up by version, role, generation and release; the same in any order, sums up to rounding. */
export function mergeCells(cells: readonly WindowCell[]): readonly WindowCell[] {
  const merged = new Map<string, WindowCell>();
  for (const cell of cells) {
    const id = [cell.digest, cell.role, cell.generation, cell.release].join('/');
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
