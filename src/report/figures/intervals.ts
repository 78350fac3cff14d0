import type { Interval } from '../facts/types.js';

/** The parts of these intervals that lie within others, which do not overlap each other. */
export const within = (intervals: readonly Interval[], bounds: readonly Interval[]): readonly Interval[] =>
  intervals.flatMap((interval) =>
    bounds.flatMap((bound) => {
      const from = Math.max(interval.from, bound.from);
      const to = Math.min(interval.to, bound.to);
      return from < to ? [{ from, to }] : [];
    }),
  );

/** Length of the union: where intervals overlap, time counts once. */
export function unionLength(intervals: readonly Interval[]): number {
  let length = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of intervals.toSorted((a, b) => a.from - b.from)) {
    length += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return length;
}
