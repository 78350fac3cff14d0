/** Messages between a model's thread and the main thread. */
import type { ModelErrorCode } from './errors.js';
import type { Tensor, TensorSpec } from './tensors.js';

export interface ThreadSettings {
  readonly file: string;
  readonly sha256: string;
  readonly intraOpThreads: number;
}

export interface ModelMetadata {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** To the thread: one call, or the wish that it ends itself when it is no longer running a call. */
export type ToThread = RunMessage | { readonly kind: 'stop' };

export interface RunMessage {
  readonly kind: 'run';
  readonly id: number;
  readonly inputs: readonly Tensor[];
}

export type ThreadMessage =
  | { readonly kind: 'loaded'; readonly metadata: ModelMetadata; readonly sizeBytes: number }
  | { readonly kind: 'refused'; readonly code: ModelErrorCode; readonly reason: string }
  | {
      readonly kind: 'answered';
      readonly id: number;
      readonly outputs: readonly Tensor[];
      readonly elapsedMs: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string; readonly elapsedMs: number };
