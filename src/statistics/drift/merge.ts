/** Shards of one window's counts, added. Whole numbers add up to the same in any order, so a verdict does not know who counted. */
import { categoryProblems, countProblems, refuse } from './checks.js';
import type { CategoryCounts } from './chi-square.js';

/** @throws RangeError when a shard's counts are impossible, or shards have different numbers of bins */
export function addBins(shards: readonly (readonly number[])[]): readonly number[] {
  refuse(
    'Shards',
    shards.flatMap((shard, i) => {
      const problems = countProblems(`shards[${i}]`, shard);
      if (problems.length > 0 || shard.length === shards[0]?.length) return problems;
      return [
        `shards[${i}] has ${shard.length} bins and shards[0] ${shards[0]?.length}: the same bins are needed`,
      ];
    }),
  );
  return (shards[0] ?? []).map((_, bin) => shards.reduce((sum, shard) => sum + (shard[bin] ?? 0), 0));
}

/** @throws RangeError when a shard's counts are impossible */
export function addCategories(shards: readonly CategoryCounts[]): CategoryCounts {
  refuse(
    'Shards',
    shards.flatMap((shard, i) => categoryProblems(`shards[${i}]`, shard)),
  );
  const sums = new Map<string, number>();
  for (const shard of shards) {
    for (const [name, count] of Object.entries(shard)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}
