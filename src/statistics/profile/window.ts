/** Windows: counts in the bins of a profile. */
import { BinFinder, binOf, increase } from '../estimation/bins.js';
import { nameOf, Names } from './names.js';
import type {
  CategoricalProfile,
  FeatureCounts,
  FeatureProfile,
  NumericProfile,
  ReferenceProfile,
  ScoreCounts,
  WindowCounts,
} from './types.js';
import { categoryOf, MISSING, numberOf, WRONG_TYPE } from './values.js';

/** Counts the rows of one window. */
export class WindowCounter {
  readonly #profile: string;
  readonly #features: readonly (NumericCounter | CategoricalCounter)[];
  readonly #score: ScoreCounter | null;
  #rows = 0;

  /** @param digest the profile's, by which windows know whether they can be added */
  constructor(profile: ReferenceProfile, digest: string) {
    this.#profile = digest;
    this.#features = profile.features.map((feature) =>
      feature.kind === 'numeric' ? new NumericCounter(feature) : new CategoricalCounter(feature),
    );
    this.#score = profile.score === null ? null : new ScoreCounter(profile.score.calibration.cuts);
  }

  /**
   * One row.
   * @param values in the order of the profile's features; a value that is not there is missing
   * @param score of a binary model; does not count where the profile has no score
   */
  add(values: ArrayLike<unknown>, score?: unknown): void {
    this.#rows += 1;
    // Runs in every request: a loop costs less than a closure.
    for (let i = 0; i < this.#features.length; i += 1) this.#features[i]?.add(values[i]);
    this.#score?.add(score);
  }

  /**
   * Rows of a file, column by column: the same counts at a fraction of the cost.
   * @param columns in the order of the profile's features, one value a row
   * @param scores of a binary model; do not count where the profile has no score
   * @param from,to the rows that are meant, the last not among them
   */
  addColumns(
    columns: readonly ArrayLike<unknown>[],
    scores: ArrayLike<unknown>,
    from: number,
    to: number,
  ): void {
    this.#rows += to - from;
    this.#features.forEach((feature, i) => {
      feature.addColumn(columns[i] ?? [], from, to);
    });
    for (let row = from; row < to; row += 1) this.#score?.add(scores[row]);
  }

  /**
   * A label that has come for a row with this score, here or in another window.
   * @throws RangeError for a score outside of 0..1, a label that is not 0 or 1, a profile without scores
   */
  addLabel(score: number, label: number): void {
    if (this.#score === null)
      throw new RangeError(`Label ${label} has no bin: the profile ${this.#profile} has no scores`);
    this.#score.addLabel(score, label);
  }

  /** What has been counted up to now. */
  counts(): WindowCounts {
    return {
      profile: this.#profile,
      rows: this.#rows,
      features: this.#features.map((feature) => feature.counts()),
      score: this.#score?.counts() ?? null,
    };
  }
}

/** Values in the order of the profile's features, from a row by name. */
export function valuesOf(
  features: readonly FeatureProfile[],
  row: Readonly<Record<string, unknown>>,
): unknown[] {
  return features.map(({ name }) => (Object.hasOwn(row, name) ? row[name] : undefined));
}

class NumericCounter {
  readonly #cuts: Float64Array;
  readonly #least: number;
  readonly #most: number;
  readonly #counts: Float64Array;
  /** Made when a column comes: one row does not repay it. */
  #finder: BinFinder | null = null;
  #below = 0;
  #above = 0;
  #missing = 0;
  #wrongType = 0;

  constructor({ cuts, range }: NumericProfile) {
    this.#cuts = Float64Array.from(cuts);
    this.#counts = new Float64Array(cuts.length + 1);
    // A feature that had no values has no range: whatever comes is outside of it.
    this.#least = range?.least ?? Number.POSITIVE_INFINITY;
    this.#most = range?.most ?? Number.NEGATIVE_INFINITY;
  }

  add(given: unknown): void {
    const value = numberOf(given);
    if (value === MISSING) this.#missing += 1;
    else if (value === WRONG_TYPE) this.#wrongType += 1;
    else if (value < this.#least) this.#below += 1;
    else if (value > this.#most) this.#above += 1;
    else increase(this.#counts, binOf(this.#cuts, value));
  }

  addColumn(values: ArrayLike<unknown>, from: number, to: number): void {
    if (values instanceof Float64Array) this.#addNumbers(values, from, to);
    else for (let row = from; row < to; row += 1) this.add(values[row]);
  }

  #addNumbers(values: Float64Array, from: number, to: number): void {
    const [counts, least, most] = [this.#counts, this.#least, this.#most];
    this.#finder ??= new BinFinder(this.#cuts, least, most);
    for (let row = from; row < to; row += 1) {
      const value = values[row] as number;
      if (value >= least && value <= most) increase(counts, this.#finder.of(value));
      else this.add(value);
    }
  }

  counts(): FeatureCounts {
    return {
      kind: 'numeric',
      counts: [...this.#counts],
      below: this.#below,
      above: this.#above,
      missing: this.#missing,
      wrongType: this.#wrongType,
    };
  }
}

class CategoricalCounter {
  readonly #type: CategoricalProfile['of'];
  readonly #bins: ReadonlyMap<string, number>;
  readonly #counts: Float64Array;
  readonly #personal: boolean;
  readonly #unlisted = new Names();
  #unnamed = 0;
  #missing = 0;
  #wrongType = 0;

  constructor({ of, values, personal }: CategoricalProfile) {
    this.#type = of;
    this.#personal = personal === true;
    this.#bins = new Map(values.map((text, bin) => [text, bin]));
    this.#counts = new Float64Array(values.length);
  }

  add(given: unknown): void {
    const text = categoryOf(given, this.#type);
    if (text === MISSING) this.#missing += 1;
    else if (text === WRONG_TYPE) this.#wrongType += 1;
    else this.#addText(text);
  }

  addColumn(values: ArrayLike<unknown>, from: number, to: number): void {
    for (let row = from; row < to; row += 1) this.add(values[row]);
  }

  #addText(text: string): void {
    const bin = this.#bins.get(text);
    if (bin === undefined && this.#personal) this.#unnamed += 1;
    else if (bin === undefined) this.#unlisted.add(nameOf(text));
    else increase(this.#counts, bin);
  }

  counts(): FeatureCounts {
    const { names, rest } = this.#unlisted.counts();
    return {
      kind: 'categorical',
      counts: [...this.#counts],
      unlisted: { names, rest: rest + this.#unnamed },
      missing: this.#missing,
      wrongType: this.#wrongType,
    };
  }
}

class ScoreCounter {
  readonly #cuts: Float64Array;
  readonly #counts: Float64Array;
  readonly #positives: Float64Array;
  readonly #negatives: Float64Array;
  #invalid = 0;

  constructor(cuts: readonly number[]) {
    this.#cuts = Float64Array.from(cuts);
    this.#counts = new Float64Array(cuts.length + 1);
    this.#positives = new Float64Array(cuts.length + 1);
    this.#negatives = new Float64Array(cuts.length + 1);
  }

  add(score: unknown): void {
    if (typeof score === 'number' && score >= 0 && score <= 1)
      increase(this.#counts, binOf(this.#cuts, score));
    else this.#invalid += 1;
  }

  addLabel(score: number, label: number): void {
    if (!(score >= 0 && score <= 1))
      throw new RangeError(
        `Score is ${score}, of a row with label ${label}: it must be a number from 0 to 1`,
      );
    if (label !== 0 && label !== 1) throw new RangeError(`Label is ${String(label)}: it must be 0 or 1`);
    increase(label === 1 ? this.#positives : this.#negatives, binOf(this.#cuts, score));
  }

  counts(): ScoreCounts {
    return {
      counts: [...this.#counts],
      positives: [...this.#positives],
      negatives: [...this.#negatives],
      invalid: this.#invalid,
    };
  }
}
