import type { ArtifactFact, Execution, LiveGateway, ModelParts } from '../../contracts/doctor.js';
import type { LedgerHead } from '../../contracts/ledger.js';
import type { VersionRef } from '../../contracts/model.js';
import type { GatewayRecord, RoutingTable } from '../../contracts/routes.js';
import type { ModelView, ReleaseView } from '../../contracts/views.js';
import { hashOfTable } from '../../ledger/index.js';
import type { DoctorFacts } from '../../lifecycle/doctor/facts.js';
import { newer } from '../../lifecycle/model-state.js';
import type { RecordedModel } from '../../lifecycle/recovery/record.js';
import { ArtifactError, type ArtifactStore, type VersionRegistry } from '../../platform/registry/index.js';
import type { GatewaysSeen, RoutingStore } from '../../platform/serving/store.js';
import type { Executions } from './executions.js';
import type { ReadRecord, Records } from './records.js';

export interface Sources {
  readonly executions: Executions;
  readonly records: Records;
  readonly routes: RoutingStore;
  readonly registry: VersionRegistry;
  readonly artifacts: ArtifactStore;
}

export type Facts = Omit<DoctorFacts, 'versions'> & Pick<ReadRecord, 'versions'>;

/** What every place says of one model: the workflows first, then the table, then the record, which is never behind them for long. */
export async function gather(
  sources: Sources,
  model: string,
  options: {
    readonly gateways: GatewaysSeen;
    /** Releases that may run beside the one in flight. */
    readonly hints: readonly number[];
    readonly whole: boolean;
  },
): Promise<Facts> {
  const { executions, records, routes, registry, artifacts } = sources;
  const { gateways, hints, whole } = options;
  const lifecycle = await executions.lifecycle(model);
  const view = lifecycle.state === 'open' ? lifecycle.view : null;
  const numbers = new Set([...(view?.inFlight == null ? [] : [view.inFlight]), ...hints]);
  const releases = await Promise.all(
    [...numbers]
      .sort((a, b) => a - b)
      .map(async (release) => ({
        release,
        ...(await executions.release(model, release)),
      })),
  );
  const incidents = await Promise.all(
    (view?.incidents ?? []).map(async ({ incident }) => ({
      incident,
      ...(await executions.incident(model, incident)),
    })),
  );
  const table = await routes.read(model);
  const record = await records.read(model, headOf(view, releases), whole);
  const parts: ModelParts = {
    model,
    now: gateways.now,
    lifecycle,
    releases,
    incidents,
    table,
    tableHash: table === null ? null : hashOf(table),
    gateways: liveGateways(gateways, model, table),
    bad: record.bad,
    head: record.head,
    registered: await registry.list(model),
    artifacts: await damaged(artifacts, needed(view, record.recorded), whole),
  };
  return { parts, recorded: record.recorded, acts: record.acts, versions: record.versions };
}

/** The newest event that any of a model's workflows knows of. */
function headOf(view: ModelView | null, releases: readonly Execution<ReleaseView>[]): LedgerHead | null {
  const heads = [
    ...(view === null ? [] : [view.head]),
    ...releases.flatMap((release) =>
      release.state === 'open' && release.view !== null ? [release.view.head] : [],
    ),
  ];
  return heads.length === 0 ? null : heads.reduce(newer);
}

/** A table that was changed by hand may hold what has no hash; then it has none that is on record. */
function hashOf(table: RoutingTable): string {
  try {
    return hashOfTable(table);
  } catch {
    return 'none';
  }
}

const DEFAULT_LEASE_SECONDS = 15;

/** Heard of within the lease. One that is silent is counted out by itself, and differs from nothing. */
function liveGateways(
  { now, gateways }: GatewaysSeen,
  model: string,
  table: RoutingTable | null,
): readonly LiveGateway[] {
  const lease = (table?.leaseSeconds ?? DEFAULT_LEASE_SECONDS) * 1_000;
  return gateways
    .filter((gateway) => isHeard(gateway, now, lease))
    .map(({ gateway, startedAt, observed }) => ({
      gateway,
      startedAt,
      observed: observed[model] ?? null,
    }));
}

export const isHeard = ({ status, seenAt }: GatewayRecord, now: number, leaseMs: number): boolean =>
  status === 'serving' && now - Date.parse(seenAt) <= leaseMs;

/** Versions that serve, may serve again at once, or are to serve. */
function needed(view: ModelView | null, { state }: RecordedModel): readonly VersionRef[] {
  const flying = view?.releases.find(({ release }) => release === view.inFlight);
  const all = [view?.champion ?? state?.champion, ...(view?.warm ?? state?.warm ?? []), flying];
  const byDigest = new Map(all.flatMap((ref) => (ref == null ? [] : [[ref.digest, ref] as const])));
  return [...byDigest.values()];
}

async function damaged(
  artifacts: ArtifactStore,
  versions: readonly VersionRef[],
  whole: boolean,
): Promise<readonly ArtifactFact[]> {
  const found: ArtifactFact[] = [];
  for (const { version, digest } of versions) {
    try {
      // A file that is the same as when its bytes were last checked is not read again.
      if (whole) await drain(artifacts, digest);
      else await artifacts.pathOf(digest);
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      const state = error.code === 'corrupt' ? 'corrupt' : 'missing';
      found.push({ version, digest, state, detail: error.message });
    }
  }
  return found;
}

async function drain(artifacts: ArtifactStore, digest: string): Promise<void> {
  for await (const _chunk of await artifacts.open(digest));
}
