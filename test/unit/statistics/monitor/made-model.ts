/** A made model: its reference profile, and windows of its traffic. */
import { createHash } from 'node:crypto';
import type { Objectives } from '../../../../src/contracts/manifest.js';
import type { MonitoringSettings } from '../../../../src/contracts/monitoring.js';
import { normalCdf } from '../../../../src/statistics/metrics/distributions.js';
import { evaluateModel } from '../../../../src/statistics/monitor/evaluate.js';
import type {
  DetectorState,
  Evaluation,
  MonitoredProfile,
  MonitoredWindow,
  MonitorInput,
  TrafficSlot,
} from '../../../../src/statistics/monitor/types.js';
import {
  categoricalProfile,
  numericProfile,
  scoreProfile,
} from '../../../../src/statistics/profile/build.js';
import type {
  FeatureCounts,
  NumericProfile,
  ScoreCounts,
  WindowCounts,
} from '../../../../src/statistics/profile/types.js';
import { addValue, emptySketch } from '../../../../src/statistics/sketch.js';
import { monitoring } from '../../../support/monitoring.js';
import type { Random } from '../../../support/random.js';
import { multinomial } from '../drift/simulate.js';

export const HOUR = 3_600_000;
export const OBJECTIVES: Objectives = { availability: 0.99, latencyMs: 100, slowShare: 0.05 };
export const CATEGORIES = ['a', 'b', 'c', 'd'] as const;
const CATEGORY_SHARES = [0.4, 0.3, 0.2, 0.1];
export const VERSION = { version: 'v1', digest: '1'.repeat(64) };
export const PROFILE = 'f'.repeat(64);

export const digestOf = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex');

/** What is odd in a window; left out, it is as the reference. */
export interface Oddity {
  readonly rows?: number;
  /** Mean of a feature, by its number. */
  readonly means?: Readonly<Record<number, number>>;
  /** Rows of a category that the reference does not have. */
  readonly unseen?: number;
  /** So much of the rows goes from color `a` to `b`. */
  readonly recolored?: number;
  /** Missing values of `f0`. */
  readonly missing?: number;
  /** Scores come from here to 1 - here; 0 as in the reference, near .5 the model is unsure. */
  readonly unsure?: number;
  /** Of the rows, by their score; `flipped`: the labels are the other way round. */
  readonly labels?: 'as-scored' | 'flipped';
}

/** Features `f0`, `f1`, … are standard normal, `color` has four values, the score is even from 0 to 1 and means what it says. */
export class MadeModel {
  readonly profile: MonitoredProfile;
  readonly #random: Random;
  readonly #numeric: readonly NumericProfile[];

  constructor(random: Random, features: number, reference = 5_000) {
    this.#random = random;
    const draw = <T>(of: () => T): T[] => Array.from({ length: reference }, of);
    this.#numeric = Array.from({ length: features }, (_, i) =>
      numericProfile(
        `f${i}`,
        draw(() => random.normal()),
        20,
      ),
    );
    const colors = multinomial(random, reference, CATEGORY_SHARES).flatMap((rows, i) =>
      Array.from({ length: rows }, () => CATEGORIES[i]!),
    );
    const scores = draw(() => random.uniform());
    const labels = scores.map((score) => (random.uniform() < score ? 1 : 0));
    this.profile = {
      digest: PROFILE,
      predictions: [],
      profile: {
        format: 1,
        rows: reference,
        features: [...this.#numeric, categoricalProfile('color', colors, 'string')],
        score: scoreProfile(scores, labels, 0.5, reference / 10),
      },
    };
  }

  counts(odd: Oddity = {}): WindowCounts {
    const { rows = 500, means = {}, unseen = 0, missing = 0, recolored = 0 } = odd;
    const features = this.#numeric.map((profile, i): FeatureCounts => {
      const away = i === 0 ? missing : 0;
      const counts = multinomial(this.#random, rows - away, sharesOf(profile, means[i] ?? 0));
      const [below, above] = [counts[0]!, counts.at(-1)!];
      return { kind: 'numeric', counts: counts.slice(1, -1), below, above, missing: away, wrongType: 0 };
    });
    const profiled = this.profile.profile.features.at(-1)!;
    const order = 'values' in profiled ? profiled.values : [];
    const shares = order.map(
      (value) =>
        CATEGORY_SHARES[CATEGORIES.indexOf(value as 'a')]! +
        (value === 'a' ? -recolored : value === 'b' ? recolored : 0),
    );
    const color: FeatureCounts = {
      kind: 'categorical',
      counts: multinomial(this.#random, rows - unseen, shares),
      unlisted: { names: unseen > 0 ? [['z', unseen]] : [], rest: 0 },
      missing: 0,
      wrongType: 0,
    };
    return { profile: PROFILE, rows, features: [...features, color], score: this.#scores(rows, odd) };
  }

  #scores(rows: number, { unsure = 0, labels }: Oddity): ScoreCounts {
    const { cuts } = this.profile.profile.score!.calibration;
    const width = 1 - 2 * unsure;
    const below = [0, ...cuts, 1].map((cut) => Math.min(1, Math.max(0, (cut - unsure) / width)));
    const counts = multinomial(
      this.#random,
      rows,
      below.slice(1).map((share, i) => share - below[i]!),
    );
    const edges = [0, ...cuts, 1];
    const chance = (bin: number): number => {
      const middle = (edges[bin]! + edges[bin + 1]!) / 2;
      return labels === 'flipped' ? 1 - middle : middle;
    };
    const positives = counts.map((count, bin) =>
      labels === undefined ? 0 : this.#random.binomial(count, chance(bin)),
    );
    const negatives = counts.map((count, bin) => (labels === undefined ? 0 : count - positives[bin]!));
    return { counts, positives, negatives, invalid: 0 };
  }
}

function sharesOf({ cuts, range }: NumericProfile, mean: number): number[] {
  const below = [0, ...[range!.least, ...cuts, range!.most].map((cut) => normalCdf(cut - mean)), 1];
  return below.slice(1).map((share, i) => share - below[i]!);
}

/** Answers of about so many milliseconds. */
export function latencyOf(random: Random, answers: number, ms: number) {
  const sketch = emptySketch();
  for (let i = 0; i < answers; i += 1) addValue(sketch, ms * Math.exp(0.2 * random.normal()));
  return sketch;
}

/** Monitors of a made model, hour by hour. */
export class Monitored {
  readonly settings: MonitoringSettings;
  readonly profile: MonitoredProfile | null;
  state: DetectorState | null = null;
  /** End of the last hour. */
  at: number;
  last: Evaluation | null = null;
  readonly findings: Evaluation['findings'][number][] = [];
  readonly cleared: Evaluation['cleared'][number][] = [];

  constructor(
    profile: MonitoredProfile | null,
    settings: Partial<MonitoringSettings> = {},
    at = 1_000 * HOUR,
  ) {
    this.profile = profile;
    this.settings = monitoring(settings);
    this.at = at;
  }

  input(overrides: Partial<MonitorInput> = {}): MonitorInput {
    return {
      model: 'employment',
      version: VERSION,
      settings: this.settings,
      objectives: OBJECTIVES,
      profile: this.profile,
      windows: [],
      slots: [],
      state: this.state,
      now: this.at + 30_000,
      strange: [],
      digestOf,
      ...overrides,
    };
  }

  /** An hour passes. */
  hour(window: Partial<MonitoredWindow>, overrides: Partial<MonitorInput> = {}): Evaluation {
    const from = this.at;
    this.at += this.settings.windowSeconds * 1_000;
    const all = { from, to: this.at, features: null, latency: null, requests: 0, bad: 0, ...window };
    return this.take({ windows: [all], ...overrides });
  }

  slot(requests: number, bad: number): Evaluation {
    const from = this.at;
    this.at += 300_000;
    const slot: TrafficSlot = { from, to: this.at, requests, bad };
    return this.take({ slots: [slot] });
  }

  take(overrides: Partial<MonitorInput>): Evaluation {
    const taken = evaluateModel(this.input(overrides));
    // What is stored is JSON.
    this.state = JSON.parse(JSON.stringify(taken.state)) as DetectorState;
    this.last = taken;
    this.findings.push(...taken.findings);
    this.cleared.push(...taken.cleared);
    return taken;
  }

  get found() {
    return this.findings.filter(({ verdict }) => verdict === 'found');
  }
}
