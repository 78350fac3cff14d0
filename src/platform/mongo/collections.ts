import { MONITOR_COLLECTIONS } from './monitor-collections.js';
import { type CollectionPlan, RECORDED } from './plan.js';
import { closed, counted, hash, isoTime, object, orNull, share, someText, text } from './shapes.js';

const version = { version: someText, digest: hash };

const ledger: CollectionPlan = {
  name: 'ledger',
  migrations: [RECORDED],
  revision: 2,
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
    // The newest manifest of each of many models, without a look at the other events.
    {
      name: 'manifests',
      key: { action: 1, stream: 1, sequence: -1 },
      partialFilterExpression: { action: 'manifest.applied' },
    },
  ],
};

const versions: CollectionPlan = {
  name: 'versions',
  migrations: [RECORDED],
  revision: 1,
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
  migrations: [RECORDED],
  revision: 1,
  validator: {
    $jsonSchema: object(
      {
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
        intent: { bsonType: 'number', minimum: 0, multipleOf: 1 },
      },
      ['intent'],
    ),
  },
  indexes: [],
};

const gateways: CollectionPlan = {
  name: 'gateways',
  migrations: [RECORDED],
  revision: 1,
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
  migrations: [RECORDED],
  revision: 2,
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
  indexes: [
    { name: 'model_at', key: { model: 1, at: -1 } },
    // Which are still to be told.
    { name: 'sentAt_at', key: { sentAt: 1, at: 1 } },
  ],
};

const profiles: CollectionPlan = {
  name: 'profiles',
  migrations: [RECORDED],
  revision: 1,
  validator: {
    $jsonSchema: closed({
      _id: hash,
      model: someText,
      artifact: hash,
      madeAt: { bsonType: 'date' },
      content: object({
        format: { enum: [1] },
        model: someText,
        artifact: hash,
        data: hash,
        sources: { bsonType: 'array' },
        score: orNull(someText),
        lacks: { bsonType: 'array', items: text },
        profile: { bsonType: 'object' },
      }),
    }),
  },
  indexes: [{ name: 'model_artifact_madeAt', key: { model: 1, artifact: 1, madeAt: -1 } }],
};

const reports: CollectionPlan = {
  name: 'reports',
  migrations: [RECORDED],
  revision: 1,
  validator: {
    $jsonSchema: closed({
      _id: { bsonType: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
      day: someText,
      revision: counted,
      madeAt: isoTime,
      html: hash,
      report: object({ since: isoTime, until: isoTime }),
    }),
  },
  indexes: [],
};

const trainingPlaces: CollectionPlan = {
  name: 'trainingPlaces',
  migrations: [RECORDED],
  revision: 1,
  validator: {
    $jsonSchema: closed({
      _id: { bsonType: 'number', minimum: 0 },
      run: someText,
      holder: someText,
      until: { bsonType: 'date' },
    }),
  },
  indexes: [{ name: 'run', key: { run: 1 } }],
};

/** All collections of the control plane. */
export const COLLECTIONS: readonly CollectionPlan[] = [
  ledger,
  versions,
  routes,
  gateways,
  alerts,
  profiles,
  reports,
  ...MONITOR_COLLECTIONS,
  trainingPlaces,
];
