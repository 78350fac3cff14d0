import type { Collection, Db } from 'mongodb';

/** A request whose answer is known by now. */
export interface LabelledRow {
  readonly requestId: string;
  readonly at: Date;
  /** By the name of the field; what was left out because it is personal is not there. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly label: unknown;
}

/** Requests that were sampled, with their labels. */
export interface LabelledRows {
  /** How many labels came after `labelledAfter`, of rows from `since` on. */
  count(query: {
    readonly model: string;
    readonly since: Date;
    readonly labelledAfter: Date;
  }): Promise<number>;
  /** Rows with a label from `since` on, the newest first, at most so many. */
  read(query: {
    readonly model: string;
    readonly since: Date;
    readonly most: number;
  }): AsyncIterable<LabelledRow>;
}

/** As a gateway, or `tenure observe`, writes it. */
interface SampleDocument extends LabelledRow {
  readonly model: string;
  readonly labelledAt: Date | null;
}

/** In MongoDB's `samples`. */
export class MongoLabelledRows implements LabelledRows {
  readonly #samples: Collection<SampleDocument>;

  constructor(db: Db) {
    this.#samples = db.collection<SampleDocument>('samples');
  }

  count({
    model,
    since,
    labelledAfter,
  }: {
    readonly model: string;
    readonly since: Date;
    readonly labelledAfter: Date;
  }): Promise<number> {
    return this.#samples.countDocuments({ model, at: { $gte: since }, labelledAt: { $gt: labelledAfter } });
  }

  async *read({
    model,
    since,
    most,
  }: {
    readonly model: string;
    readonly since: Date;
    readonly most: number;
  }): AsyncGenerator<LabelledRow, void> {
    const found = this.#samples.find(
      { model, at: { $gte: since }, labelledAt: { $ne: null } },
      {
        sort: { at: -1, requestId: 1, row: 1 },
        limit: most,
        allowDiskUse: true,
        projection: { _id: 0, requestId: 1, at: 1, inputs: 1, label: 1 },
      },
    );
    try {
      for await (const row of found) yield row;
    } finally {
      await found.close();
    }
  }
}
