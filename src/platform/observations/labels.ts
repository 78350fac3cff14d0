import { randomUUID } from 'node:crypto';
import type { ClientSession, Db, MongoClient } from 'mongodb';
import type { GivenLabel, LabelAnswer } from '../../contracts/observations.js';
import type { RouteMonitoring } from '../../contracts/routes.js';
import { isDuplicateKey } from '../mongo/errors.js';
import { prepareDatabase } from '../mongo/prepare.js';
import { ProfileStore, type StoredProfile } from '../profiles/index.js';
import { WINDOW_COLLECTIONS, windowsOf } from '../windows/collections.js';
import { insertion } from '../windows/store.js';
import {
  labelsOf,
  OBSERVATION_COLLECTIONS,
  OBSERVED_PREDICTIONS,
  type PredictionsDocument,
  predictionsOf,
  samplesOf,
} from './collections.js';
import { type Decided, decideLabels, type JoinedLabel, type Prediction } from './decide-labels.js';
import { identify, observedSampleId, sampleId } from './identity.js';
import { countLabels, windowOf } from './label-window.js';

export interface LabelBatch {
  readonly model: string;
  readonly settings: RouteMonitoring;
  readonly labels: readonly GivenLabel[];
  /** When they came, epoch milliseconds. */
  readonly now: number;
}

/** What a gateway hands labels to. */
export interface LabelJoin {
  /** All that can be taken of a batch is taken in one transaction; the same batch again changes nothing. */
  join(batch: LabelBatch): Promise<LabelAnswer>;
}

const TRIES = 5;
const DAY = 86_400_000;
/** A database that is away is told soon, and the batch sent again. */
const ANSWER_MS = 5_000;

/** Joins labels to what was answered, in MongoDB. */
export class MongoLabelJoin implements LabelJoin {
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #profiles: Pick<ProfileStore, 'newest'>;
  readonly #source: string;
  /** Part of the ids of this process's windows. */
  readonly #boot = randomUUID();
  #sequence = 0;
  #prepared = false;

  /** @param source who joins, e.g. the gateway; part of the ids of the windows */
  constructor(client: MongoClient, db: Db, source: string) {
    this.#client = client;
    this.#db = db;
    this.#profiles = new ProfileStore(db);
    this.#source = source;
  }

  async join(batch: LabelBatch): Promise<LabelAnswer> {
    if (!this.#prepared) await prepareDatabase(this.#db, [...OBSERVATION_COLLECTIONS, ...WINDOW_COLLECTIONS]);
    this.#prepared = true;
    const predictions = await this.#find(batch);
    const profiles = await this.#profilesOf(batch, predictions);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#client.withSession({ defaultTimeoutMS: ANSWER_MS }, (session) =>
          session.withTransaction(() => this.#write(batch, predictions, profiles, session)),
        );
      } catch (error) {
        // Somebody else has just brought one of them: looked at again, it is a repeat or a contradiction.
        if (!isDuplicateKey(error) || attempt >= TRIES) throw error;
      }
    }
  }

  async #find({ model, labels }: LabelBatch): Promise<ReadonlyMap<string, readonly Prediction[]>> {
    const wanted = new Set(labels.map(({ id }) => identify(model, id).identity));
    const found = new Map<string, Prediction[]>();
    const documents = predictionsOf(this.#db).find({ ids: { $in: [...wanted] } }, { timeoutMS: ANSWER_MS });
    for await (const document of documents) {
      for (const prediction of predictionsIn(document, wanted)) {
        const known = found.get(prediction.identity);
        if (known === undefined) found.set(prediction.identity, [prediction]);
        else known.push(prediction);
      }
    }
    return found;
  }

  async #profilesOf(
    { model, settings }: LabelBatch,
    predictions: ReadonlyMap<string, readonly Prediction[]>,
  ): Promise<ReadonlyMap<string, StoredProfile>> {
    const profiles = new Map<string, StoredProfile>();
    if (settings.task !== 'binary') return profiles;
    for (const digest of new Set([...predictions.values()].flat().map((prediction) => prediction.digest))) {
      const profile = await this.#profiles.newest(model, digest);
      if (profile !== null) profiles.set(digest, profile);
    }
    return profiles;
  }

  /** Label, its sample and its count come together or not at all: who sends it again after a crash finds it kept, or not there. */
  async #write(
    { model, settings, labels, now }: LabelBatch,
    predictions: ReadonlyMap<string, readonly Prediction[]>,
    profiles: ReadonlyMap<string, StoredProfile>,
    session: ClientSession,
  ): Promise<LabelAnswer> {
    const identityOf = (requestId: string): string => identify(model, requestId).identity;
    const keys = labels.map(({ id, row }) => `${identityOf(id)}/${row}`);
    const stored = await labelsOf(this.#db)
      .find({ _id: { $in: keys } }, { session })
      .toArray();
    const decided = decideLabels(labels, {
      settings,
      identityOf,
      predictions,
      labels: new Map(stored.map(({ _id, label, observed = null }) => [_id, { label, observed }])),
      now,
    });
    if (decided.accepted.length === 0) return answer(decided, 0);
    const { cells, counted } = countLabels(decided.accepted, settings.classes, profiles);
    await this.#keep(model, decided.accepted, now, session);
    if (cells.length > 0) {
      this.#sequence += 1;
      const head = { gateway: `labels/${this.#source}`, boot: this.#boot, sequence: this.#sequence };
      const window = windowOf({ ...head, model, from: now, to: now }, cells);
      await windowsOf(this.#db).bulkWrite([insertion(window)], { session });
    }
    return answer(decided, counted);
  }

  async #keep(
    model: string,
    accepted: readonly JoinedLabel[],
    now: number,
    session: ClientSession,
  ): Promise<void> {
    await labelsOf(this.#db).bulkWrite(
      accepted.map(({ key, label, at, prediction, isKept }) => {
        const expiresAt = new Date(prediction.expiresAt + DAY);
        return isKept
          ? { updateOne: { filter: { _id: key }, update: { $unset: { observed: '' }, $max: { expiresAt } } } }
          : {
              insertOne: {
                document: { _id: key, model, label, at: new Date(at), cameAt: new Date(now), expiresAt },
              },
            };
      }),
      { session },
    );
    await samplesOf(this.#db).bulkWrite(
      accepted.flatMap(({ requestId, row, label, at, isObserved, prediction: { digest } }) => {
        // Rows from elsewhere had the ids of requests once. Two updates by id cost less than one by a list of two.
        const ids = [
          sampleId(model, requestId, row),
          ...(isObserved ? [observedSampleId(model, digest, requestId)] : []),
        ];
        const update = { $set: { label, labelledAt: new Date(at) } };
        return ids.map((_id) => ({ updateOne: { filter: { _id }, update } }));
      }),
      { session },
    );
  }
}

const answer = ({ accepted, repeated, refused }: Decided, counted: number): LabelAnswer => ({
  accepted: accepted.length,
  counted,
  repeated,
  refused,
});

/** Of a document those requests that are wanted. */
function predictionsIn(document: PredictionsDocument, wanted: ReadonlySet<string>): Prediction[] {
  const { _id, ids, rows, scores, version, digest, role, generation, labelsUntil, expiresAt } = document;
  const isObserved = _id.startsWith(OBSERVED_PREDICTIONS);
  const bytes = Buffer.from(scores.buffer);
  let start = 0;
  return ids.flatMap((identity, i) => {
    const count = rows[i] ?? 0;
    const from = start;
    start += count;
    if (!wanted.has(identity)) return [];
    return {
      identity,
      version,
      digest,
      role,
      generation,
      labelsUntil: labelsUntil.getTime(),
      expiresAt: expiresAt.getTime(),
      scores: Array.from({ length: count }, (_, row) => bytes.readDoubleLE(8 * (from + row))),
      isObserved,
    };
  });
}
