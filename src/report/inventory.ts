import type { Db } from 'mongodb';
import type { InventoryRow } from '../contracts/report.js';
import { validationDue } from '../lifecycle/revalidation.js';
import { readRevalidations } from './facts/incidents.js';
import { readActs, readBasisChanges, readModels } from './facts/models.js';
import { readReleases } from './facts/releases.js';
import type { Facts, FactScope, ReleaseFact } from './facts/types.js';
import { groupBy } from './figures/numbers.js';
import { serviceOf } from './figures/service.js';

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
  const [models, releases, acts, revalidations, basisChanges] = await Promise.all([
    readModels(db, scope),
    readReleases(db, scope),
    readActs(db, scope),
    readRevalidations(db, scope),
    readBasisChanges(db, scope),
  ]);
  return inventoryOf({ models, releases, acts, revalidations, basisChanges }, now, health);
}

/** @param facts everything before `now` */
function inventoryOf(
  facts: Pick<Facts, 'models' | 'releases' | 'acts'> & {
    /** When people said that a version was validated anew. */
    readonly revalidations: readonly { readonly model: string; readonly at: number }[];
    /** When a manifest changed what validations rest on. */
    readonly basisChanges: readonly { readonly model: string; readonly at: number }[];
  },
  now: number,
  health: ReadonlyMap<string, string> | null,
): readonly InventoryRow[] {
  const service = serviceOf(facts, now);
  const releases = groupBy(facts.releases, ({ model }) => model);
  const revalidations = groupBy(facts.revalidations, ({ model }) => model);
  const basisChanges = groupBy(facts.basisChanges, ({ model }) => model);
  return facts.models.map(({ model, team, owner, riskTier, purpose, revalidateSeconds }) => {
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
      nextDue:
        serves === null
          ? null
          : dueOf(
              validationDue(
                promotionsOf(own, serves.digest),
                (revalidations.get(model) ?? []).map(({ at }) => at),
                (basisChanges.get(model) ?? []).map(({ at }) => at),
                revalidateSeconds,
              ),
              now,
            ),
    };
  });
}

function lastOf(releases: readonly ReleaseFact[]): InventoryRow['lastRelease'] {
  const [first, ...rest] = releases;
  if (first === undefined) return null;
  const last = rest.reduce((newest, next) => (next.release > newest.release ? next : newest), first);
  const { release, version, submitted, promoted, ended } = last;
  // One of a model at a time: while an earlier one goes on, this one waits for its end.
  const waits = releases.some(
    (one) => one.release < release && (one.validated ?? one.promoted) !== null && one.ended === null,
  );
  const at = ended?.at ?? promoted?.at ?? submitted;
  return {
    release,
    version: version ?? 'unknown',
    state: ended?.outcome ?? (waits ? 'queued' : promoted === null ? 'in flight' : 'soaking'),
    at: at === null ? null : new Date(at).toISOString(),
  };
}

const promotionsOf = (releases: readonly ReleaseFact[], digest: string): readonly number[] =>
  releases.flatMap((release) =>
    release.digest === digest && release.promoted !== null ? [release.promoted.at] : [],
  );

const dueOf = (due: number | null, now: number): InventoryRow['nextDue'] =>
  due === null ? null : { at: new Date(due).toISOString(), what: 'revalidation', overdue: due <= now };
