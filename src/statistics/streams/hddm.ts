import { bounded, RunningMean, type StreamDetector, type StreamSignal } from './detector.js';

export interface HddmSettings {
  /** Chance of a false change, of a false warning. */
  readonly change: number;
  readonly warning: number;
  /** Notice falls too. */
  readonly twoSided: boolean;
}

const HDDM_DEFAULTS: HddmSettings = { change: 0.001, warning: 0.005, twoSided: false };

/** `by` answers at a chance of a false word; falls can only add to what rises have said. */
function signal(
  { change, warning, twoSided }: HddmSettings,
  by: (falls: boolean, chance: number) => boolean,
) {
  const said = (falls: boolean): StreamSignal => {
    if (by(falls, change)) return 'change';
    return by(falls, warning) ? 'warning' : 'none';
  };
  const rises = said(false);
  if (!twoSided || rises === 'change') return rises;
  const falls = said(true);
  return falls === 'none' ? rises : falls;
}

/**
 * HDDM_A: means before and after the best cut, compared by Hoeffding's inequality (Frías-Blanco et al., IEEE TKDE 27, 2015).
 * For sudden changes of a level. Agrees with river 0.23.0.
 */
export class HddmA implements StreamDetector {
  readonly #settings: HddmSettings;
  #all = new RunningMean();
  /** The prefix whose upper bound was lowest, and the one whose lower bound was highest. */
  #lowest = new RunningMean();
  #highest = new RunningMean();
  #changed = false;
  #since = 0;

  constructor(settings: Partial<HddmSettings> = {}) {
    this.#settings = { ...HDDM_DEFAULTS, ...settings };
  }

  get since(): number {
    return this.#since;
  }

  update(value: number): StreamSignal {
    bounded(value);
    if (this.#changed) this.#reset();
    const all = this.#all;
    all.add(value);
    if (this.#lowest.count === 0) this.#lowest = all.copy();
    if (this.#highest.count === 0) this.#highest = all.copy();
    const bound = ({ count }: RunningMean): number =>
      Math.sqrt(Math.log(1 / this.#settings.change) / (2 * count));
    if (this.#lowest.mean + bound(this.#lowest) >= all.mean + bound(all)) this.#lowest = all.copy();
    if (this.#highest.mean - bound(this.#highest) <= all.mean - bound(all)) this.#highest = all.copy();
    const said = signal(this.#settings, (falls, chance) => this.#differs(falls, chance));
    if (said === 'change') {
      this.#changed = true;
      const before = this.#differs(false, this.#settings.change) ? this.#lowest : this.#highest;
      this.#since = all.count - before.count;
    }
    return said;
  }

  #differs(falls: boolean, chance: number): boolean {
    const all = this.#all;
    const before = falls ? this.#highest : this.#lowest;
    if (before.count === all.count) return false;
    const share = (all.count - before.count) / (before.count * all.count);
    const gap = falls ? before.mean - all.mean : all.mean - before.mean;
    return gap >= Math.sqrt((share / 2) * Math.log(2 / chance));
  }

  #reset(): void {
    this.#all = new RunningMean();
    this.#lowest = new RunningMean();
    this.#highest = new RunningMean();
    this.#changed = false;
  }
}

/** An exponentially weighted mean, with the sum of its squared weights, which McDiarmid's inequality needs. */
class WeightedMean {
  count = 0;
  mean = 0;
  squares = 1;
  readonly #lambda: number;

  constructor(lambda: number) {
    this.#lambda = lambda;
  }

  add(value: number): void {
    const lambda = this.#lambda;
    // A mean of 0 takes the next value whole, as river's does: its figures are the oracle.
    this.mean = this.mean === 0 ? value : lambda * value + (1 - lambda) * this.mean;
    this.squares = lambda * lambda + (1 - lambda) ** 2 * this.squares;
    this.count += 1;
  }

  copy(): WeightedMean {
    const same = new WeightedMean(this.#lambda);
    same.count = this.count;
    same.mean = this.mean;
    same.squares = this.squares;
    return same;
  }
}

const mcDiarmid = (squares: number, chance: number): number =>
  Math.sqrt((squares * Math.log(1 / chance)) / 2);

/** A prefix and what has come since. */
interface Cut {
  before: WeightedMean;
  after: WeightedMean;
  extreme: number;
}

/**
 * HDDM_W: the same with exponentially weighted means and McDiarmid's inequality; quicker for gradual changes. Agrees with river
 * 0.23.0.
 */
export class HddmW implements StreamDetector {
  readonly #settings: HddmSettings;
  readonly #lambda: number;
  #all: WeightedMean;
  #rise: Cut;
  #fall: Cut;
  #changed = false;
  #since = 0;

  /** @param lambda weight of the newest value */
  constructor(settings: Partial<HddmSettings> = {}, lambda = 0.05) {
    this.#settings = { ...HDDM_DEFAULTS, ...settings };
    this.#lambda = lambda;
    this.#all = new WeightedMean(lambda);
    this.#rise = this.#cut(Infinity);
    this.#fall = this.#cut(-Infinity);
  }

  get since(): number {
    return this.#since;
  }

  update(value: number): StreamSignal {
    bounded(value);
    if (this.#changed) this.#reset();
    this.#all.add(value);
    const bound = mcDiarmid(this.#all.squares, this.#settings.change);
    const upper = this.#all.mean + bound;
    const lower = this.#all.mean - bound;
    if (upper < this.#rise.extreme) this.#rise = { ...this.#cut(upper), before: this.#all.copy() };
    else this.#rise.after.add(value);
    if (lower > this.#fall.extreme) this.#fall = { ...this.#cut(lower), before: this.#all.copy() };
    else this.#fall.after.add(value);
    const said = signal(this.#settings, (falls, chance) => this.#differs(falls, chance));
    if (said === 'change') {
      this.#changed = true;
      const cut = this.#differs(false, this.#settings.change) ? this.#rise : this.#fall;
      this.#since = cut.after.count;
    }
    return said;
  }

  #differs(falls: boolean, chance: number): boolean {
    const { before, after } = falls ? this.#fall : this.#rise;
    if (before.count === 0 || after.count === 0) return false;
    const gap = falls ? before.mean - after.mean : after.mean - before.mean;
    return gap > mcDiarmid(before.squares + after.squares, chance);
  }

  #cut(extreme: number): Cut {
    return { before: new WeightedMean(this.#lambda), after: new WeightedMean(this.#lambda), extreme };
  }

  #reset(): void {
    this.#all = new WeightedMean(this.#lambda);
    this.#rise = this.#cut(Infinity);
    this.#fall = this.#cut(-Infinity);
    this.#changed = false;
  }
}
