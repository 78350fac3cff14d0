import { bounded, RunningMean, type StreamDetector, type StreamSignal } from './detector.js';

export interface DdmSettings {
  /** Values before the first check. */
  readonly warmStart: number;
  /** Standard deviations above the best level so far. */
  readonly warning: number;
  readonly change: number;
}

const DDM_DEFAULTS: DdmSettings = { warmStart: 30, warning: 2, change: 3 };

/** Any level is as good. */
const NOTHING_YET = { share: Infinity, deviation: 0 };

/**
 * Drift detection method: the share of errors against the lowest that it has been (Gama et al., SBIA 2004). Notices rises only.
 * Agrees with river 0.23.0.
 */
export class Ddm implements StreamDetector {
  readonly #settings: DdmSettings;
  #share = new RunningMean();
  #best = NOTHING_YET;
  #changed = false;
  #warnedAt: number | null = null;
  #since = 0;

  constructor(settings: Partial<DdmSettings> = {}) {
    this.#settings = { ...DDM_DEFAULTS, ...settings };
  }

  get since(): number {
    return this.#since;
  }

  update(value: number): StreamSignal {
    bounded(value);
    if (this.#changed) this.#reset();
    this.#share.add(value);
    const { count, mean: share } = this.#share;
    const { warmStart, warning, change } = this.#settings;
    if (count <= warmStart) return 'none';
    // Rounding may take a share of 1 a hair beyond it.
    const deviation = Math.sqrt(Math.max(0, share * (1 - share)) / count);
    const level = share + deviation;
    if (level <= this.#best.share + this.#best.deviation) this.#best = { share, deviation };
    const { share: low, deviation: spread } = this.#best;
    if (level > low + change * spread) {
      this.#changed = true;
      this.#since = count - (this.#warnedAt ?? count) + 1;
      return 'change';
    }
    if (level > low + warning * spread) {
      this.#warnedAt ??= count;
      return 'warning';
    }
    this.#warnedAt = null;
    return 'none';
  }

  #reset(): void {
    this.#share = new RunningMean();
    this.#best = NOTHING_YET;
    this.#changed = false;
    this.#warnedAt = null;
  }
}
