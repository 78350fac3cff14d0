/**
 * Watching the shares of categories without end: the detector of run-length.ts, with exact e-values of counts. A category has no order
 * that a rank could be of, so each of the most frequent ones is watched by itself, up and down, and the detectors are averaged.
 */
import { budgetProblems } from './corrections.js';
import {
  categoryProblems,
  numberProblems,
  refuse,
  shareProblems,
  SIDES,
  total,
  type Pair,
} from './checks.js';
import type { CategoryCounts } from './chi-square.js';
import { log1pExp, logMean } from './run-length.js';
import { normalQuantile } from '../metrics/distributions.js';

/** Plain JSON. `up` and `down` are ln(1 + M) for each shift. */
export interface ShareWatch {
  /** Null: all that are not watched by themselves. */
  readonly value: string | null;
  readonly up: readonly number[];
  readonly down: readonly number[];
  /** Sums of the middle shift's gains, up and down, that never fall below 0: where both are 0, nothing speaks for a change. */
  readonly sums: readonly [up: number, down: number];
  /** Since they were: begin of the first window (epoch milliseconds), windows, rows of the value, and all. */
  readonly since: number;
  readonly windows: number;
  readonly hits: number;
  readonly rows: number;
}

export interface ShareRule {
  /** Windows until a false alarm, on average at least. */
  readonly windowsBetweenFalseFindings: number;
  /** Share of all references whose luck is not allowed for. */
  readonly alpha: number;
  /** Begin of the window, epoch milliseconds. */
  readonly from: number;
}

export interface ShareAlarm {
  readonly value: string | null;
  readonly direction: 'up' | 'down';
  readonly since: number;
  readonly windows: number;
  /** Change of the share since then, with the sd of both samples. */
  readonly change: number;
  readonly sd: number;
  readonly before: number;
  readonly now: number;
}

export interface ShareLook {
  readonly state: readonly ShareWatch[];
  readonly lnE: number;
  readonly alarm: ShareAlarm | null;
}

/** Values with a detector of their own; all others have one together. */
const WATCHED_MOST = 5;
/** Shifts, in sd of a window's share, that the detectors are best at. */
const SHIFTS = [0.5, 1, 2] as const;
const NOTHING = SHIFTS.map(() => 0);
const MIDDLE = 1;

/**
 * Takes the next window. For each value the chance of its count under a larger share, over that under the largest share that the
 * reference may have, has a mean of at most 1 while the true share is no larger; downwards likewise. So the mean of all detectors
 * passes the wanted run length no sooner on average, whatever the number of rows, and however rare a value is.
 * @param before of the window before; of other values it is begun anew
 * @throws RangeError when counts or the rule do not hold together
 */
export function watchShares(
  before: readonly ShareWatch[],
  rule: ShareRule,
  counts: Pair<CategoryCounts>,
): ShareLook {
  refuse('Watch of shares', [
    ...SIDES.flatMap((side) => categoryProblems(side, counts[side])),
    ...budgetProblems(rule.windowsBetweenFalseFindings),
    ...shareProblems('alpha', rule.alpha),
    ...numberProblems('from', rule.from),
  ]);
  const values = watchedValues(counts.reference);
  const isSame = values.length === before.length && values.every((value, i) => before[i]?.value === value);
  const reach = -normalQuantile(rule.alpha / (2 * values.length));
  const all = values.map((value, i) =>
    advance((isSame ? before[i] : undefined) ?? resting(value, rule.from), rule.from, reach, counts, values),
  );
  const components = all.flatMap(({ up, down }) => [...up, ...down]);
  const lnE = logMean(components);
  if (lnE < Math.log(rule.windowsBetweenFalseFindings)) {
    const state = all.map(({ watch, up, down }) => ({
      ...watch,
      up: up.map(log1pExp),
      down: down.map(log1pExp),
    }));
    return { state, lnE, alarm: null };
  }
  const first = all.reduce((a, b) => (Math.max(...b.up, ...b.down) > Math.max(...a.up, ...a.down) ? b : a));
  const { value, since, windows, hits, rows } = first.watch;
  const now = hits / rows;
  return {
    state: [],
    lnE,
    alarm: {
      value,
      direction: Math.max(...first.up) >= Math.max(...first.down) ? 'up' : 'down',
      since,
      windows,
      change: now - first.share,
      sd: Math.sqrt((now * (1 - now)) / rows + (first.share * (1 - first.share)) / first.reference),
      before: first.share,
      now,
    },
  };
}

/** Whether a share is away from the reference's, beyond the reference's luck, by more than so many sd since the detector last was at rest. */
export function isShareAway(
  state: readonly ShareWatch[],
  { alpha }: Pick<ShareRule, 'alpha'>,
  counts: Pair<CategoryCounts>,
  sd: number,
): boolean {
  const n = total(Object.values(counts.reference));
  const values = state.map(({ value }) => value);
  const reach = -normalQuantile(alpha / (2 * Math.max(1, values.length)));
  return state.some(({ value, hits, rows }) => {
    if (rows === 0) return false;
    const [least, most] = mayBe(hitsOf(counts.reference, value, values), n, reach);
    const beyond = Math.max(hits / rows - most, least - hits / rows, 0);
    const edge = hits / rows > most ? most : least;
    return beyond > sd * Math.sqrt((edge * (1 - edge)) / rows) && beyond > 0;
  });
}

interface Advanced {
  readonly watch: ShareWatch;
  /** ln M of each shift. */
  readonly up: readonly number[];
  readonly down: readonly number[];
  readonly share: number;
  readonly reference: number;
}

function advance(
  before: ShareWatch,
  from: number,
  reach: number,
  counts: Pair<CategoryCounts>,
  values: readonly (string | null)[],
): Advanced {
  const { value } = before;
  const [n, m] = [total(Object.values(counts.reference)), total(Object.values(counts.window))];
  const [known, hits] = [hitsOf(counts.reference, value, values), hitsOf(counts.window, value, values)];
  const [least, most] = mayBe(known, n, reach);
  const begun = before.sums.every((sum) => sum === 0) ? resting(value, from) : before;
  const sdOf = (share: number): number => Math.sqrt((share * (1 - share)) / m);
  const gains = (share: number, to: (shift: number) => number): number[] =>
    SHIFTS.map((shift) => {
      // A share that cannot be smaller, or larger, is not watched on that side.
      if (!(share > 0 && share < 1)) return Number.NEGATIVE_INFINITY;
      const other = to(shift);
      return hits * Math.log(other / share) + (m - hits) * Math.log((1 - other) / (1 - share));
    });
  const up = gains(most, (shift) => Math.min(most + shift * sdOf(most), (1 + most) / 2));
  const down = gains(least, (shift) => Math.max(least - shift * sdOf(least), least / 2));
  return {
    watch: {
      ...before,
      sums: [
        Math.max(0, before.sums[0] + (up[MIDDLE] ?? 0)),
        Math.max(0, before.sums[1] + (down[MIDDLE] ?? 0)),
      ],
      since: begun.since,
      windows: begun.windows + 1,
      hits: begun.hits + hits,
      rows: begun.rows + m,
    },
    up: up.map((gain, i) => (before.up[i] ?? 0) + gain),
    down: down.map((gain, i) => (before.down[i] ?? 0) + gain),
    share: known / n,
    reference: n,
  };
}

const resting = (value: string | null, since: number): ShareWatch => ({
  value,
  up: NOTHING,
  down: NOTHING,
  sums: [0, 0],
  since,
  windows: 0,
  hits: 0,
  rows: 0,
});

/** The most frequent values of the reference, and null for the others. */
function watchedValues(reference: CategoryCounts): readonly (string | null)[] {
  const sorted = Object.entries(reference).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [...sorted.slice(0, WATCHED_MOST).map(([value]) => value), null];
}

function hitsOf(counts: CategoryCounts, value: string | null, values: readonly (string | null)[]): number {
  if (value !== null) return Object.hasOwn(counts, value) ? (counts[value] ?? 0) : 0;
  return total(Object.entries(counts).map(([name, rows]) => (values.includes(name) ? 0 : rows)));
}

/** What a share may be, of which `hits` of `n` rows were seen: Wilson's score interval, `reach` sd wide on either side. */
function mayBe(hits: number, n: number, reach: number): readonly [least: number, most: number] {
  const z = reach * reach;
  const centre = (hits + z / 2) / (n + z);
  const half = (reach * Math.sqrt((hits * (n - hits)) / n + z / 4)) / (n + z);
  return [hits === 0 ? 0 : Math.max(0, centre - half), hits === n ? 1 : Math.min(1, centre + half)];
}
