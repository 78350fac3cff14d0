import type { DoctorActivities } from '../../contracts/doctor.js';
import { MongoLedger } from '../../ledger/index.js';
import { collectionsOf } from '../../platform/mongo/index.js';
import { MongoVersionRegistry } from '../../platform/registry/index.js';
import { MongoRoutingStore } from '../../platform/serving/index.js';
import { compare } from './compare.js';
import type { DoctorDeps } from './deps.js';
import { Executions } from './executions.js';
import { Records } from './records.js';
import { repair } from './repair.js';
import { tell } from './tell.js';

export type { DoctorDeps } from './deps.js';

const SETTLE_MS = 3_000;
/** Alerts that are tried again in a round. */
const MOST_RETRIED = 100;

/** For the waiting task queue: a round over many models takes minutes, and does nothing but read. */
export function createDoctorActivities(deps: DoctorDeps): DoctorActivities {
  const { db, artifacts, client, taskQueue, alerts, measures, settleMs = SETTLE_MS } = deps;
  const collections = collectionsOf(db);
  const all = {
    executions: new Executions(client, taskQueue),
    records: new Records(collections.ledger),
    routes: new MongoRoutingStore(db),
    registry: new MongoVersionRegistry(db),
    ledger: new MongoLedger(collections.ledger),
    artifacts,
    client,
    taskQueue,
    collections,
    settleMs,
  };
  return {
    compareParts: async (input) => {
      const report = await compare(all, input);
      if (input.model !== undefined) return report;
      measures.round(report);
      return { ...report, alerts: await alerts.retryPending(MOST_RETRIED) };
    },
    repairModel: (input) => repair(all, input),
    tellDifferences: ({ at, fresh, resolved }) => tell(alerts, at, fresh, resolved),
  };
}
