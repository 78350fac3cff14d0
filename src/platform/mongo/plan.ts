import type { Db, Document, IndexDescription } from 'mongodb';

/**
 * Brings the documents of one collection from a version to the next. The process may die anywhere in it, and another may run it at
 * the same time: it must be harmless when repeated, go in small batches, and take documents that have the new form already as they
 * are. The ledger's events are never rewritten, by no migration: they stay as they were hashed, and its readers read all forms.
 */
export interface Migration {
  /** In the log, e.g. `alerts name their channels`. */
  readonly what: string;
  readonly run: (db: Db) => Promise<void>;
}

/** What one collection is to look like. */
export interface CollectionPlan {
  readonly name: string;
  /**
   * The one at index n leads from version n to n + 1. A new version is for what processes of the version before cannot live with;
   * those are stopped first, and refused from then on. At index 0 is what leads from databases without versions to version 1.
   */
  readonly migrations: readonly Migration[];
  /**
   * Counts the changes of validator and indexes within a version, from 1. They are additive: what older processes of the version write
   * is still taken, what newer ones write they can read. A process leaves a newer revision as it is.
   */
  readonly revision: number;
  readonly validator: Document;
  /** Named, so that a repeat sees what is there. */
  readonly indexes: readonly (IndexDescription & { readonly name: string })[];
}

/** The version that this code makes and knows. */
export const versionOf = ({ migrations }: Pick<CollectionPlan, 'migrations'>): number => migrations.length;

/**
 * The first version is the form of the time before versions: of this, validator and indexes are all that is made. So nothing of
 * what such a database holds is changed.
 */
export const RECORDED: Migration = {
  what: 'the form that is there is recorded as version 1',
  run: async () => undefined,
};
