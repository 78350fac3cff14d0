/** Rows from elsewhere: checked, counted, and of some of them what is kept. Pure but for what it gathers. */
import { Binary } from 'mongodb';
import type { RouteMonitoring } from '../../contracts/routes.js';
import type { StoredProfile } from '../profiles/index.js';
import {
  OBSERVED_PREDICTIONS,
  type PredictionsDocument,
  type SampleDocument,
  type SampleValue,
} from './collections.js';
import { classMessage, labelOf } from './decide-labels.js';
import { identify, LONGEST_REQUEST_ID, observedSampleId } from './identity.js';
import { bootOf, type Counted, type ObservedHead } from './observed.js';
import type { RowLabel } from './row-labels.js';
import {
  type Column,
  inputNames,
  ObservationError,
  type Place,
  readScore,
  type RowPlace,
  type Score,
  show,
} from './observed-values.js';
import { Stretches } from './stretches.js';

export interface TakingSettings {
  readonly head: ObservedHead;
  readonly profile: StoredProfile;
  readonly monitoring: RouteMonitoring;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Stretches that the batch may fall into. */
  readonly mostStretches: number;
}

/** Rows as they were sent, column by column. */
export interface GivenRows {
  /** In the order of {@link RowTaker.names}; null is missing, a list where the input has several values a row. */
  readonly inputs: readonly Column[];
  /** Numbers, or lists of the probabilities of all classes. */
  readonly scores: Column;
  /** Null or undefined: not known yet. */
  readonly labels: Column;
  /** When they were answered, epoch milliseconds. */
  readonly at: ArrayLike<number>;
  /** By which a label may come later; null: none will. */
  readonly ids: ArrayLike<string | null>;
}

/** Requests of one document of predictions. */
const GROUP_REQUESTS = 250;
const AFTERMATH_MS = 86_400_000;

/** Takes the rows of one batch, some after others; the first that cannot be taken throws, and nothing of the batch is stored. */
export class RowTaker {
  readonly #settings: TakingSettings;
  readonly #stretches: Stretches;
  readonly #names: readonly string[];
  readonly #personal: ReadonlySet<string>;
  readonly #samples: SampleDocument[] = [];
  readonly #predictions: PredictionsDocument[] = [];
  readonly #labelled: RowLabel[] = [];
  readonly #ids = new Map<string, number>();
  readonly #open: { identity: string; score: number; at: number }[] = [];
  readonly #seed: number;
  #rows = 0;

  constructor(settings: TakingSettings) {
    this.#settings = settings;
    const { profile, monitoring, now, mostStretches } = settings;
    this.#stretches = new Stretches(profile, monitoring, now, mostStretches);
    this.#names = inputNames(profile.content);
    this.#personal = new Set(monitoring.personal);
    this.#seed = Number.parseInt(bootOf(settings.head).slice(0, 8), 16);
  }

  /** Inputs that are counted. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** @throws ObservationError that names the row */
  take(given: GivenRows, place: RowPlace): void {
    const scores = this.#scoresOf(given, place);
    const labels = this.#labelsOf(given, place);
    for (let row = 0; row < given.ids.length; row += 1) {
      const id = given.ids[row] ?? null;
      if (id !== null) this.#once(id, this.#rows + row, () => place(row));
    }
    this.#stretches.add({ inputs: given.inputs, scores, labels, at: given.at }, place);
    for (let row = 0; row < given.at.length; row += 1)
      this.#keep(given, row, scores[row] as Score, labels[row] ?? null);
    this.#rows += given.at.length;
  }

  #scoresOf({ scores: given }: GivenRows, place: RowPlace): ArrayLike<Score> {
    const { task, classes } = this.#settings.monitoring;
    if (
      task === 'binary' &&
      given instanceof Float64Array &&
      given.every((score) => score >= 0 && score <= 1)
    )
      return given;
    const scores: Score[] = [];
    for (let row = 0; row < given.length; row += 1)
      scores.push(readScore(given[row], task, classes.length, () => place(row)));
    return scores;
  }

  #labelsOf({ labels: given }: GivenRows, place: RowPlace): readonly (string | number | null)[] {
    const { classes } = this.#settings.monitoring;
    const labels: (string | number | null)[] = [];
    let [before, meant]: [unknown, string | number | null] = [null, null];
    for (let row = 0; row < given.length; row += 1) {
      const known = given[row] ?? null;
      // Labels are few values, over and over.
      const label: string | number | null =
        known === before ? meant : known === null ? null : labelOf(known, classes);
      [before, meant] = [known, label];
      if (label === null && known !== null)
        throw new ObservationError(`${place(row)}: ${classMessage(known, classes)}`);
      labels.push(label);
    }
    return labels;
  }

  #keep(
    { inputs, at: times, ids }: GivenRows,
    row: number,
    score: Score,
    label: string | number | null,
  ): void {
    const { monitoring, head } = this.#settings;
    const id = ids[row] ?? null;
    const at = times[row] as number;
    if (id === null) {
      const place = this.#rows + row;
      if (spread(this.#seed ^ place) < monitoring.sampleShare)
        this.#sample(`${head.batch}#${place}`, inputs, row, { score, label, at });
      return;
    }
    const { h, identity } = identify(head.model, id);
    const isSampled = h < monitoring.sampleShare;
    if (isSampled) this.#sample(id, inputs, row, { score, label, at });
    // A label that came with its row is counted already: it waits for none, and is to be known when one comes.
    if (label === null) this.#predict(identity, score, at);
    else this.#labelled.push({ identity, requestId: id, label, at, isSampled });
  }

  /** From when it came: a row that was sent late can still get its label. */
  get #labelsUntil(): number {
    const { monitoring, now } = this.#settings;
    return now + monitoring.labelSeconds * 1_000;
  }

  counted(): Counted {
    this.#closePredictions();
    const { head } = this.#settings;
    return {
      rows: this.#rows,
      labels: this.#stretches.labels,
      windows: this.#stretches.windows(head.model, head.ref, bootOf(head)),
      kept: { samples: this.#samples, predictions: this.#predictions },
      // A day longer than a prediction.
      labelled: { labels: this.#labelled, expiresAt: new Date(this.#labelsUntil + 2 * AFTERMATH_MS) },
    };
  }

  #once(id: string, row: number, place: Place): void {
    if (id === '' || id.length > LONGEST_REQUEST_ID)
      throw new ObservationError(
        `${place()}: id ${show(id)} must have 1 to ${LONGEST_REQUEST_ID} characters`,
      );
    const before = this.#ids.get(id);
    if (before !== undefined)
      throw new ObservationError(
        `${place()}: id ${show(id)} was that of row ${before} already: rows of one batch must not contradict each other`,
      );
    this.#ids.set(id, row);
  }

  #sample(
    requestId: string,
    columns: readonly Column[],
    row: number,
    { score, label, at }: Pick<SampleDocument, 'score' | 'label'> & { readonly at: number },
  ): void {
    const { head, monitoring } = this.#settings;
    const inputs: Record<string, SampleDocument['inputs'][string]> = {};
    for (const [i, name] of this.#names.entries()) {
      if (this.#personal.has(name)) continue;
      const value = (columns[i]?.[row] ?? null) as SampleValue | readonly SampleValue[];
      Object.defineProperty(inputs, name, { value, enumerable: true, configurable: true });
    }
    this.#samples.push({
      _id: observedSampleId(head.model, head.ref.digest, requestId),
      model: head.model,
      requestId,
      row: 0,
      version: head.ref.version,
      digest: head.ref.digest,
      at: new Date(at),
      inputs,
      score,
      label,
      labelledAt: label === null ? null : new Date(at),
      expiresAt: new Date(Math.max(at, this.#settings.now - 1) + monitoring.sampleSeconds * 1_000),
    });
  }

  #predict(identity: string, score: number | readonly number[], at: number): void {
    this.#open.push({ identity, score: typeof score === 'number' ? score : Number.NaN, at });
    if (this.#open.length >= GROUP_REQUESTS) this.#closePredictions();
  }

  #closePredictions(): void {
    if (this.#open.length === 0) return;
    const { head } = this.#settings;
    const bytes = Buffer.alloc(8 * this.#open.length);
    this.#open.forEach(({ score }, i) => bytes.writeDoubleLE(score, 8 * i));
    const times = this.#open.map(({ at }) => at);
    const labelsUntil = this.#labelsUntil;
    this.#predictions.push({
      _id: `${OBSERVED_PREDICTIONS}${bootOf(head)}/${this.#predictions.length + 1}`,
      model: head.model,
      version: head.ref.version,
      digest: head.ref.digest,
      role: 'champion',
      generation: 0,
      from: new Date(Math.min(...times)),
      to: new Date(Math.max(...times)),
      labelsUntil: new Date(labelsUntil),
      expiresAt: new Date(labelsUntil + AFTERMATH_MS),
      ids: this.#open.map(({ identity }) => identity),
      rows: this.#open.map(() => 1),
      scores: new Binary(bytes),
    });
    this.#open.length = 0;
  }
}

/** In [0, 1), by the end of Appleby's MurmurHash3: rows without an id are drawn by their place, at a tenth of SHA-256's cost. */
function spread(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
