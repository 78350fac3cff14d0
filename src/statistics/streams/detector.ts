/** What a stream detector says after a value. `change`: the level of the stream is another than before. */
export type StreamSignal = 'none' | 'warning' | 'change';

/**
 * Watches one stream, value by value, and starts anew with the value after a change. It locates an onset; by itself it raises no
 * alarm (see docs/monitoring-statistics.md).
 */
export interface StreamDetector {
  /** @throws RangeError for a value that is not finite, or outside of what the detector takes */
  update(value: number): StreamSignal;
  /** After a `change`: how many of the newest values, this one included, are taken to come after the onset. */
  readonly since: number;
}

export function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`A stream's value is ${value}: it must be finite`);
  return value;
}

/** Errors and other shares: every value lies from 0 to 1. */
export function bounded(value: number): number {
  if (!(value >= 0 && value <= 1))
    throw new RangeError(`A stream's value is ${value}: it must lie from 0 to 1`);
  return value;
}

/** Mean of a stream, one value after another. */
export class RunningMean {
  count = 0;
  mean = 0;

  add(value: number): void {
    this.count += 1;
    this.mean += (value - this.mean) / this.count;
  }

  copy(): RunningMean {
    const same = new RunningMean();
    same.count = this.count;
    same.mean = this.mean;
    return same;
  }
}
