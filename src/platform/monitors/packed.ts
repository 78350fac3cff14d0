/**
 * What a model's detectors carry, as it is stored: long lists of numbers as doubles in one piece. As lists of BSON, an element each, they
 * would be most of what a tick costs.
 */
import { Binary } from 'mongodb';
import type { ShareWatch } from '../../statistics/drift/share-watch.js';
import type { DetectorState, FeatureWatch, SlotSum } from '../../statistics/monitor/types.js';

interface PackedWatches {
  readonly names: readonly string[];
  /** One after the other: allowance, then `up`, `down` and `scores`, each after its length. */
  readonly numbers: Binary;
  /** Of the categorical ones; absent: of a time that did not watch them. */
  readonly shares?: readonly PackedShares[];
}

interface PackedShares {
  /** Place of the watch. */
  readonly of: number;
  readonly values: readonly (string | null)[];
  /** Of each value: `sums`, since, windows, hits, rows, then `up` and `down`, which are of one length. */
  readonly numbers: Binary;
}

/** Doubles, little-endian as all machines that this runs on have them. NaN stands for null. */
export interface PackedState extends Omit<
  DetectorState,
  'times' | 'watches' | 'errors' | 'volume' | 'traffic'
> {
  readonly packed: {
    readonly times: Binary;
    readonly drift: PackedWatches;
    readonly prediction: PackedWatches;
    /** Absent: of a time that did not keep them. */
    readonly errors?: { readonly estimated: Binary; readonly measured: Binary };
    readonly history: Binary;
    readonly slots: Binary;
    readonly hours: Binary;
  };
  readonly volume: Omit<DetectorState['volume'], 'history'>;
}

/** Of a slot, an hour, or a window's errors. */
const SUM_LENGTH = 3;
/** Numbers of a share before its detectors'. */
const SHARE_HEAD = 6;

export function packState({ times, watches, errors, volume, traffic, ...state }: DetectorState): PackedState {
  const { history, ...rest } = volume;
  return {
    ...state,
    volume: rest,
    packed: {
      times: doubles(times),
      drift: packWatches(watches.drift),
      prediction: packWatches(watches.prediction),
      ...(errors === undefined
        ? {}
        : {
            errors: {
              estimated: doubles(errors.estimated.flat()),
              measured: doubles(errors.measured.flat()),
            },
          }),
      history: doubles(history),
      slots: doubles(traffic.slots.flat()),
      hours: doubles(traffic.hours.flat()),
    },
  };
}

/** Also of what was stored by lists of numbers. */
export function unpackState(stored: PackedState | DetectorState): DetectorState {
  if (!('packed' in stored)) return stored;
  const { packed, volume, ...state } = stored;
  const { errors } = packed;
  return {
    ...state,
    times: [...numbersOf(packed.times)],
    watches: { drift: unpackWatches(packed.drift), prediction: unpackWatches(packed.prediction) },
    ...(errors === undefined
      ? {}
      : { errors: { estimated: sumsOf(errors.estimated), measured: sumsOf(errors.measured) } }),
    volume: { ...volume, history: [...numbersOf(packed.history)] },
    traffic: { slots: sumsOf(packed.slots), hours: sumsOf(packed.hours) },
  };
}

function packWatches(watches: readonly FeatureWatch[]): PackedWatches {
  const numbers: number[] = [];
  for (const { allowance, state, scores } of watches) {
    numbers.push(allowance);
    for (const list of [state.up, state.down, scores]) {
      numbers.push(list.length);
      for (const value of list) numbers.push(value ?? Number.NaN);
    }
  }
  const shares = watches.flatMap((watch, i) =>
    watch.shares === undefined || watch.shares.length === 0 ? [] : [packShares(i, watch.shares)],
  );
  return {
    names: watches.map(({ name }) => name),
    numbers: doubles(numbers),
    ...(shares.length === 0 ? {} : { shares }),
  };
}

const packShares = (of: number, shares: readonly ShareWatch[]): PackedShares => ({
  of,
  values: shares.map(({ value }) => value),
  numbers: doubles(
    shares.flatMap(({ sums, since, windows, hits, rows, up, down }) => [
      ...sums,
      since,
      windows,
      hits,
      rows,
      ...up,
      ...down,
    ]),
  ),
});

function unpackShares({ values, numbers }: PackedShares): readonly ShareWatch[] {
  const all = numbersOf(numbers);
  const length = all.length / Math.max(1, values.length);
  const shifts = (length - SHARE_HEAD) / 2;
  return values.map((value, i) => {
    const [up = 0, down = 0, since = 0, windows = 0, hits = 0, rows = 0, ...logs] = all.subarray(
      i * length,
      (i + 1) * length,
    );
    const sums = [up, down] as const;
    return { value, up: logs.slice(0, shifts), down: logs.slice(shifts), sums, since, windows, hits, rows };
  });
}

function unpackWatches({ names, numbers, shares = [] }: PackedWatches): readonly FeatureWatch[] {
  const all = numbersOf(numbers);
  let place = 0;
  const take = (): number => {
    place += 1;
    return all[place - 1] ?? Number.NaN;
  };
  const takeList = (): number[] => {
    const list: number[] = [];
    for (let left = take(); left > 0; left -= 1) list.push(take());
    return list;
  };
  return names.map((name, i) => {
    const allowance = take();
    const state = { up: takeList(), down: takeList() };
    const scores = takeList().map((score) => (Number.isNaN(score) ? null : score));
    const own = shares.find((one) => one.of === i);
    return { name, state, scores, allowance, ...(own === undefined ? {} : { shares: unpackShares(own) }) };
  });
}

function sumsOf(packed: Binary): readonly SlotSum[] {
  const all = numbersOf(packed);
  const sums: SlotSum[] = [];
  for (let i = 0; i + SUM_LENGTH <= all.length; i += SUM_LENGTH)
    sums.push([all[i] ?? 0, all[i + 1] ?? 0, all[i + 2] ?? 0]);
  return sums;
}

const doubles = (values: readonly number[]): Binary =>
  new Binary(new Uint8Array(Float64Array.from(values).buffer));

/** Copied: what the driver gives need not begin where a double may. */
function numbersOf({ buffer, position }: Binary): Float64Array {
  return new Float64Array(Uint8Array.from(buffer.subarray(0, position)).buffer);
}
