/**
 * What a model's detectors carry, as it is stored: long lists of numbers as doubles in one piece. As lists of BSON, an element each, they
 * would be most of what a tick costs.
 */
import { Binary } from 'mongodb';
import type { DetectorState, FeatureWatch, SlotSum } from '../../statistics/monitor/types.js';

interface PackedWatches {
  readonly names: readonly string[];
  /** One after the other: allowance, then `up`, `down` and `scores`, each after its length. */
  readonly numbers: Binary;
}

/** Doubles, little-endian as all machines that this runs on have them. NaN stands for null. */
export interface PackedState extends Omit<DetectorState, 'times' | 'watches' | 'volume' | 'traffic'> {
  readonly packed: {
    readonly times: Binary;
    readonly drift: PackedWatches;
    readonly prediction: PackedWatches;
    readonly history: Binary;
    readonly slots: Binary;
    readonly hours: Binary;
  };
  readonly volume: Omit<DetectorState['volume'], 'history'>;
}

/** Of a slot or an hour. */
const SUM_LENGTH = 3;

export function packState({ times, watches, volume, traffic, ...state }: DetectorState): PackedState {
  const { history, ...rest } = volume;
  return {
    ...state,
    volume: rest,
    packed: {
      times: doubles(times),
      drift: packWatches(watches.drift),
      prediction: packWatches(watches.prediction),
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
  return {
    ...state,
    times: [...numbersOf(packed.times)],
    watches: { drift: unpackWatches(packed.drift), prediction: unpackWatches(packed.prediction) },
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
  return { names: watches.map(({ name }) => name), numbers: doubles(numbers) };
}

function unpackWatches({ names, numbers }: PackedWatches): readonly FeatureWatch[] {
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
  return names.map((name) => {
    const allowance = take();
    const state = { up: takeList(), down: takeList() };
    const scores = takeList().map((score) => (Number.isNaN(score) ? null : score));
    return { name, state, scores, allowance };
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
