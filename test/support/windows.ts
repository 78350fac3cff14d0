import type { RoutingTable } from '../../src/contracts/routes.js';
import { hashKey, roleOf } from '../../src/gateway/split.js';
import type { WindowBatch } from '../../src/contracts/windows.js';
import { ModelRecorder } from '../../src/platform/windows/recorder.js';
import { desired } from './gateway.js';

export const CHAMPION = { version: 'v1', digest: '1'.repeat(64) };
export const CANDIDATE = { version: 'v2', digest: '2'.repeat(64) };

export const canaryTable = (
  generation: number,
  weight: number,
  changes: Partial<RoutingTable> = {},
): RoutingTable => ({
  ...desired({ phase: 'canary', champion: CHAMPION, candidate: { ...CANDIDATE, weight }, release: 1 }),
  guardrails: [
    { name: 'errors', kind: 'errors' },
    { name: 'slow', kind: 'slow', thresholdMs: 10 },
  ],
  model: 'm',
  generation,
  changeId: `change-${generation}`,
  changedAt: '2026-01-01T00:00:00.000Z',
  ...changes,
});

/** A gateway's counting without the gateway: requests by key, batches at will. */
export class FakeCounting {
  readonly name: string;
  readonly boot: string;
  readonly #recorder: ModelRecorder;
  #sequence = 0;

  constructor(name: string, boot = 'boot', maxKeys = 20_000) {
    this.name = name;
    this.boot = boot;
    this.#recorder = new ModelRecorder('m', 0, maxKeys);
  }

  /** One split request. @param bad mask of guardrails */
  request(table: RoutingTable, key: string, bad = 0, elapsedMs: number | null = 5): void {
    const { h, identity } = hashKey(table.salt, key);
    const role = roleOf(table, h);
    const ref = role === 'candidate' ? CANDIDATE : CHAMPION;
    const tracker = this.#recorder.keysOf(table);
    const first = tracker?.begin(identity) ?? false;
    const error = elapsedMs === null ? 'run-failed' : null;
    this.#recorder.answered(table, { ...ref, role }, 'split', { elapsedMs, score: 0.5, error, bad });
    if (tracker !== null) this.#recorder.key(table, ref.digest, tracker, identity, first, bad);
  }

  flush(now: number): WindowBatch[] {
    this.#sequence += 1;
    const lost = { batches: 0, requests: 0 };
    const batch = this.#recorder.flush(now, {
      gateway: this.name,
      boot: this.boot,
      sequence: this.#sequence,
      lost,
    });
    return batch === null ? [] : [batch];
  }
}
