import type { Db } from 'mongodb';
import { readIncidents } from './incidents.js';
import { readActs, readModels, readRegistrations } from './models.js';
import { readReleases } from './releases.js';
import { readHeldBack, readRetrainings, readTouched } from './retrainings.js';
import { readTraffic } from './traffic.js';
import type { Facts, FactScope } from './types.js';

/** Everything that a report is computed from: a row a release, an incident, a retraining, grouped by MongoDB. */
export async function readFacts(db: Db, scope: FactScope): Promise<Facts> {
  const [models, releases, registrations, acts, incidents, retrainings, heldBack, traffic] =
    await Promise.all([
      readModels(db, scope),
      readReleases(db, scope),
      readRegistrations(db, scope),
      readActs(db, scope),
      readIncidents(db, scope),
      readRetrainings(db, scope),
      readHeldBack(db, scope),
      readTraffic(db, scope),
    ]);
  const retrained = [...new Set(retrainings.map(({ model }) => model))];
  const touched = await readTouched(db, scope, retrained);
  return { models, releases, registrations, acts, incidents, retrainings, heldBack, touched, traffic };
}
