import type { Document, IndexDescription } from 'mongodb';

/** What one collection is to look like. */
export interface CollectionPlan {
  readonly name: string;
  readonly validator: Document;
  /** Named, so that a repeat sees what is there. */
  readonly indexes: readonly (IndexDescription & { readonly name: string })[];
}

const text = { bsonType: 'string' };
const someText = { bsonType: 'string', minLength: 1, maxLength: 1_000 };
const hash = { bsonType: 'string', pattern: '^[0-9a-f]{64}$' };
const isoTime = { bsonType: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' };
const counted = { bsonType: 'number', minimum: 1, multipleOf: 1 };
const share = { bsonType: 'number', minimum: 0, maximum: 1 };

const object = (properties: Document, optional: readonly string[] = []): Document => ({
  bsonType: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
const closed = (properties: Document, optional: readonly string[] = []): Document => ({
  ...object(properties, optional),
  additionalProperties: false,
});
const orNull = (schema: Document): Document => ({ anyOf: [{ bsonType: 'null' }, schema] });

const version = { version: someText, digest: hash };

const ledger: CollectionPlan = {
  name: 'ledger',
  validator: {
    $jsonSchema: closed({
      _id: hash,
      stream: someText,
      sequence: counted,
      id: someText,
      action: { bsonType: 'string', pattern: '^[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)+$' },
      actor: closed({ kind: { enum: ['person', 'system'] }, id: someText }),
      subject: { bsonType: 'object' },
      evidence: { bsonType: 'object' },
      at: isoTime,
      previousHash: hash,
      hash,
      canonical: { bsonType: 'string', minLength: 2 },
    }),
  },
  indexes: [
    { name: 'stream_sequence', key: { stream: 1, sequence: 1 }, unique: true },
    { name: 'stream_id', key: { stream: 1, id: 1 }, unique: true },
    { name: 'action_at', key: { action: 1, at: 1 } },
  ],
};

const versions: CollectionPlan = {
  name: 'versions',
  validator: {
    $jsonSchema: closed({
      _id: someText,
      model: someText,
      ...version,
      sizeBytes: { bsonType: 'number', minimum: 1 },
      lineage: { bsonType: 'object' },
      registeredBy: someText,
      registeredAt: isoTime,
    }),
  },
  indexes: [
    { name: 'model_version', key: { model: 1, version: 1 }, unique: true },
    { name: 'model_digest', key: { model: 1, digest: 1 }, unique: true },
  ],
};

const routes: CollectionPlan = {
  name: 'routes',
  validator: {
    $jsonSchema: object({
      _id: someText,
      model: someText,
      generation: counted,
      changeId: someText,
      changedAt: { bsonType: 'date' },
      phase: text,
      champion: orNull(object(version)),
      candidate: orNull(object({ ...version, weight: share })),
      holdback: orNull(object({ ...version, share })),
      shadow: orNull(object({ ...version, share })),
      warm: { bsonType: 'array', items: object(version) },
      leaseSeconds: { bsonType: 'number', minimum: 0 },
    }),
  },
  indexes: [],
};

const gateways: CollectionPlan = {
  name: 'gateways',
  validator: {
    $jsonSchema: object({
      _id: someText,
      gateway: someText,
      boot: someText,
      url: someText,
      startedAt: text,
      seenAt: { bsonType: 'date' },
      status: { enum: ['serving', 'stopped', 'retired'] },
      observed: { bsonType: 'object' },
    }),
  },
  indexes: [],
};

const alerts: CollectionPlan = {
  name: 'alerts',
  validator: {
    $jsonSchema: object({
      _id: someText,
      model: someText,
      severity: { enum: ['info', 'warning', 'critical'] },
      title: text,
      text,
      at: text,
      sentAt: orNull({ bsonType: 'date' }),
    }),
  },
  indexes: [{ name: 'model_at', key: { model: 1, at: -1 } }],
};

/** All collections of the control plane. */
export const COLLECTIONS: readonly CollectionPlan[] = [ledger, versions, routes, gateways, alerts];
