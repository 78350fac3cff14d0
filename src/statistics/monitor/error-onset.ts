/**
 * Since when a model errs more: stream detectors over the errors of its windows. They are asked when a finding stands already, and say
 * since when; what they see raises none.
 */
import type { Finding } from '../../contracts/monitoring.js';
import { Adwin } from '../streams/adwin.js';
import { Ddm } from '../streams/ddm.js';
import type { StreamDetector } from '../streams/detector.js';
import { HddmA } from '../streams/hddm.js';
import { PageHinkley } from '../streams/page-hinkley.js';
import type { ErrorWindow, PerformanceErrors } from './types.js';
import { timeOf } from './words.js';

/** Windows that are kept, as of the scores of drift. */
const WINDOWS_MOST = 48;
/** Values that a detector is given: 48 windows of 500 rows. Of more rows each value stands for several. */
const VALUES_MOST = 24_000;
/** Chance with which luck alone takes Page-Hinkley's sum from its least to its threshold. */
const FALSE_RISE = 0.001;

export const NO_ERRORS: PerformanceErrors = { estimated: [], measured: [] };

/** In the order of time, also where what is older comes later. */
export const addErrors = (before: readonly ErrorWindow[], own: ErrorWindow): readonly ErrorWindow[] =>
  [...before, own].sort((a, b) => a[0] - b[0]).slice(-WINDOWS_MOST);

/** What the others say is evidence: ADWIN and DDM put a change several windows too early (docs/monitoring-statistics.md). */
const PLACED_BY: readonly string[] = ['Page-Hinkley', 'HDDM_A'];

/**
 * The begin of the window where Page-Hinkley sees the errors rise, else where HDDM_A does; the finding's own where neither does. It may
 * lie anywhere from the earliest that a detector says.
 * @param before windows that were judged before
 * @param own the finding's; `to` is its end
 * @param usual share of errors in the reference
 */
export function errorOnset(
  before: readonly ErrorWindow[],
  own: ErrorWindow,
  to: number,
  usual: number,
): Pick<Finding, 'onset' | 'detectors'> {
  // Of rows that came late there may be later windows.
  const windows = [...before.filter(([from]) => from <= own[0]), own];
  const begin = (i: number): string => timeOf(windows[i]?.[0] ?? to);
  const seen = risesSeen(windows, own, usual);
  const last = windows.length - 1;
  const index = seen.find(({ name }) => PLACED_BY.includes(name))?.index ?? last;
  const onset = {
    estimate: begin(index),
    from: begin(Math.min(index, ...seen.map((one) => one.index))),
    to: begin(index + 1),
  };
  if (seen.length === 0) return { onset };
  return { onset, detectors: seen.map((one) => ({ name: one.name, since: begin(one.index) })) };
}

interface Rise {
  readonly name: string;
  /** Of the window that it begins with. */
  readonly index: number;
}

/** By all detectors that see one; those that place it best come first. */
function risesSeen(
  windows: readonly ErrorWindow[],
  [, errors, rows]: ErrorWindow,
  usual: number,
): readonly Rise[] {
  const share = errors / rows;
  const rise = share - usual;
  // Ranks got worse and not the errors: they cannot tell since when.
  if (windows.length < 2 || !(rise > 0)) return [];
  const { values, begins } = valuesOf(windows);
  const middle = usual + rise / 2;
  const detectors: Readonly<Record<string, StreamDetector>> = {
    // Half of the rise is let pass, so that the sum falls before the change and climbs after it: as a random walk with that drift it
    // climbs so far by luck with the chance exp(-rise threshold / variance).
    'Page-Hinkley': new PageHinkley({
      delta: rise / 2,
      threshold: (Math.log(1 / FALSE_RISE) * middle * (1 - middle)) / rise,
      alpha: 1,
    }),
    HDDM_A: new HddmA({ twoSided: true }),
    // Looks once a window: sooner there are too few of the new values for it to let go of all old ones.
    ADWIN: new Adwin({ clock: Math.ceil(values.length / windows.length) }),
    DDM: new Ddm(),
  };
  return Object.entries(detectors).flatMap(([name, detector]) => {
    const begin = lastRise(detector, values);
    return begin === null ? [] : [{ name, index: nearest(begins, begin) }];
  });
}

/** Place of the first value after the last change that was seen; null where there was none, or the level fell with it. */
function lastRise(detector: StreamDetector, values: Uint8Array): number | null {
  let level = 0;
  let last: number | null = null;
  for (const [at, value] of values.entries()) {
    if (detector.update(value) !== 'change') continue;
    const begin = at - detector.since + 1;
    const isRise = mean(values.subarray(begin, at + 1)) > mean(values.subarray(level, begin));
    last = isRise ? begin : null;
    level = begin;
  }
  return last;
}

/** Rows one after another, 1 for an error. In which order a window's rows came is not known: its errors are spread evenly over them. */
function valuesOf(windows: readonly ErrorWindow[]): {
  readonly values: Uint8Array;
  readonly begins: readonly number[];
} {
  const all = windows.reduce((sum, [, , rows]) => sum + rows, 0);
  const begins: number[] = [];
  const values: number[] = [];
  for (const [, errors, rows] of windows) {
    begins.push(values.length);
    const count = Math.max(1, Math.round(rows * Math.min(1, VALUES_MOST / all)));
    const among = (first: number): number => Math.floor((first * errors) / rows);
    for (let i = 0; i < count; i += 1) values.push(among(i + 1) - among(i));
  }
  return { values: Uint8Array.from(values), begins };
}

/** Rows of a window have no order, so a change begins with one. */
const nearest = (begins: readonly number[], place: number): number =>
  begins.reduce(
    (best, begin, i) => (Math.abs(begin - place) < Math.abs((begins[best] ?? 0) - place) ? i : best),
    0,
  );

const mean = (values: Uint8Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
