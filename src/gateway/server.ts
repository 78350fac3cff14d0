import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { threadsEnding } from '../platform/onnx/thread.js';
import { Flusher } from '../platform/windows/flusher.js';
import { DEFAULT_MAX_KEYS } from '../platform/windows/keys.js';
import { DEFAULT_SPOOL_BYTES, Spool } from '../platform/windows/spool.js';
import type { WindowStore } from '../platform/windows/store.js';
import type { ObservationStore } from '../platform/observations/store.js';
import type { InferContext } from './context.js';
import { cellKey, Counting } from './counting.js';
import { DatabaseClock } from './database-clock.js';
import type { Observing } from './observing.js';
import { createHttp } from './http.js';
import { Keeper, type KeeperState } from './keeper.js';
import type { LiveRoute } from './live-route.js';
import { createMetrics, type GatewayMetrics } from './metrics.js';
import { Profiles, type ProfilesState, type ProfileSource } from './profiles.js';
import type { ArtifactPaths } from './slots.js';
import { Snapshot } from './snapshot.js';
import { type TableSource, Watcher } from './watcher.js';

/** Between two looks at the database's clock. */
const CLOCK_MS = 10_000;

export interface GatewaySettings {
  /** Name, unique in the environment and kept over restarts. */
  readonly gateway: string;
  readonly source: TableSource;
  readonly windows: WindowStore;
  /** What the database's clock says, epoch milliseconds; absent: windows carry the time of this machine. */
  readonly databaseTime?: () => Promise<number>;
  /** Where samples, scores and labels go; absent: none are kept. */
  readonly observations?: Omit<Observing, 'keeper'> & { readonly store: ObservationStore };
  readonly artifacts: ArtifactPaths;
  /** Reference profiles; without them no features are counted. */
  readonly profiles?: ProfileSource;
  /** Folder for the snapshot of the tables and the spool of the windows; of this gateway alone. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Address that others reach it by; default from host and port. */
  readonly advertisedUrl?: string;
  /** Between two readings of the tables, plus or minus a fifth; default 750 ms. */
  readonly pollMs?: number;
  /** Default 1 s. */
  readonly busyFlushMs?: number;
  /** Default 15 s. */
  readonly idleFlushMs?: number;
  /** Between two looks whether a loaded version lacks its profile; default 5 s. */
  readonly profilesMs?: number;
  /** Samples and scores; default 5 s. */
  readonly keepMs?: number;
  /** Past its deadline a call may run so long until its thread is replaced; default 2 s. */
  readonly graceMs?: number;
  /** After a lease was over, candidates get nothing for so long again; default 20 s. */
  readonly resumeMs?: number;
  /** Default 8 MiB. */
  readonly maxBodyBytes?: number;
  /** Inference requests in flight, all models; default 512. */
  readonly maxInFlight?: number;
  /** Copies with one shadow at a time; default 32. */
  readonly maxShadow?: number;
  /** Routing keys of a release held exactly; default 20,000. */
  readonly maxKeys?: number;
  /** Default 64 MiB. */
  readonly spoolBytes?: number;
  /** Which requests are copied to a shadow; default Math.random. */
  readonly random?: () => number;
}

export interface Gateway {
  readonly gateway: string;
  readonly boot: string;
  readonly url: string;
  /** What `GET /tenure/health` shows. */
  health(): GatewayHealth;
  /** Drains, flushes the windows, reports `stopped`, unloads. */
  stop(): Promise<void>;
}

export interface GatewayHealth {
  readonly gateway: string;
  readonly boot: string;
  readonly ready: boolean;
  /** `degraded`: serving, but the store cannot be read or written, or the disk not written, or this machine's clock is wrong. */
  readonly status: 'serving' | 'degraded' | 'starting' | 'stopping';
  readonly tables: {
    readonly from: 'none' | 'snapshot' | 'store';
    readonly lastReadAgeSeconds: number | null;
    readonly error: string | null;
    /** Why the file that a restart without the store would serve from is behind; null when it is not. */
    readonly snapshotError: string | null;
  };
  /** Of this machine, behind the database's; below 0: ahead. Null: they were not compared yet. */
  readonly clock: { readonly behindSeconds: number | null };
  readonly windows: Flusher['state'];
  readonly profiles: ProfilesState;
  /** Null: no samples and scores are kept. */
  readonly observations: KeeperState | null;
  readonly threadsEnding: number;
  readonly models: Readonly<Record<string, object>>;
}

/** Starts a gateway and waits until it listens; it may not be ready yet when the store is away. */
export async function startGateway(settings: GatewaySettings): Promise<Gateway> {
  const { gateway, dataDir, log, host = '127.0.0.1', port = 0 } = settings;
  const boot = randomUUID();
  const spool = new Spool(join(dataDir, 'spool.ndjson'), settings.spoolBytes ?? DEFAULT_SPOOL_BYTES);
  await spool.open();
  const flusher = new Flusher(settings.windows, spool);
  const clock = new DatabaseClock({
    ask: settings.databaseTime ?? null,
    everyMs: CLOCK_MS,
    log,
  });
  const metrics = createMetrics((gauges) => collect(gauges, { watcher, clock, flusher, profiles, keeper }));
  const counting = new Counting({
    gateway,
    boot,
    maxKeys: settings.maxKeys ?? DEFAULT_MAX_KEYS,
    busyFlushMs: settings.busyFlushMs ?? 1_000,
    idleFlushMs: settings.idleFlushMs ?? 15_000,
    flusher,
    now: () => clock.now(),
    metrics,
    log,
  });
  const { observations, keepMs: flushMs = 5_000 } = settings;
  const keeper =
    observations === undefined
      ? null
      : new Keeper({ gateway, boot, store: observations.store, log, flushMs });
  let url = settings.advertisedUrl ?? '';
  let stopping = false;
  const watcher: Watcher = new Watcher({
    gateway,
    boot,
    url: () => url,
    source: settings.source,
    snapshot: new Snapshot(join(dataDir, 'tables.json')),
    artifacts: settings.artifacts,
    pollMs: settings.pollMs ?? 750,
    graceMs: settings.graceMs ?? 2_000,
    ...(settings.resumeMs === undefined ? {} : { resumeMs: settings.resumeMs }),
    log,
    onRestart: (live, model, ref, why) => {
      log.error({ model, version: ref.version, why }, 'The thread of a version was replaced');
      metrics.restarts.inc({ model, version: ref.version, why });
      if (live === null) return;
      counting.recorder(model).note(live.table, cellKey(ref, roleIn(live, ref.digest)), `thread-${why}`);
    },
  });
  const context: InferContext = {
    counting,
    observing:
      observations === undefined || keeper === null
        ? null
        : { keeper, labels: observations.labels, observed: observations.observed },
    leaseHeld: (table) => watcher.leaseHeld(table),
    tripped: (live) => {
      const { model, generation } = live.table;
      for (const trip of live.trips) {
        metrics.trips.inc({ model, guardrail: trip.guardrail });
        log.error(
          { model, generation, ...trip },
          'A hard limit was breached: the candidate is at 0 on this gateway',
        );
      }
      watcher.hurry();
    },
    maxShadow: settings.maxShadow ?? 32,
    random: settings.random ?? Math.random,
  };
  const profiles = new Profiles({
    source: settings.profiles ?? { newestOf: async () => [] },
    models: () => watcher.models,
    everyMs: settings.profilesMs ?? 5_000,
    log,
  });
  const health = (): GatewayHealth =>
    healthOf({ gateway, boot, watcher, clock, flusher, profiles, keeper, stopping });
  const app = createHttp({
    watcher,
    context,
    log,
    maxBodyBytes: settings.maxBodyBytes ?? 8 * 1024 * 1024,
    maxInFlight: settings.maxInFlight ?? 512,
    health,
  });
  const address = await app.listen({ host, port });
  url = settings.advertisedUrl ?? address;
  await Promise.all([watcher.start(), clock.start()]);
  profiles.start();
  keeper?.start();
  counting.start((model) => watcher.models.get(model)?.current ?? null);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopping = true;
    await app.close();
    clock.stop();
    await Promise.all([counting.stop(), keeper?.stop()]);
    await profiles.stop();
    await watcher.stop();
  };
  return { gateway, boot, url, health, stop: () => (stopped ??= stop()) };
}

function roleIn({ slots }: LiveRoute, digest: string) {
  if (slots.candidate?.ref.digest === digest) return 'candidate';
  if (slots.holdback?.ref.digest === digest) return 'holdback';
  return slots.shadow?.ref.digest === digest ? 'shadow' : 'champion';
}

interface Parts {
  readonly watcher: Watcher;
  readonly clock: DatabaseClock;
  readonly flusher: Flusher;
  readonly profiles: Profiles;
  readonly keeper: Keeper | null;
}

function collect(
  metrics: GatewayMetrics,
  { watcher, clock, flusher: { state }, profiles, keeper }: Parts,
): void {
  metrics.inFlight.reset();
  for (const [model, routes] of watcher.models) {
    for (const { version, count } of routes.inFlight()) metrics.inFlight.set({ model, version }, count);
    const table = routes.current?.table;
    if (table === undefined) continue;
    metrics.generation.set({ model }, routes.observed.generation);
    metrics.lease.set({ model }, watcher.leaseHeld(table) ? 1 : 0);
  }
  metrics.readAge.set(watcher.readAgeSeconds ?? Number.NaN);
  metrics.snapshotBehind.set(watcher.snapshotProblem === null ? 0 : 1);
  metrics.clockBehind.set(clock.behindSeconds ?? Number.NaN);
  metrics.spooled.set(state.spooledBatches);
  metrics.lost.set(state.lostBatches);
  metrics.uncounted.set(profiles.state.uncounted);
  if (keeper === null) return;
  const { predictions, samples } = keeper.state;
  for (const [what, counts] of Object.entries({ prediction: predictions, sample: samples })) {
    for (const [outcome, count] of Object.entries(counts)) metrics.kept.set({ what, outcome }, count);
  }
}

function healthOf(
  parts: Parts & { readonly gateway: string; readonly boot: string; readonly stopping: boolean },
): GatewayHealth {
  const { gateway, boot, watcher, clock, flusher, profiles, keeper, stopping } = parts;
  const models: Record<string, object> = {};
  for (const [model, routes] of watcher.models) {
    const table = routes.current?.table;
    models[model] = {
      ...routes.observed,
      phase: table?.phase ?? null,
      champion: table?.champion?.version ?? null,
      leaseHeld: table === undefined ? null : watcher.leaseHeld(table),
    };
  }
  const isDegraded =
    watcher.lastError !== null || watcher.snapshotProblem !== null || !flusher.state.storing || clock.isOff;
  return {
    gateway,
    boot,
    ready: watcher.ready,
    status: stopping ? 'stopping' : !watcher.ready ? 'starting' : isDegraded ? 'degraded' : 'serving',
    tables: {
      from: watcher.tablesFrom,
      lastReadAgeSeconds: watcher.readAgeSeconds,
      error: watcher.lastError,
      snapshotError: watcher.snapshotProblem,
    },
    clock: { behindSeconds: clock.behindSeconds },
    windows: flusher.state,
    profiles: profiles.state,
    observations: keeper?.state ?? null,
    threadsEnding: threadsEnding(),
    models,
  };
}
