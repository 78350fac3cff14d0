import type { Db } from 'mongodb';
import { type CollectionPlan, versionOf } from '../plan.js';
import { RESTORE_ID, type RestoreMark, schemaOf, type VersionMark } from './documents.js';

/** The database cannot be used by this program as it is; the message says what to do next. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** What a database says of itself. */
export interface SchemaState {
  /** By collection; nothing of one whose version is not recorded. */
  readonly versions: ReadonlyMap<string, Pick<VersionMark, 'version' | 'revision'>>;
  readonly restore: RestoreMark | null;
}

export async function readSchema(db: Db): Promise<SchemaState> {
  const found = await schemaOf(db).find({}).toArray();
  return {
    versions: new Map(found.flatMap((mark) => (mark.kind === 'version' ? [[mark._id, mark] as const] : []))),
    restore: found.find((mark): mark is RestoreMark => mark._id === RESTORE_ID) ?? null,
  };
}

type Known = Pick<CollectionPlan, 'name' | 'migrations' | 'revision'>;

/** Why these collections must not be touched by this program; null when they may. */
export function refusal(state: SchemaState, plans: readonly Known[], database: string): string | null {
  if (state.restore !== null) {
    const { folder, startedAt } = state.restore;
    return (
      `A restore of ${folder} into database ${database} has begun at ${startedAt.toISOString()} and not ended: ` +
      `repeat \`tenure restore ${folder}\`, which completes it`
    );
  }
  const newer = plans.flatMap((plan) => {
    const version = state.versions.get(plan.name)?.version ?? 0;
    return version > versionOf(plan) ? [`${plan.name} (${version}, known are 1 to ${versionOf(plan)})`] : [];
  });
  if (newer.length === 0) return null;
  return (
    `Database ${database} was written by a newer program; this one does not know the schema version of ${newer.join(', ')}: ` +
    'run the newer program, or restore a backup of before its time into another database (TENURE_DATABASE)'
  );
}

/** For whoever reads and writes without preparing: asked before each stretch of work. @throws SchemaError */
export const guardSchema = async (db: Db, plans: readonly Known[]): Promise<void> =>
  refuseUnusable(await readSchema(db), plans, db.databaseName);

/** @throws SchemaError */
export function refuseUnusable(state: SchemaState, plans: readonly Known[], database: string): void {
  const reason = refusal(state, plans, database);
  if (reason !== null) throw new SchemaError(reason);
}

/** Plans whose version or revision the database does not have yet. */
export const outdated = <P extends Known>(state: SchemaState, plans: readonly P[]): readonly P[] =>
  plans.filter((plan) => compare(state, plan) < 0);

/** Whether validator and indexes are this program's to set: not when a newer revision of the same version has set them. */
export const isOurs = (state: SchemaState, plan: Known): boolean => compare(state, plan) <= 0;

/** Below 0: the database is older than the plan; above: newer. */
function compare(state: SchemaState, plan: Known): number {
  const found = state.versions.get(plan.name);
  if (found === undefined) return -1;
  return found.version - versionOf(plan) || found.revision - plan.revision;
}
