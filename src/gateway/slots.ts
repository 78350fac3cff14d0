import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionRef } from '../contracts/model.js';
import { effect } from '../fail-points/index.js';
import { ModelError } from '../platform/onnx/errors.js';
import {
  type CallOptions,
  type ModelAnswer,
  type ModelThread,
  openModelThread,
} from '../platform/onnx/thread.js';
import type { Tensor } from '../platform/onnx/tensors.js';
import type { FeatureReader } from './features.js';

/** Finds artifacts that are on this machine, by digest. */
export interface ArtifactPaths {
  pathOf(digest: string): Promise<string>;
}

/** Champions never share a thread with anything else, even if it is the same artifact. */
export type Lane = 'champion' | 'trial';

/** A loaded version: its thread, and how many requests are with it. */
export class Slot {
  readonly ref: VersionRef;
  readonly thread: ModelThread;
  /** Counts rows by the version's profile; null while none is known. */
  features: FeatureReader | null = null;
  #inFlight = 0;
  #closing = false;

  constructor(ref: VersionRef, thread: ModelThread) {
    this.ref = ref;
    this.thread = thread;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** @throws ModelError */
  async infer(inputs: readonly Tensor[], options: CallOptions): Promise<ModelAnswer> {
    this.#inFlight += 1;
    try {
      return await this.thread.infer(inputs, options);
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Unloads when the requests in flight have ended, at the latest after `patienceMs`. */
  async retire(patienceMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const until = performance.now() + patienceMs;
    while (this.#inFlight > 0 && performance.now() < until) await sleep(20);
    await effect('slot.retire', () => this.thread.close());
  }
}

export interface SlotSettings {
  readonly artifacts: ArtifactPaths;
  readonly graceMs: number;
  readonly onRestart: (ref: VersionRef, why: 'stuck' | 'crashed') => void;
}

/** @throws ModelError with the reason in words */
export async function loadSlot(ref: VersionRef, settings: SlotSettings): Promise<Slot> {
  const { artifacts, graceMs, onRestart } = settings;
  const file = await artifacts.pathOf(ref.digest).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError('load-failed', `The artifact is not in the store: ${reason}`);
  });
  const thread = await effect('slot.load', () =>
    openModelThread({
      file,
      sha256: ref.digest,
      graceMs,
      onRestart: (why) => onRestart(ref, why),
    }),
  );
  return new Slot(ref, thread);
}
