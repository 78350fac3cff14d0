import { activityInfo } from '@temporalio/activity';
import { isFormerMonitor } from '../../contracts/ids.js';
import type { MonitorActivities } from '../../contracts/monitors.js';
import { MongoLedger } from '../../ledger/index.js';
import { awayAfter, silenceAfter } from '../../lifecycle/monitor-silence.js';
import { collectionsOf } from '../../platform/mongo/index.js';
import {
  DetectorStore,
  FindingStore,
  FleetIncidents,
  ManifestReader,
  MonitorBeats,
  RosterReader,
} from '../../platform/monitors/index.js';
import { HeldProfiles, ProfileStore } from '../../platform/profiles/index.js';
import type { MonitorDeps } from './deps.js';
import { type Evaluating, evaluateModels } from './evaluate-shard.js';
import { Profiles } from './profiles.js';
import { lookAround, watchOthers } from './silent.js';

export type { MonitorDeps } from './deps.js';

/** What evaluating needs besides what the worker gives. The database must be prepared. */
export const evaluatingOf = (deps: MonitorDeps): Evaluating => ({
  ...deps,
  ledger: new MongoLedger(collectionsOf(deps.db).ledger),
  findings: new FindingStore(deps.db),
  detectors: new DetectorStore(deps.db),
  beats: new MonitorBeats(deps.db),
  incidents: new FleetIncidents(deps.db),
  roster: new RosterReader(deps.db),
  manifests: new ManifestReader(deps.db),
  profiles: new Profiles(new HeldProfiles(new ProfileStore(deps.db))),
});

/** For the waiting task queue. The database must be prepared. */
export function createMonitorActivities(deps: MonitorDeps): MonitorActivities {
  const { monitors } = deps;
  const all = evaluatingOf(deps);
  return {
    evaluateShard: async ({ shard }) => {
      const nothing = { models: 0, evaluated: 0, found: 0, told: 0, failed: [], silent: [] };
      if (monitors.seconds === 0 || shard >= monitors.shards) return { ...monitors, ...nothing };
      // Another of this installation has its models; with no seconds it ends.
      if (isFormerMonitor(activityInfo().workflowExecution?.workflowId ?? ''))
        return { ...monitors, ...nothing, seconds: 0 };
      const done = await evaluateModels(all, shard);
      const sight = await lookAround(all, shard);
      const limitMs = silenceAfter(monitors.seconds);
      await all.beats.beat(shard, done.models, { limitMs, awayMs: awayAfter(limitMs) });
      return { ...monitors, ...done, silent: await watchOthers(all, sight) };
    },
  };
}
