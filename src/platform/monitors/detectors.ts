import { randomUUID } from 'node:crypto';
import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb';
import type { Finding, MonitorReport } from '../../contracts/monitoring.js';
import { effect } from '../../fail-points/index.js';
import type { DetectorState } from '../../statistics/monitor/types.js';
import { onlyDuplicates } from '../mongo/errors.js';
import { type PackedState, packState, unpackState } from './packed.js';

/** What was found and has still to be stored, recorded and told. */
interface Outbox {
  readonly findings: readonly Finding[];
  readonly cleared: MonitorReport['cleared'];
}

/** A model that could not be evaluated. */
interface FailedTicks {
  /** ISO 8601. */
  readonly since: string;
  readonly ticks: number;
  readonly reason: string;
  readonly told: boolean;
}

/** `_id` is the model. */
export interface Detector {
  readonly _id: string;
  /** Counts the changes: who is late changes nothing. */
  readonly revision: number;
  readonly evaluatedTo: number;
  readonly slotsTo: number;
  /** Null before the first window. */
  readonly state: DetectorState | null;
  readonly outbox: Outbox | null;
  readonly failed: FailedTicks | null;
}

/** What is enough to see whether anything is to be done. */
export type DetectorPlace = Omit<Detector, 'state' | 'outbox'> & { readonly waits: boolean };

interface DetectorDocument extends Omit<Detector, 'state'> {
  readonly state: PackedState | DetectorState | null;
  /** Of the act that stored this revision: so who did it is known, whoever else tried. Absent in what was stored one by one. */
  readonly act?: string;
}

const ANSWER = { timeoutMS: 20_000 } as const;

/** What monitors carry from tick to tick, one document a model. */
export class DetectorStore {
  readonly #detectors: Collection<DetectorDocument>;

  constructor(db: Db) {
    this.#detectors = db.collection('detectors');
  }

  async places(models: readonly string[]): Promise<ReadonlyMap<string, DetectorPlace>> {
    const found = await this.#detectors
      .find({ _id: { $in: [...models] } }, ANSWER)
      .project<DetectorPlace>({
        revision: 1,
        evaluatedTo: 1,
        slotsTo: 1,
        failed: 1,
        waits: { $ne: ['$outbox', null] },
      })
      .toArray();
    return new Map(found.map((place) => [place._id, place]));
  }

  async read(models: readonly string[]): Promise<ReadonlyMap<string, Detector>> {
    const found = await this.#detectors.find({ _id: { $in: [...models] } }, ANSWER).toArray();
    return new Map(found.map((stored) => [stored._id, detectorOf(stored)]));
  }

  /**
   * Of each from the revision before this one: evaluations of the same windows are one, whoever was first. In one act, which may die
   * after some of them.
   * @param detectors one a model
   * @returns models of which this has become the revision; of the others somebody else has changed it meanwhile
   */
  async carry(detectors: readonly Detector[]): Promise<ReadonlySet<string>> {
    if (detectors.length === 0) return new Set();
    const act = randomUUID();
    const operations = detectors.map((detector): AnyBulkWriteOperation<DetectorDocument> => {
      const { _id, revision, state } = detector;
      const document = { ...detector, state: state === null ? null : packState(state), act };
      return revision === 1
        ? { insertOne: { document } }
        : { replaceOne: { filter: { _id, revision: revision - 1 }, replacement: document } };
    });
    return effect('monitor.carry', async () => {
      if (await this.#writeAll(operations)) return new Set(detectors.map(({ _id }) => _id));
      const names = detectors.map(({ _id }) => _id);
      const mine = await this.#detectors
        .find({ _id: { $in: names }, act }, { projection: { _id: 1 }, ...ANSWER })
        .toArray();
      return new Set(mine.map(({ _id }) => _id));
    });
  }

  /** @returns false when some of them met another revision than theirs */
  async #writeAll(operations: AnyBulkWriteOperation<DetectorDocument>[]): Promise<boolean> {
    try {
      const { insertedCount, matchedCount } = await this.#detectors.bulkWrite(operations, {
        ordered: false,
        ...ANSWER,
      });
      return insertedCount + matchedCount === operations.length;
    } catch (error) {
      if (!onlyDuplicates(error)) throw error;
      return false;
    }
  }

  /** Nothing is to be told any more of this revision. */
  async delivered({ _id, revision }: Pick<Detector, '_id' | 'revision'>): Promise<void> {
    await effect('monitor.delivered', () =>
      this.#detectors.updateOne({ _id, revision }, { $set: { outbox: null } }, ANSWER),
    );
  }
}

function detectorOf(stored: DetectorDocument): Detector {
  const { act: _, state, ...detector } = stored;
  return { ...detector, state: state === null ? null : unpackState(state) };
}
