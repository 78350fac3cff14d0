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

const time = { bsonType: 'number', minimum: 0 };
const severity = { enum: ['info', 'warning', 'critical'] };

const findings: CollectionPlan = {
  name: 'findings',
  migrations: [RECORDED],
  revision: 1,
  validator: {
    $jsonSchema: object({
      _id: someText,
      model: someText,
      kind: someText,
      cause: someText,
      verdict: { enum: ['found', 'immaterial'] },
      severity,
      summary: text,
      features: { bsonType: 'array' },
      window: object({ from: isoTime, to: isoTime, digest: hash }),
      detectedAt: isoTime,
    }),
  },
  indexes: [{ name: 'model_detectedAt', key: { model: 1, detectedAt: -1 } }],
};

const health: CollectionPlan = {
  name: 'health',
  migrations: [RECORDED],
  revision: 1,
  validator: {
    $jsonSchema: object({
      _id: someText,
      seenAt: isoTime,
      state: { enum: ['healthy', 'alarm', 'waiting'] },
      waitingFor: { bsonType: 'array', items: text },
      open: { bsonType: 'array' },
    }),
  },
  indexes: [],
};

/** Who knows the newer form reads the older one, and writes what it reads in its own. */
const PACKED: Migration = {
  what: 'lists of numbers are stored in one piece',
  run: async () => undefined,
};

const detectors: CollectionPlan = {
  name: 'detectors',
  migrations: [RECORDED, PACKED],
  revision: 1,
  validator: {
    $jsonSchema: object({
      _id: someText,
      revision: counted,
      evaluatedTo: time,
      slotsTo: time,
      state: orNull({ bsonType: 'object' }),
      outbox: orNull({ bsonType: 'object' }),
      failed: orNull({ bsonType: 'object' }),
    }),
  },
  indexes: [],
};

const monitors: CollectionPlan = {
  name: 'monitors',
  migrations: [RECORDED],
  revision: 2,
  validator: {
    $jsonSchema: object(
      {
        _id: { bsonType: 'number', minimum: 0 },
        since: { bsonType: 'date' },
        seenAt: { bsonType: 'date' },
        models: { bsonType: 'number', minimum: 0 },
        limitMs: { bsonType: 'number', minimum: 0 },
      },
      ['limitMs'],
    ),
  },
  indexes: [],
};

const fleetIncidents: CollectionPlan = {
  name: 'fleetIncidents',
  migrations: [RECORDED],
  revision: 1,
  validator: {
    $jsonSchema: object({
      _id: counted,
      input: { bsonType: 'object' },
      findings: { bsonType: 'array', minItems: 1, items: someText },
      started: { bsonType: 'bool' },
      over: { bsonType: 'bool' },
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
  findings,
  health,
  detectors,
  monitors,
  fleetIncidents,
  trainingPlaces,
];
