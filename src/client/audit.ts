import { FLEET_STREAM, type LedgerEvent, type LedgerHead } from '../contracts/ledger.js';
import {
  readStream,
  type StoryLine,
  tell,
  verifyLedger as verifyEvents,
  type VerifyResult,
} from '../ledger/index.js';
import { explainStorage, TenureError } from './errors.js';
import type { Session } from './session.js';
import type { Tenure } from './tenure.js';

export interface HistoryEntry extends StoryLine {
  /** The event as it was recorded. */
  readonly event: LedgerEvent;
}

/** A model's story, oldest first. It shows what is stored; whether that was altered is for `verifyLedger`. */
export async function* history(
  session: Session,
  model: string,
  options: { readonly from?: number } = {},
): AsyncGenerator<HistoryEntry> {
  const { collections } = await session.database();
  let empty = true;
  try {
    for await (const event of readStream(collections.ledger, model, options)) {
      empty = false;
      yield { ...tell(event), event };
    }
  } catch (error) {
    throw explainStorage(error);
  }
  if (empty && (options.from ?? 1) === 1)
    throw new TenureError('not-found', `The ledger holds nothing of ${model}: apply its manifest first`);
}

export interface VerifiedLedger extends VerifyResult {
  /** Stream -> the newest event that the model's workflows know of; compared with what is stored. */
  readonly heads: Readonly<Record<string, LedgerHead>>;
  /** Streams whose workflows did not answer: whether their newest events were cut off is not known. */
  readonly headsUnknown: readonly { readonly stream: string; readonly why: string }[];
  /** The workflows could not be asked because something is not running. */
  readonly unreachable: boolean;
}

export interface VerifyLedgerOptions {
  /** One model; all when absent. */
  readonly model?: string;
  /** Recompute hashes only, ask no workflow. */
  readonly withoutHeads?: boolean;
  /** Between events. */
  readonly onProgress?: (events: number) => void;
}

/**
 * Recomputes every hash and link, and compares the newest events with the heads that the models' workflows carry, which are in
 * another database: the lifecycle's and that of the release in flight.
 */
export async function verifyLedger(
  session: Session,
  { model, withoutHeads = false, onProgress }: VerifyLedgerOptions = {},
): Promise<VerifiedLedger> {
  const { collections } = await session.database();
  // Heads first: what is recorded while the events are read comes after them.
  const known = withoutHeads ? NO_HEADS : await readHeads(session, model);
  try {
    const isFleetThere =
      !withoutHeads &&
      (model ?? FLEET_STREAM) === FLEET_STREAM &&
      (await collections.ledger.findOne({ stream: FLEET_STREAM })) !== null;
    const headsUnknown = isFleetThere ? [...known.headsUnknown, FLEET_HEAD] : known.headsUnknown;
    const result = await verifyEvents(collections.ledger, {
      heads: known.heads,
      ...(model === undefined ? {} : { stream: model }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    if (model !== undefined && result.events === 0 && known.heads[model] === undefined && !known.unreachable)
      throw new TenureError('not-found', `The ledger holds nothing of ${model}, and no workflow knows it`);
    return { ...result, ...known, headsUnknown };
  } catch (error) {
    throw explainStorage(error);
  }
}

const FLEET_HEAD = { stream: FLEET_STREAM, why: 'no workflow keeps it, as it belongs to no model' };

type Heads = Pick<VerifiedLedger, 'heads' | 'headsUnknown' | 'unreachable'>;
const NO_HEADS: Heads = { heads: {}, headsUnknown: [], unreachable: false };
const AT_ONCE = 8;

async function readHeads(session: Session, model: string | undefined): Promise<Heads> {
  const heads: Record<string, LedgerHead> = {};
  const headsUnknown: { stream: string; why: string }[] = [];
  let unreachable = false;
  const miss = (stream: string, error: unknown): void => {
    headsUnknown.push({ stream, why: error instanceof Error ? error.message : String(error) });
    unreachable ||= error instanceof TenureError && error.code === 'unreachable';
  };
  if (model === FLEET_STREAM) return NO_HEADS;
  try {
    const tenure = await session.tenure();
    const models = model === undefined ? (await tenure.listModels()).map((row) => row.model) : [model];
    const left = [...models];
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const stream = next;
        // Once nobody answers, nobody will: each further question would wait as long again.
        if (unreachable) miss(stream, new TenureError('unreachable', 'not asked: no worker answered before'));
        else
          await headOf(tenure, stream).then(
            (head) => (heads[stream] = head),
            (error: unknown) => miss(stream, error),
          );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } catch (error) {
    if (!(error instanceof TenureError) || error.code !== 'unreachable') throw error;
    miss(model ?? 'all streams', error);
  }
  return { heads, headsUnknown: headsUnknown.sort((a, b) => a.stream.localeCompare(b.stream)), unreachable };
}

/** The newer of the model's head and its newest release's, which tells the model only now and then. */
async function headOf(tenure: Tenure, model: string): Promise<LedgerHead> {
  const { head, inFlight, releases } = await tenure.model(model);
  const newest =
    inFlight ?? releases.find(({ stage }) => stage !== 'queued' && stage !== 'superseded')?.release;
  if (newest === undefined) return head;
  try {
    const ofRelease = (await tenure.release(model, newest)).head;
    return ofRelease.sequence > head.sequence ? ofRelease : head;
  } catch (error) {
    // Temporal forgets ended workflows after the namespace's retention time, and all of them when its database is lost: the model has
    // heard of their end.
    if (error instanceof TenureError && error.code !== 'unreachable') return head;
    throw error;
  }
}
