import { FLEET_STREAM } from '../contracts/ledger.js';
import type { GatewayRecord, RoutePhase } from '../contracts/routes.js';
import type { VersionRef } from '../contracts/model.js';
import { LedgerConflictError, MongoLedger } from '../ledger/index.js';
import { MongoRoutingStore, type RoutingStore } from '../platform/serving/index.js';
import { explainStorage, TenureError } from './errors.js';
import type { Session } from './session.js';

/** What one gateway does for one model, beside what it should do. */
export interface GatewayModel {
  readonly model: string;
  /** Generation of the table in force; null when the model has none any more. */
  readonly wanted: number | null;
  readonly observed: number | null;
  readonly phase: RoutePhase | null;
  readonly champion: string | null;
  readonly candidate: string | null;
  /** Candidate's share, 0..1. */
  readonly weight: number | null;
  /** Routed versions that are not loaded yet, by name. */
  readonly missing: readonly string[];
  readonly failed: readonly { readonly digest: string; readonly reason: string }[];
  readonly trips: readonly { readonly guardrail: string; readonly bad: number; readonly requests: number }[];
}

export interface GatewayRow {
  readonly gateway: string;
  readonly url: string;
  /** `silent`: it says that it serves, but has not been heard of for longer than the longest lease. */
  readonly status: GatewayRecord['status'] | 'silent';
  readonly startedAt: string;
  /** By the database's clock. */
  readonly silentSeconds: number;
  readonly models: readonly GatewayModel[];
}

/** A gateway reads and reports about every second. */
const ALIVE_SECONDS = 5;
const DEFAULT_LEASE_SECONDS = 15;

/** Every registered gateway with what it serves, beside the tables in force. */
export async function gatewayStatus(session: Session): Promise<readonly GatewayRow[]> {
  return withStore(session, async (store) => {
    const [{ now, gateways }, tables] = await Promise.all([store.gateways(), store.readAll()]);
    const lease = Math.max(DEFAULT_LEASE_SECONDS, ...tables.map(({ leaseSeconds }) => leaseSeconds));
    return gateways.map(({ gateway, url, status, startedAt, seenAt, observed }) => {
      const silentSeconds = Math.max(0, (now - Date.parse(seenAt)) / 1000);
      const names = [...new Set([...tables.map(({ model }) => model), ...Object.keys(observed)])].sort();
      return {
        gateway,
        url,
        status: status === 'serving' && silentSeconds > lease ? ('silent' as const) : status,
        startedAt,
        silentSeconds,
        models: names.map((model) =>
          modelRow(
            model,
            tables.find((table) => table.model === model),
            observed[model],
          ),
        ),
      };
    });
  });
}

type Table = Awaited<ReturnType<RoutingStore['readAll']>>[number];

function modelRow(
  model: string,
  table: Table | undefined,
  seen: GatewayRecord['observed'][string] | undefined,
): GatewayModel {
  const routed: readonly (VersionRef | null)[] =
    table === undefined ? [] : [table.champion, table.candidate, table.holdback, table.shadow, ...table.warm];
  const missing = routed.filter((ref) => ref !== null && !(seen?.ready.includes(ref.digest) ?? false));
  return {
    model,
    wanted: table?.generation ?? null,
    observed: seen?.generation ?? null,
    phase: table?.phase ?? null,
    champion: table?.champion?.version ?? null,
    candidate: table?.candidate?.version ?? null,
    weight: table?.candidate?.weight ?? null,
    missing: missing.flatMap((ref) => ref?.version ?? []),
    failed: seen?.failed ?? [],
    trips: seen?.trips ?? [],
  };
}

/**
 * Counts a gateway out for good, so that changes of traffic need not wait for it. Recorded before and after, in the stream
 * `fleet`; a repeat completes what was interrupted.
 * @throws TenureError `not-found`; `refused` while it is alive, since it would count itself in again
 */
export async function retireGateway(session: Session, gateway: string, reason?: string): Promise<void> {
  await withStore(session, async (store, ledger) => {
    const { now, gateways } = await store.gateways();
    const found = gateways.find((record) => record.gateway === gateway);
    if (found === undefined) {
      const known = gateways.map((record) => record.gateway).join(', ') || 'none';
      throw new TenureError('not-found', `Gateway ${gateway} is not known; registered: ${known}`);
    }
    const seconds = (now - Date.parse(found.seenAt)) / 1000;
    if (found.status === 'serving' && seconds < ALIVE_SECONDS)
      throw new TenureError(
        'refused',
        `Gateway ${gateway} is alive (heard of ${seconds.toFixed(1)} s ago): stop it first`,
      );
    const { boot, url, seenAt } = found;
    const record = async (id: string, action: string): Promise<void> => {
      // Somebody else's record of the same act stands.
      if ((await ledger.find(FLEET_STREAM, id)) !== null) return;
      const entry = {
        stream: FLEET_STREAM,
        id,
        action,
        actor: { kind: 'person' as const, id: session.actor },
        subject: { gateway, boot },
        evidence: { url, seenAt, reason: reason ?? null },
        at: new Date().toISOString(),
      };
      await ledger.append([entry]).catch((error: unknown) => {
        if (!(error instanceof LedgerConflictError)) throw error;
      });
    };
    const id = `gateway:${gateway}/${boot}/retired`;
    await record(`${id}/intent`, 'gateway.retirement-requested');
    await store.retireGateway(gateway);
    await record(id, 'gateway.retired');
  });
}

async function withStore<T>(
  session: Session,
  act: (store: RoutingStore, ledger: MongoLedger) => Promise<T>,
): Promise<T> {
  const { db, collections } = await session.database();
  try {
    return await act(new MongoRoutingStore(db), new MongoLedger(collections.ledger));
  } catch (error) {
    throw explainStorage(error);
  }
}
