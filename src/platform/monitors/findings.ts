import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb';
import type { Finding, HealthRecord } from '../../contracts/monitoring.js';
import { effect } from '../../fail-points/index.js';

/** `_id` is the finding's id. */
interface FindingDocument extends Omit<Finding, 'id'> {
  readonly _id: string;
}

/** `_id` is the model. */
interface HealthDocument extends Omit<HealthRecord, 'model'> {
  readonly _id: string;
}

const ANSWER = { timeoutMS: 20_000 } as const;

/** Findings, each stored once, and the health of models. */
export class FindingStore {
  readonly #findings: Collection<FindingDocument>;
  readonly #health: Collection<HealthDocument>;

  constructor(db: Db) {
    this.#findings = db.collection('findings');
    this.#health = db.collection('health');
  }

  /** What is there stays as it is. */
  async add(findings: readonly Finding[]): Promise<void> {
    if (findings.length === 0) return;
    const operations = findings.map(({ id, ...rest }): AnyBulkWriteOperation<FindingDocument> => ({
      updateOne: { filter: { _id: id }, update: { $setOnInsert: rest }, upsert: true },
    }));
    await effect('monitor.findings', () =>
      this.#findings.bulkWrite(operations, { ordered: false, ...ANSWER }),
    );
  }

  /** The newest first. @param model of all models when left out */
  async newest(model: string | null, limit: number): Promise<readonly Finding[]> {
    const found = await this.#findings
      .find(model === null ? {} : { model }, ANSWER)
      .sort({ detectedAt: -1, _id: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id: id, ...rest }) => ({ id, ...rest }));
  }

  async setHealth(records: readonly HealthRecord[]): Promise<void> {
    if (records.length === 0) return;
    const operations = records.map(({ model: _id, ...rest }): AnyBulkWriteOperation<HealthDocument> => ({
      replaceOne: { filter: { _id }, replacement: rest, upsert: true },
    }));
    await effect('monitor.health', () => this.#health.bulkWrite(operations, { ordered: false, ...ANSWER }));
  }

  async health(model: string): Promise<HealthRecord | null> {
    const found = await this.#health.findOne({ _id: model }, ANSWER);
    if (found === null) return null;
    const { _id, ...rest } = found;
    return { model: _id, ...rest };
  }
}
