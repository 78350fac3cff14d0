import { isDeepStrictEqual } from 'node:util';
import type { Db, Document } from 'mongodb';
import { COLLECTIONS, type CollectionPlan } from './collections.js';
import { codeOf } from './errors.js';

const NAMESPACE_EXISTS = 48;
/** Another process changes the same collection at this moment. */
const IN_PROGRESS = [117, 112, 12_586, 12_587];

/**
 * Creates what is missing of collections, validators and indexes. Harmless when repeated, and when several processes do it at
 * once; needs no more than read rights where all is in place.
 */
export async function prepareDatabase(db: Db, plans: readonly CollectionPlan[] = COLLECTIONS): Promise<void> {
  for (const plan of plans) {
    await patiently(() => prepareCollection(db, plan));
  }
}

async function prepareCollection(db: Db, { name, validator, indexes }: CollectionPlan): Promise<void> {
  const wanted = { validator, validationLevel: 'strict', validationAction: 'error' } as const;
  const [found] = await db.listCollections({ name }).toArray();
  if (found === undefined) {
    try {
      await db.createCollection(name, wanted);
    } catch (error) {
      if (codeOf(error) !== NAMESPACE_EXISTS) throw error;
      return prepareCollection(db, { name, validator, indexes });
    }
  } else if (!isAsWanted('options' in found ? found.options : undefined, wanted)) {
    await db.command({ collMod: name, ...wanted });
  }
  const existing = new Set((await db.collection(name).indexes()).map((index) => String(index.name)));
  const missing = indexes.filter((index) => !existing.has(index.name));
  if (missing.length > 0) await db.collection(name).createIndexes([...missing]);
}

const isAsWanted = (options: Document | undefined, wanted: Document): boolean =>
  Object.entries(wanted).every(([option, value]) => isDeepStrictEqual(options?.[option], value));

async function patiently(act: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      const code = codeOf(error);
      if (attempt >= 20 || code === undefined || !IN_PROGRESS.includes(code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25 * attempt));
    }
  }
}
