/**
 * Rows that were stored long after their time: from elsewhere in a file of the day before, or from a gateway's spool. Each row is judged
 * once, so one piece of evidence makes one finding at most, and no window has more tests than the budget counts.
 */
import type { ScoreCounts, WindowCounts } from '../profile/types.js';
import type { CarriedLabels, CarriedRows, DetectorState, Unjudged } from './types.js';

const HOUR = 3_600_000;
/** Rows are looked at when they are stored so long after their time at most; as long as windows are kept by the minute. */
export const LOOK_BACK_MS = 48 * HOUR;
/** Stretches without a judgement that are remembered. */
const UNJUDGED_MOST = 100;

/** A monitor that begins has judged nothing yet. @param from where its windows begin, epoch milliseconds */
export const unjudgedBefore = (from: number): Unjudged => [[from - LOOK_BACK_MS, from]];

/** @param to later than all that is there */
export function addUnjudged(before: Unjudged, from: number, to: number): Unjudged {
  const kept = before.filter(([, end]) => end > to - 2 * LOOK_BACK_MS);
  const last = kept.at(-1);
  const isNext = last !== undefined && last[1] === from;
  return [...(isNext ? kept.slice(0, -1) : kept), [isNext ? last[0] : from, to] as const].slice(
    -UNJUDGED_MOST,
  );
}

export const isUnjudged = (unjudged: Unjudged, from: number, to: number): boolean =>
  unjudged.some(([least, most]) => least <= from && to <= most);

/** @param from of one that is unjudged */
export const withoutUnjudged = (unjudged: Unjudged, from: number, to: number): Unjudged =>
  unjudged.flatMap(([least, most]) =>
    least <= from && to <= most
      ? (
          [
            [least, from],
            [to, most],
          ] as const
        ).filter(([begin, end]) => end > begin)
      : [[least, most] as const],
  );

export function addLabels(
  before: CarriedLabels | null,
  score: ScoreCounts | null,
  from: number,
): CarriedLabels | null {
  const fresh = score === null ? [] : [...score.positives, ...score.negatives];
  if (score === null || fresh.every((count) => count === 0)) return before;
  return {
    from: Math.min(before?.from ?? from, from),
    positives: added(before?.positives, score.positives),
    negatives: added(before?.negatives, score.negatives),
  };
}

export function added(a: readonly number[] | undefined, b: readonly number[] | undefined): readonly number[] {
  return (a ?? b ?? []).map((count, i) => (a === undefined ? count : count + (b?.[i] ?? 0)));
}

/** Adds late rows to what is carried into the next window. @param counts both together */
export const carryLate = (
  carried: CarriedRows | null,
  { from, rows }: { readonly from: number; readonly rows: number },
  counts: WindowCounts,
): CarriedRows => ({
  from: Math.min(carried?.from ?? from, from),
  counts,
  late: (carried?.late ?? 0) + rows,
});

/** Windows were scored as their rows came; the onset is asked in the order of time. */
export function inTime(
  times: readonly number[],
  watches: DetectorState['watches'],
): Pick<DetectorState, 'times' | 'watches'> {
  if (times.every((at, i) => i === 0 || (times[i - 1] ?? at) <= at)) return { times, watches };
  const order = times.map((_, i) => i).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
  const ordered = <T>(values: readonly T[], otherwise: T): T[] => order.map((i) => values[i] ?? otherwise);
  const all = (group: DetectorState['watches']['drift']) =>
    group.map((watch) => ({ ...watch, scores: ordered(watch.scores, null) }));
  return {
    times: ordered(times, 0),
    watches: { drift: all(watches.drift), prediction: all(watches.prediction) },
  };
}

/** What a finding says of rows that came late. */
export const saidLate = (summary: string, rows: number): string =>
  rows === 0 ? summary : `${summary}; with ${rows} rows that came late`;
