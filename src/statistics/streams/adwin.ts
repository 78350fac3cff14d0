import { finite, type StreamDetector, type StreamSignal } from './detector.js';

export interface AdwinSettings {
  /** Chance of a false cut at one check, before the bound's own caution. */
  readonly delta: number;
  /** Values between two checks. */
  readonly clock: number;
  /** Buckets of one size that are kept before two are merged. */
  readonly maxBuckets: number;
  /** Least length of either side of a cut. */
  readonly minSide: number;
  /** Values before the first check. */
  readonly grace: number;
}

const ADWIN_DEFAULTS: AdwinSettings = {
  delta: 0.002,
  clock: 32,
  maxBuckets: 5,
  minSide: 5,
  grace: 10,
};

/** Sum, and sum of squared deviations from the mean, of 2^row neighbouring values. */
interface Bucket {
  readonly total: number;
  readonly squares: number;
}

interface Side {
  readonly length: number;
  readonly total: number;
  readonly squares: number;
}

const NOTHING: Side = { length: 0, total: 0, squares: 0 };

/** What the squared deviations of two neighbours gain by being taken together. */
const between = (a: Side, b: Side): number => {
  const gap = a.total / a.length - b.total / b.length;
  return (a.length * b.length * gap * gap) / (a.length + b.length);
};

function join(a: Side, b: Side): Side {
  if (a.length === 0) return b;
  return {
    length: a.length + b.length,
    total: a.total + b.total,
    squares: a.squares + b.squares + between(a, b),
  };
}

/** The opposite of `join`: takes the older part away. */
function without(whole: Side, part: Side): Side {
  const rest = { length: whole.length - part.length, total: whole.total - part.total, squares: 0 };
  if (rest.length === 0) return NOTHING;
  return { ...rest, squares: whole.squares - part.squares - between(rest, part) };
}

/**
 * ADWIN: a window that grows while its mean stays, and drops its old end when any cut of it shows two means that differ (Bifet and
 * Gavalda, SIAM Data Mining 2007), over exponential buckets with variances (Babcock et al., PODS 2003). Agrees with river 0.23.0.
 */
export class Adwin implements StreamDetector {
  readonly #settings: AdwinSettings;
  /** By row: buckets of 2^row values, the oldest first. */
  #rows: Bucket[][] = [[]];
  #window: Side = NOTHING;
  #ticks = 0;
  #changed = false;

  constructor(settings: Partial<AdwinSettings> = {}) {
    this.#settings = { ...ADWIN_DEFAULTS, ...settings };
  }

  /** Length of the window: after a change, what is left of it. */
  get since(): number {
    return this.#window.length;
  }

  get mean(): number {
    return this.#window.length === 0 ? Number.NaN : this.#window.total / this.#window.length;
  }

  update(value: number): StreamSignal {
    const one = { length: 1, total: finite(value), squares: 0 };
    if (this.#changed) this.#reset();
    this.#window = join(this.#window, one);
    this.#rows[0]?.push(one);
    this.#compress();
    this.#ticks += 1;
    const { clock, grace } = this.#settings;
    if (this.#ticks % clock !== 0 || this.#window.length <= grace) return 'none';
    while (this.#hasCut()) {
      this.#dropOldest();
      this.#changed = true;
    }
    return this.#changed ? 'change' : 'none';
  }

  #reset(): void {
    this.#rows = [[]];
    this.#window = NOTHING;
    this.#ticks = 0;
    this.#changed = false;
  }

  #compress(): void {
    const { maxBuckets } = this.#settings;
    for (let row = 0; ; row += 1) {
      const buckets = this.#rows[row];
      if (buckets === undefined || buckets.length <= maxBuckets) return;
      const [first, second] = buckets.splice(0, 2).map((bucket) => ({ ...bucket, length: 2 ** row }));
      if (first === undefined || second === undefined) return;
      this.#rows[row + 1] ??= [];
      this.#rows[row + 1]?.push(join(first, second));
    }
  }

  /** Oldest first. */
  *#buckets(): Generator<Side> {
    for (let row = this.#rows.length - 1; row >= 0; row -= 1)
      for (const bucket of this.#rows[row] ?? []) yield { ...bucket, length: 2 ** row };
  }

  #hasCut(): boolean {
    let old = NOTHING;
    let recent = this.#window;
    for (const bucket of this.#buckets()) {
      old = join(old, bucket);
      recent = without(recent, bucket);
      if (recent.length === 0) return false;
      if (this.#differ(old, recent)) return true;
    }
    return false;
  }

  #differ(old: Side, recent: Side): boolean {
    const { delta, minSide } = this.#settings;
    if (old.length < minSide || recent.length < minSide) return false;
    const { length, squares } = this.#window;
    const log = Math.log((2 * Math.log(length)) / delta);
    const inverse = 1 / (old.length - minSide + 1) + 1 / (recent.length - minSide + 1);
    const bound = Math.sqrt(2 * inverse * (squares / length) * log) + (2 / 3) * log * inverse;
    return Math.abs(old.total / old.length - recent.total / recent.length) > bound;
  }

  #dropOldest(): void {
    const row = this.#rows.length - 1;
    const bucket = this.#rows[row]?.shift();
    if (bucket !== undefined) this.#window = without(this.#window, { ...bucket, length: 2 ** row });
    while (this.#rows.length > 1 && this.#rows.at(-1)?.length === 0) this.#rows.pop();
  }
}
