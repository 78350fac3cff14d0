import { type CollectionPlan, type Migration, RECORDED } from './plan.js';
import { counted, hash, isoTime, object, orNull, someText, text } from './shapes.js';

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

/** Where monitors keep what they have seen, found and told. */
export const MONITOR_COLLECTIONS: readonly CollectionPlan[] = [
  findings,
  health,
  detectors,
  monitors,
  fleetIncidents,
];
