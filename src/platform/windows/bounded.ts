/** Counts of features in a document that the database takes, whatever was merged into it. */
import { BSON } from 'mongodb';
import type { WindowCell } from '../../contracts/windows.js';
import type { WindowCounts } from '../../contracts/window-counts.js';
import { mergeWindows } from '../../statistics/profile/merge.js';

/** A document holds 16 MB, and there is more in it than cells. */
const MOST_BYTES = 10 * 1024 * 1024;

/**
 * The same cells, or if they are too large: counts of all generations in the cell of the first one, then without the names of values
 * that the profile does not list, then without features.
 */
export function boundedCells(cells: readonly WindowCell[], mostBytes = MOST_BYTES): readonly WindowCell[] {
  const fits = (given: readonly WindowCell[]): boolean =>
    BSON.calculateObjectSize({ cells: given }) <= mostBytes;
  if (fits(cells)) return cells;
  const folded = foldGenerations(cells);
  if (fits(folded)) return folded;
  const unnamed = folded.map((cell) =>
    withFeatures(cell, cell.features ? unnamedCounts(cell.features) : null),
  );
  return fits(unnamed) ? unnamed : unnamed.map((cell) => withFeatures(cell, null));
}

function foldGenerations(cells: readonly WindowCell[]): readonly WindowCell[] {
  const sums = new Map<string, WindowCounts>();
  const idOf = ({ digest, role }: WindowCell, { profile }: WindowCounts): string =>
    `${digest}/${role}/${profile}`;
  for (const cell of cells) {
    if (!cell.features) continue;
    const id = idOf(cell, cell.features);
    const known = sums.get(id);
    sums.set(id, known === undefined ? cell.features : mergeWindows(known, cell.features));
  }
  return cells.map((cell) => {
    if (!cell.features) return cell;
    const id = idOf(cell, cell.features);
    const sum = sums.get(id) ?? null;
    sums.delete(id);
    return withFeatures(cell, sum);
  });
}

function unnamedCounts(counts: WindowCounts): WindowCounts {
  const features = counts.features.map((feature) => {
    if (feature.kind === 'numeric') return feature;
    const { names, rest } = feature.unlisted;
    return { ...feature, unlisted: { names: [], rest: names.reduce((sum, [, rows]) => sum + rows, rest) } };
  });
  return { ...counts, features };
}

function withFeatures(cell: WindowCell, features: WindowCounts | null): WindowCell {
  const { features: before, ...rest } = cell;
  if (features !== null) return { ...rest, features };
  return before === undefined ? cell : rest;
}
