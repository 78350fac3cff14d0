import type { Json } from '../../contracts/ledger.js';
import type { Manifest } from '../../contracts/manifest.js';

/** What is to be trained. The same order under the same `run` is the same training, in however many attempts. */
export interface TrainingOrder {
  /** Business identity of the training, e.g. `retraining:late-payment:3`; names what is kept between attempts. */
  readonly run: string;
  readonly manifest: Pick<Manifest, 'name' | 'task' | 'schema' | 'prediction'> & {
    readonly validation: Pick<Manifest['validation'], 'target'>;
  };
  /** CSV file with a header: the inputs by name, and the target. */
  readonly data: { readonly file: string; readonly digest: string; readonly rows: number };
  /** ONNX file of the version that serves; null when none does. */
  readonly champion: { readonly file: string; readonly version: string; readonly digest: string } | null;
  readonly command: readonly string[];
  /** Of one attempt. */
  readonly timeoutSeconds: number;
  /** Memory of all processes of the training together. */
  readonly memoryMb: number;
}

/** How far a training is, as it says itself and as it is seen from outside. */
export interface TrainingProgress {
  readonly attempt: number;
  /** Share done, 0 to 1; null until the trainer says one. */
  readonly progress: number | null;
  readonly message: string | null;
  readonly seconds: number;
  readonly memoryMb: number;
  readonly outputBytes: number;
}

/** The beginning and the end of what a trainer wrote to its standard output and error, in the order in which it came. */
export interface TrainingLog {
  readonly head: string;
  readonly tail: string;
  /** Bytes between the two that were not kept. */
  readonly cutBytes: number;
}

export interface Trained {
  readonly outcome: 'trained';
  /** ONNX file; stays until `forget`. */
  readonly model: { readonly file: string; readonly digest: string; readonly sizeBytes: number };
  /** What the trainer says of its model; null when it says nothing. */
  readonly metrics: Readonly<Record<string, number>> | null;
  readonly attempt: number;
  /** Whether an earlier attempt had ended well already, and nothing was run now. */
  readonly adopted: boolean;
  readonly seconds: number;
  readonly log: TrainingLog;
}

/**
 * - `exit`: an exit code other than 0, or a signal from somewhere else;
 * - `data`: the trainer says that no model can be made of these data; trying again cannot help;
 * - `no-model`: exit code 0, but no model where it should be;
 * - `timeout`, `memory`: ended because it was over its limit;
 * - `start`: the program cannot be started.
 */
export type TrainingFailure = 'exit' | 'data' | 'no-model' | 'timeout' | 'memory' | 'start';

export interface NotTrained {
  readonly outcome: 'failed';
  readonly why: TrainingFailure;
  /** One sentence with the figures, and what to do. */
  readonly message: string;
  readonly detail: { readonly [key: string]: Json };
  readonly attempt: number;
  readonly seconds: number;
  readonly log: TrainingLog;
}

/** Where models are trained. */
export interface TrainingPlatform {
  /**
   * Trains, once: another attempt of the same run that is under way is ended first, and one that has ended well is taken over. What
   * the trainer kept for itself in an earlier attempt is there again.
   * @param watch `onProgress` is called at least every few seconds while the training goes on; `signal` ends it
   * @throws the reason of `signal` when that is aborted: then nothing of the training runs any more
   */
  train(
    order: TrainingOrder,
    watch: { readonly signal: AbortSignal; readonly onProgress: (progress: TrainingProgress) => void },
  ): Promise<Trained | NotTrained>;
  /** Removes everything that is kept of a run. Does nothing when nothing is. */
  forget(run: string): Promise<void>;
}
