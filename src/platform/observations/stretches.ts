import type { VersionRef } from '../../contracts/model.js';
import type { RouteMonitoring } from '../../contracts/routes.js';
import type { Sketch, WindowBatch } from '../../contracts/windows.js';
import { WindowCounter } from '../../statistics/profile/window.js';
import { addValue, emptySketch } from '../../statistics/sketch.js';
import type { StoredProfile } from '../profiles/index.js';
import { FUTURE_MS } from './decide-labels.js';
import { cellOf, windowOf } from './label-window.js';
import {
  type Column,
  type FeatureColumn,
  featureColumns,
  ObservationError,
  type Place,
  type RowPlace,
  type Score,
} from './observed-values.js';

/** Windows are kept for three years. */
const OLDEST_MS = 3 * 365 * 86_400_000;

interface Stretch {
  readonly counter: WindowCounter;
  readonly scores: Sketch;
  rows: number;
  first: number;
  last: number;
}

/** Rows that were checked, column by column. */
export interface CountedRows {
  readonly inputs: readonly Column[];
  readonly scores: ArrayLike<Score>;
  /** As the model has them; null: not known. */
  readonly labels: ArrayLike<string | number | null>;
  /** Epoch milliseconds. */
  readonly at: ArrayLike<number>;
}

/** Counts rows by the stretch of time that they fall into, in the bins of a profile. */
export class Stretches {
  readonly #profile: StoredProfile;
  readonly #settings: Pick<RouteMonitoring, 'windowSeconds' | 'classes'>;
  readonly #now: number;
  readonly #most: number;
  readonly #columns: readonly FeatureColumn[];
  readonly #stretches = new Map<number, Stretch>();
  /** The last one: rows come in the order of their times, mostly. */
  #current: Stretch | null = null;
  #start = Number.NaN;
  labels = 0;

  /** @param most stretches that one batch may fall into */
  constructor(
    profile: StoredProfile,
    settings: Pick<RouteMonitoring, 'windowSeconds' | 'classes'>,
    now: number,
    most: number,
  ) {
    this.#profile = profile;
    this.#settings = settings;
    this.#now = now;
    this.#most = most;
    this.#columns = featureColumns(profile.content);
  }

  /** @throws ObservationError for a time that cannot be, one stretch too many, an input of another width */
  add({ inputs, scores, labels, at }: CountedRows, place: RowPlace): void {
    const features = this.#columns.map((column) => column(inputs, scores, place));
    let from = 0;
    while (from < at.length) {
      const stretch = this.#stretchOf(at[from] as number, () => place(from));
      const start = this.#start;
      let to = from + 1;
      while (to < at.length && this.#startOf(at[to] as number) === start && this.#isTime(at[to] as number))
        to += 1;
      stretch.counter.addColumns(features, scores, from, to);
      stretch.rows += to - from;
      for (let row = from; row < to; row += 1)
        this.#addRow(stretch, scores[row] as Score, labels[row] ?? null, at[row] as number);
      from = to;
    }
  }

  #addRow(stretch: Stretch, score: Score, label: string | number | null, at: number): void {
    if (at < stretch.first) stretch.first = at;
    if (at > stretch.last) stretch.last = at;
    if (typeof score !== 'number') return;
    addValue(stretch.scores, score);
    if (label === null || this.#profile.content.profile.score === null) return;
    stretch.counter.addLabel(score, label === this.#settings.classes[1] ? 1 : 0);
    this.labels += 1;
  }

  /** One window a stretch, in the order of time. */
  windows(model: string, { version, digest }: VersionRef, boot: string): readonly WindowBatch[] {
    return [...this.#stretches]
      .sort(([a], [b]) => a - b)
      .map(([, { counter, scores, rows, first, last }], i) => {
        const cell = cellOf({ version, digest, role: 'champion', generation: 0 }, rows, counter.counts());
        return windowOf({ gateway: 'observed', boot, sequence: i + 1, model, from: first, to: last + 1 }, [
          { ...cell, scores },
        ]);
      });
  }

  #startOf(at: number): number {
    return at - (at % (this.#settings.windowSeconds * 1_000));
  }

  #isTime(at: number): boolean {
    return at <= this.#now + FUTURE_MS && at >= this.#now - OLDEST_MS;
  }

  #stretchOf(at: number, place: Place): Stretch {
    const start = this.#startOf(at);
    if (this.#isTime(at) && start === this.#start && this.#current !== null) return this.#current;
    if (at > this.#now + FUTURE_MS)
      throw new ObservationError(
        `${place()}: time ${new Date(at).toISOString()} is more than five minutes ahead of ${new Date(this.#now).toISOString()}`,
      );
    if (!this.#isTime(at))
      throw new ObservationError(`${place()}: time ${timeText(at)} is more than three years ago`);
    const found = this.#stretches.get(start) ?? this.#open(start, place);
    this.#start = start;
    this.#current = found;
    return found;
  }

  #open(start: number, place: Place): Stretch {
    if (this.#stretches.size >= this.#most)
      throw new ObservationError(
        `${place()}: the rows fall into more than ${this.#most} stretches of ${this.#settings.windowSeconds} s; send fewer at once`,
      );
    const { content, digest } = this.#profile;
    const counter = new WindowCounter(content.profile, digest);
    const fresh: Stretch = {
      counter,
      scores: emptySketch(),
      rows: 0,
      first: Number.POSITIVE_INFINITY,
      last: Number.NEGATIVE_INFINITY,
    };
    this.#stretches.set(start, fresh);
    return fresh;
  }
}

const timeText = (at: number): string => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at));
