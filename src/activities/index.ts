import type { Db } from 'mongodb';
import type { TenureActivities, WaitingActivities } from '../contracts/activities.js';
import type { DoctorActivities } from '../contracts/doctor.js';
import type { ReportActivities } from '../contracts/report.js';
import type { MonitorActivities } from '../contracts/monitors.js';
import type { RetrainingWork } from '../contracts/retraining.js';
import { effect } from '../fail-points/index.js';
import { MongoLedger } from '../ledger/index.js';
import { DEFAULT_FLEET, MongoAlertDesk, type AlertChannel } from '../platform/alerts/index.js';
import { collectionsOf } from '../platform/mongo/index.js';
import { ProfileStore } from '../platform/profiles/index.js';
import { openModelThread } from '../platform/onnx/thread.js';
import { MongoVersionRegistry, type ArtifactStore } from '../platform/registry/index.js';
import { MongoLabelledRows } from '../platform/samples/labelled-rows.js';
import { MongoRoutingStore } from '../platform/serving/index.js';
import { ProcessPlatform } from '../platform/training/index.js';
import { alive } from './alive.js';
import { createAlertActivities } from './alerts.js';
import { createApprovalActivities } from './approvals.js';
import { createConformanceActivities } from './conformance.js';
import { createDoctorActivities, type DoctorDeps } from './doctor/index.js';
import { withFailures } from './failures.js';
import { createFreezeActivities } from './freeze.js';
import { createLedgerActivities } from './ledger.js';
import { NO_MEASURES, type Measures } from './measures.js';
import { createMetricsActivities } from './metrics.js';
import { createMonitorActivities, type MonitorDeps } from './monitors/index.js';
import { recalling } from './recalled.js';
import { createRegistryActivities } from './registry.js';
import { createReportActivities } from './report.js';
import { createRetrainingActivities, createRetrainingWork } from './retraining/index.js';
import { createTrafficActivities } from './traffic.js';
import { createValidationActivities } from './validation/index.js';
import { createWaitingActivities } from './waiting.js';

/** What all activities stand on. The database must be prepared. */
export interface ActivityDeps {
  readonly db: Db;
  readonly artifacts: ArtifactStore;
  readonly alertChannels: readonly AlertChannel[];
  /** PATH of gate commands and trainers; nothing else of the environment reaches them. */
  readonly commandPath: string;
  /** Where trainings are kept while they run. */
  readonly trainingFolder: string;
  /** How many trainings may run at once in the fleet. */
  readonly trainings: number;
  /** Nothing is measured without it. */
  readonly measures?: Measures;
}

/** All activities of the control plane, and those of the waiting task queue apart. */
export function createActivities(deps: ActivityDeps): {
  readonly acting: TenureActivities;
  readonly waiting: WaitingActivities & RetrainingWork;
} {
  const { db, artifacts, alertChannels, commandPath, measures = NO_MEASURES } = deps;
  const rows = new MongoLabelledRows(db);
  const platform = new ProcessPlatform({ folder: deps.trainingFolder, path: commandPath });
  const ledger = new MongoLedger(collectionsOf(db).ledger);
  const routes = new MongoRoutingStore(db);
  const conformance = createConformanceActivities({ artifacts, routes });
  const validation = createValidationActivities({
    artifacts,
    profiles: new ProfileStore(db),
    openModel: openModelThread,
    commandPath,
  });
  const metrics = createMetricsActivities({ db });
  const waiting = createWaitingActivities({ db, routes });
  return {
    acting: observed<TenureActivities>({
      ...createLedgerActivities({ ledger, measures }),
      ...createRegistryActivities({ ledger, artifacts, routes, registry: new MongoVersionRegistry(db) }),
      ...createTrafficActivities({ ledger, routes, artifacts, measures }),
      checkConformance: recalling(ledger, 'checkConformance', conformance),
      validateVersion: recalling(ledger, 'validateVersion', validation),
      readBaseline: recalling(ledger, 'readBaseline', metrics),
      ...createFreezeActivities(),
      ...createApprovalActivities(),
      ...createAlertActivities({ alerts: new MongoAlertDesk(db, alertChannels) }),
      ...createRetrainingActivities({ rows }),
    }),
    waiting: observed<WaitingActivities & RetrainingWork>({
      awaitLook: recalling(ledger, 'awaitLook', waiting),
      ...createRetrainingWork({
        db,
        artifacts,
        rows,
        platform,
        places: { places: deps.trainings },
        openModel: openModelThread,
      }),
    }),
  };
}

/** Those of the doctor, for the waiting task queue. */
export const createDoctor = (
  deps: Omit<DoctorDeps, 'alerts'> & Pick<ActivityDeps, 'alertChannels'>,
): DoctorActivities => {
  const { alertChannels, ...rest } = deps;
  return observed<DoctorActivities>(
    createDoctorActivities({ ...rest, alerts: new MongoAlertDesk(deps.db, alertChannels) }),
  );
};

/** Those of the daily report, for the waiting task queue. */
export const createReporter = (deps: Pick<ActivityDeps, 'db' | 'artifacts'>): ReportActivities =>
  observed<ReportActivities>(createReportActivities(deps));

/** Those of the monitors, for the waiting task queue. */
export const createMonitors = (
  deps: Omit<MonitorDeps, 'alerts' | 'fleet'> &
    Partial<Pick<MonitorDeps, 'fleet'>> &
    Pick<ActivityDeps, 'alertChannels'>,
): MonitorActivities => {
  const { alertChannels, fleet = DEFAULT_FLEET, ...rest } = deps;
  const alerts = new MongoAlertDesk(deps.db, alertChannels);
  return observed<MonitorActivities>(createMonitorActivities({ ...rest, fleet, alerts }));
};

type Name =
  | keyof TenureActivities
  | keyof WaitingActivities
  | keyof RetrainingWork
  | keyof DoctorActivities
  | keyof ReportActivities
  | keyof MonitorActivities;

/** Those that say nothing while they run; the others beat where they make progress, so that a call that hangs is noticed too. */
const SILENT: ReadonlySet<string> = new Set<Name>([
  'recordEvents',
  'findVersion',
  'verifyDecisions',
  'sendAlert',
  'readBaseline',
  'compareParts',
  'repairModel',
  'tellDifferences',
  'writeFleetReport',
  'evaluateShard',
  'readRetrainingSigns',
]);

/** Each with a fail point before its first and after its last line, where a worker dies with a task in its hands. */
function observed<A extends object>(activities: { readonly [K in keyof A]: A[K] }): A {
  const entries = Object.entries<(input: unknown) => Promise<unknown>>(activities as never);
  return Object.fromEntries(
    entries.map(([name, act]) => {
      const run = (input: unknown) =>
        withFailures(() => effect(`activity.${name as Name}`, () => act(input)));
      return [name, SILENT.has(name) ? (input: unknown) => alive(() => run(input)) : run];
    }),
  ) as A;
}
