import type { Collection, Db } from 'mongodb';
import type { Finding, MonitorReport } from '../../contracts/monitoring.js';
import { effect } from '../../fail-points/index.js';
import type { DetectorState } from '../../statistics/monitor/types.js';
import { isDuplicateKey } from '../mongo/errors.js';

/** What was found and has still to be stored, recorded and told. */
export interface Outbox {
  readonly findings: readonly Finding[];
  readonly cleared: MonitorReport['cleared'];
}

/** A model that could not be evaluated. */
export interface FailedTicks {
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

const ANSWER = { timeoutMS: 20_000 } as const;

/** What monitors carry from tick to tick, one document a model. */
export class DetectorStore {
  readonly #detectors: Collection<Detector>;

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
    return new Map(found.map((detector) => [detector._id, detector]));
  }

  /**
   * From the revision before this one: evaluations of the same windows are one, whoever was first.
   * @returns false when somebody else has changed it meanwhile
   */
  async carry(detector: Detector): Promise<boolean> {
    const { _id, revision } = detector;
    try {
      return await effect('monitor.carry', async () => {
        if (revision === 1) {
          await this.#detectors.insertOne(detector, ANSWER);
          return true;
        }
        const { matchedCount } = await this.#detectors.replaceOne(
          { _id, revision: revision - 1 },
          detector,
          ANSWER,
        );
        return matchedCount === 1;
      });
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Nothing is to be told any more of this revision. */
  async delivered({ _id, revision }: Pick<Detector, '_id' | 'revision'>): Promise<void> {
    await effect('monitor.delivered', () =>
      this.#detectors.updateOne({ _id, revision }, { $set: { outbox: null } }, ANSWER),
    );
  }
}
