import { finite, RunningMean, type StreamDetector, type StreamSignal } from './detector.js';

export interface PageHinkleySettings {
  /** Values before the first check. */
  readonly minValues: number;
  /** Deviation from the mean that is let pass, in the stream's unit. */
  readonly delta: number;
  /** How far a sum may go from its extreme. */
  readonly threshold: number;
  /** What is left of a sum from value to value. */
  readonly alpha: number;
}

const PAGE_HINKLEY_DEFAULTS: PageHinkleySettings = {
  minValues: 30,
  delta: 0.005,
  threshold: 50,
  alpha: 0.9999,
};

/**
 * Page-Hinkley: cumulative deviations from the running mean, on both sides, against their extreme (Page, Biometrika 41, 1954).
 * Agrees with river 0.23.0.
 */
export class PageHinkley implements StreamDetector {
  readonly #settings: PageHinkleySettings;
  #mean = new RunningMean();
  #up = { sum: 0, least: Infinity, at: 0 };
  #down = { sum: 0, most: -1, at: 0 };
  #changed = false;
  #since = 0;

  constructor(settings: Partial<PageHinkleySettings> = {}) {
    this.#settings = { ...PAGE_HINKLEY_DEFAULTS, ...settings };
  }

  get since(): number {
    return this.#since;
  }

  update(value: number): StreamSignal {
    finite(value);
    if (this.#changed) this.#reset();
    const { minValues, delta, threshold, alpha } = this.#settings;
    this.#mean.add(value);
    const { count, mean } = this.#mean;
    const up = this.#up;
    const down = this.#down;
    up.sum = alpha * up.sum + (value - mean) - delta;
    down.sum = alpha * down.sum + (value - mean) + delta;
    if (up.sum < up.least) Object.assign(up, { least: up.sum, at: count });
    if (down.sum > down.most) Object.assign(down, { most: down.sum, at: count });
    if (count < minValues) return 'none';
    const rose = up.sum - up.least > threshold;
    if (!rose && !(down.most - down.sum > threshold)) return 'none';
    this.#changed = true;
    this.#since = count - (rose ? up.at : down.at);
    return 'change';
  }

  #reset(): void {
    this.#mean = new RunningMean();
    this.#up = { sum: 0, least: Infinity, at: 0 };
    this.#down = { sum: 0, most: -1, at: 0 };
    this.#changed = false;
  }
}
