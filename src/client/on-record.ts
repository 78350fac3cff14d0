import { FLEET_STREAM } from '../contracts/ledger.js';
import { explainStorage, TenureError } from './errors.js';
import type { Session } from './session.js';

/**
 * Where there is nothing to tell of a model: that it is one at all. Else a slip in its name reads like good news.
 * @throws TenureError `not-found` for a name that nothing is on record of
 */
export async function requireOnRecord(session: Session, model: string): Promise<void> {
  if (model === FLEET_STREAM) return;
  const { collections } = await session.database();
  let event: object | null;
  try {
    event = await collections.ledger.findOne({ stream: model }, { projection: { _id: 1 } });
  } catch (error) {
    throw explainStorage(error);
  }
  if (event === null)
    throw new TenureError('not-found', `The ledger holds nothing of ${model}: apply its manifest first`);
}
