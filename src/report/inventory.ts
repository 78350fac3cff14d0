import type { Db } from 'mongodb';
import type { InventoryRow } from '../contracts/report.js';
import { DAY_MS } from './facts/traffic.js';
import { readActs, readModels } from './facts/models.js';
import { readReleases } from './facts/releases.js';
import type { Facts, FactScope, ReleaseFact } from './facts/types.js';
import { isTakenBack } from './figures/failures.js';
import { groupBy } from './figures/numbers.js';
import { serviceOf } from './figures/service.js';

/**
 * Days after which the version in production is due for validation again, by risk tier; null: never. The record has no date of its
 * own for that yet, so this is the inventory's rule.
 */
export const REVALIDATION_DAYS: Readonly<Record<string, number | null>> = {
  high: 180,
  medium: 365,
  low: 730,
  experimental: null,
};

/**
 * Every model on record, by name. What serves is read from the ledger.
 * @param health by model, e.g. from Temporal's visibility store; null: it could not be asked
 */
export async function makeInventory(
  db: Db,
  now: number,
  health: ReadonlyMap<string, string> | null,
): Promise<readonly InventoryRow[]> {
  const scope: FactScope = { since: 0, until: now, models: null };
  const [models, releases, acts] = await Promise.all([
    readModels(db, scope),
    readReleases(db, scope),
    readActs(db, scope),
  ]);
  return inventoryOf({ models, releases, acts }, now, health);
}

/** @param facts everything before `now` */
export function inventoryOf(
  facts: Pick<Facts, 'models' | 'releases' | 'acts'>,
  now: number,
  health: ReadonlyMap<string, string> | null,
): readonly InventoryRow[] {
  const service = serviceOf(facts, now);
  const releases = groupBy(facts.releases, ({ model }) => model);
  return facts.models.map(({ model, team, owner, riskTier, purpose }) => {
    const { serves, isRetired } = service(model);
    const own = releases.get(model) ?? [];
    return {
      model,
      team,
      owner,
      riskTier,
      purpose,
      version: serves?.version ?? null,
      health: isRetired ? 'retired' : health === null ? null : (health.get(model) ?? 'unknown'),
      lastRelease: lastOf(own),
      nextDue: serves === null ? null : revalidation(own, serves.digest, riskTier, now),
    };
  });
}

function lastOf(releases: readonly ReleaseFact[]): InventoryRow['lastRelease'] {
  const [first, ...rest] = releases;
  if (first === undefined) return null;
  const last = rest.reduce((newest, next) => (next.release > newest.release ? next : newest), first);
  const { release, version, submitted, promoted, ended } = last;
  return {
    release,
    version: version ?? 'unknown',
    state: ended?.outcome ?? (promoted === null ? 'in flight' : 'soaking'),
    at: new Date(ended?.at ?? promoted?.at ?? submitted ?? 0).toISOString(),
  };
}

/** Counted from the last validation of what serves. */
function revalidation(
  releases: readonly ReleaseFact[],
  digest: string,
  riskTier: string,
  now: number,
): InventoryRow['nextDue'] {
  const days = REVALIDATION_DAYS[riskTier] ?? null;
  const validated = releases
    .filter((release) => release.digest === digest && release.promoted !== null && !isTakenBack(release))
    .map((release) => release.validated ?? release.promoted?.at ?? 0);
  if (days === null || validated.length === 0) return null;
  const at = Math.max(...validated) + days * DAY_MS;
  return { at: new Date(at).toISOString(), what: 'revalidation', overdue: at <= now };
}
