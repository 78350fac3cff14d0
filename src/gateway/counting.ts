import type { Logger } from 'pino';
import type { VersionRef } from '../contracts/model.js';
import type { WindowBatch, WindowRole } from '../contracts/windows.js';
import type { Flusher } from '../platform/windows/flusher.js';
import { type CellKey, ModelRecorder } from '../platform/windows/recorder.js';
import type { LiveRoute } from './live-route.js';
import type { GatewayMetrics } from './metrics.js';

export interface CountingSettings {
  readonly gateway: string;
  readonly boot: string;
  readonly maxKeys: number;
  /** Flush while a canary, shadow or soak runs, milliseconds. */
  readonly busyFlushMs: number;
  /** Flush of all other models. */
  readonly idleFlushMs: number;
  readonly flusher: Flusher;
  /** The time that windows carry, epoch milliseconds. */
  readonly now: () => number;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

/** All counts of a gateway: windows for the control plane, metrics for Prometheus. */
export class Counting {
  readonly metrics: GatewayMetrics;
  readonly #settings: CountingSettings;
  readonly #recorders = new Map<string, ModelRecorder>();
  readonly #flushed = new Map<string, number>();
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  #working = false;

  constructor(settings: CountingSettings) {
    this.#settings = settings;
    this.metrics = settings.metrics;
  }

  recorder(model: string): ModelRecorder {
    const known = this.#recorders.get(model);
    if (known !== undefined) return known;
    const fresh = new ModelRecorder(model, this.#settings.now(), this.#settings.maxKeys);
    this.#recorders.set(model, fresh);
    return fresh;
  }

  /** A request that was refused before anybody looked at it: it counts with the champion that would have answered. */
  shed(model: string, live: LiveRoute | null): void {
    // A name that nobody knows must not become a label.
    this.metrics.shed.inc({ model: live === null ? '' : model });
    const champion = live?.slots.champion ?? null;
    if (live !== null && champion !== null)
      this.recorder(model).count(live.table, cellKey(champion.ref, 'champion'), 'shed');
  }

  /** @param routeOf the route in force of a model */
  start(routeOf: (model: string) => LiveRoute | null): void {
    const { busyFlushMs } = this.#settings;
    this.#timer = setInterval(() => {
      // A flush that waits for the store must not pile up others behind it.
      if (this.#working) return;
      this.#working = true;
      void this.#flush(routeOf).finally(() => {
        this.#working = false;
      });
    }, busyFlushMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#settings.flusher.finish(this.#close([...this.#recorders.keys()]));
  }

  async #flush(routeOf: (model: string) => LiveRoute | null): Promise<void> {
    const { idleFlushMs, flusher, log } = this.#settings;
    const now = performance.now();
    const due = [...this.#recorders.keys()].filter((model) => {
      const phase = routeOf(model)?.table.phase;
      const busy = phase === 'canary' || phase === 'shadow' || phase === 'soak';
      return busy || now - (this.#flushed.get(model) ?? 0) >= idleFlushMs;
    });
    for (const model of due) this.#flushed.set(model, now);
    const before = flusher.state;
    await flusher.flush(this.#close(due));
    const after = flusher.state;
    if (before.storing && !after.storing) log.warn({ reason: after.lastError }, 'Windows go to the spool');
    if (!before.storing && after.storing) log.info('Windows are stored again');
    if (after.lostBatches > before.lostBatches)
      log.error({ lost: after.lostBatches, reason: after.spoolError }, 'Windows are given up');
  }

  #close(models: readonly string[]): readonly WindowBatch[] {
    const { gateway, boot, flusher, now } = this.#settings;
    return models.flatMap((model) => {
      const recorder = this.#recorders.get(model);
      if (recorder === undefined) return [];
      if (recorder.isEmpty) {
        // Else a request after a quiet night would be in a window as long as the night.
        recorder.rest(now());
        return [];
      }
      this.#sequence += 1;
      const batch = recorder.flush(now(), {
        gateway,
        boot,
        sequence: this.#sequence,
        lost: flusher.lost,
      });
      return batch === null ? [] : [batch];
    });
  }
}

export const cellKey = ({ version, digest }: VersionRef, role: WindowRole): CellKey => ({
  version,
  digest,
  role,
});
