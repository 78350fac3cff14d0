import type { Collection, Db, Document } from 'mongodb';

/** The version of one collection; `_id` is its name. */
export interface VersionMark {
  readonly _id: string;
  readonly kind: 'version';
  readonly version: number;
  readonly revision: number;
  /** Server's clock. */
  readonly changedAt: Date;
}

/** Who migrates this database now. */
export interface MigrationLease {
  readonly _id: typeof LEASE_ID;
  readonly kind: 'lease';
  readonly holder: string;
  /** Server's clock; others may take it afterwards. */
  readonly until: Date;
}

/** A restore into this database has begun and not ended. */
export interface RestoreMark {
  readonly _id: typeof RESTORE_ID;
  readonly kind: 'restore';
  /** SHA-256 of the backup's manifest: repeating the restore of the same backup completes it. */
  readonly backup: string;
  /** Where the backup was, for people. */
  readonly folder: string;
  readonly startedAt: Date;
  /** `loading`: beside what is there, which is whole. `swapping`: collections are being put in place, one after the other. */
  readonly phase: 'loading' | 'swapping';
}

export type SchemaDocument = VersionMark | MigrationLease | RestoreMark;

/** No collection is called so. */
export const LEASE_ID = '(migration)';
export const RESTORE_ID = '(restore)';

export const SCHEMA = 'schema';

export const schemaOf = (db: Db): Collection<SchemaDocument> => db.collection(SCHEMA);

const text = { bsonType: 'string', minLength: 1 };
const counted = { bsonType: 'number', minimum: 1, multipleOf: 1 };
const date = { bsonType: 'date' };

const form = (properties: Document): Document => ({
  bsonType: 'object',
  required: Object.keys(properties),
  properties,
  additionalProperties: false,
});

/** Of the collection that holds the versions of the others, and so has none itself: it only ever gets further kinds. */
export const SCHEMA_VALIDATOR: Document = {
  $jsonSchema: {
    anyOf: [
      form({ _id: text, kind: { enum: ['version'] }, version: counted, revision: counted, changedAt: date }),
      form({ _id: { enum: [LEASE_ID] }, kind: { enum: ['lease'] }, holder: text, until: date }),
      form({
        _id: { enum: [RESTORE_ID] },
        kind: { enum: ['restore'] },
        backup: text,
        folder: text,
        startedAt: date,
        phase: { enum: ['loading', 'swapping'] },
      }),
    ],
  },
};
