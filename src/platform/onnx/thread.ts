import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { ModelError } from './errors.js';
import type { ModelMetadata, RunMessage, ThreadMessage, ThreadSettings, ToThread } from './protocol.js';
import { spawn } from './spawn.js';
import { matchInputs, type Tensor } from './tensors.js';

export interface ModelThreadSettings {
  /** Path of the artifact. */
  readonly file: string;
  /** Digest it must have, 64 lower-case hex digits. */
  readonly sha256: string;
  /** Threads of ONNX Runtime inside the thread (default 1). */
  readonly intraOpThreads?: number;
  /** Calls that may wait or run at a time (default 1024); more are refused with `overloaded`. */
  readonly maxCalls?: number;
  /** A call still running so long after its deadline is stuck: its thread is ended and replaced (default 1000 ms). */
  readonly graceMs?: number;
  /** Time to load (default 60,000 ms). */
  readonly loadMs?: number;
  /** Told each time the thread is replaced. */
  readonly onRestart?: (why: 'stuck' | 'crashed') => void;
}

export interface CallOptions {
  /** Milliseconds from now; without it the call waits as long as it takes. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export interface ModelAnswer {
  /** In the model's order. */
  readonly outputs: readonly Tensor[];
  /** Time of the run inside the thread, waiting not included, milliseconds. */
  readonly elapsedMs: number;
}

/** An ONNX model on a thread of its own. */
export interface ModelThread {
  readonly metadata: ModelMetadata;
  readonly sizeBytes: number;
  /** False while a replacement is being loaded. */
  readonly ready: boolean;
  /** Calls waiting or running. */
  readonly calls: number;
  /** @throws ModelError; `wrong-input` before anything is run */
  infer(inputs: readonly Tensor[], options?: CallOptions): Promise<ModelAnswer>;
  /** Ends the thread; calls still open fail with `closed`. */
  close(): Promise<void>;
}

interface Call {
  readonly message: RunMessage;
  readonly resolve: (answer: ModelAnswer) => void;
  readonly reject: (error: ModelError) => void;
  /** `performance.now()` at which it is late. */
  readonly deadline: number;
  settled: boolean;
}

/** Calls given to the thread at a time: enough to keep it busy, few enough that those given up are not run in vain. */
const PIPELINE = 4;
/** Ended threads whose native call has not returned yet; beyond it no replacement is started. */
const MAX_ENDING = 2;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/**
 * Loads an artifact into a new thread.
 * @throws ModelError `digest-mismatch` or `load-failed`
 */
export async function openModelThread(settings: ModelThreadSettings): Promise<ModelThread> {
  const thread = new Thread(settings);
  await thread.start();
  return thread;
}

/** Of all models, for `threadsEnding`. */
const allEnding = new Set<Worker>();

/**
 * Threads that were told to end and still run a native call. Ending the process meanwhile by `process.exit` aborts it with a
 * core dump; a process that cannot wait any longer ends itself by SIGKILL, after all else is stored.
 */
export const threadsEnding = (): number => allEnding.size;

class Thread implements ModelThread {
  readonly #settings: ModelThreadSettings;
  readonly #waiting: Call[] = [];
  readonly #sent: Call[] = [];
  readonly #ending = new Set<Worker>();
  #worker: Worker | undefined;
  #metadata: ModelMetadata = { inputs: [], outputs: [] };
  #sizeBytes = 0;
  #closed = false;
  #nextId = 0;
  #headSince = 0;
  #watch: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(settings: ModelThreadSettings) {
    this.#settings = settings;
  }

  get metadata(): ModelMetadata {
    return this.#metadata;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get ready(): boolean {
    return this.#worker !== undefined;
  }

  get calls(): number {
    return this.#waiting.length + this.#sent.length;
  }

  async start(): Promise<void> {
    const { file, sha256, intraOpThreads = 1, loadMs = 60_000 } = this.#settings;
    const workerData: ThreadSettings = { file, sha256, intraOpThreads };
    const worker = spawn(workerData, `model ${sha256.slice(0, 12)}`);
    try {
      const [message] = (await once(worker, 'message', { signal: AbortSignal.timeout(loadMs) })) as [
        ThreadMessage,
      ];
      if (message.kind !== 'loaded') {
        throw message.kind === 'refused'
          ? new ModelError(message.code, message.reason)
          : new ModelError('load-failed', 'The thread answered before it was loaded');
      }
      this.#metadata = message.metadata;
      this.#sizeBytes = message.sizeBytes;
    } catch (error) {
      worker.on('error', () => {});
      void this.#end(worker);
      if (error instanceof ModelError) throw error;
      throw new ModelError('load-failed', `The artifact could not be loaded: ${String(error)}`);
    }
    if (this.#closed) {
      void this.#end(worker);
      throw new ModelError('closed', 'The model was closed while it was loading');
    }
    worker.on('message', (message: ThreadMessage) => this.#take(worker, message));
    worker.on('error', (error) => this.#lost(worker, error.message));
    worker.on('exit', (code) => this.#lost(worker, `its thread ended with code ${code}`));
    this.#worker = worker;
    this.#retryMs = FIRST_RETRY_MS;
    this.#send();
  }

  async infer(inputs: readonly Tensor[], { deadlineMs, signal }: CallOptions = {}): Promise<ModelAnswer> {
    if (this.#closed) throw new ModelError('closed', 'The model has been unloaded');
    signal?.throwIfAborted();
    const ordered = matchInputs(this.#metadata.inputs, inputs);
    if (this.#worker === undefined && this.#retry !== undefined) {
      throw new ModelError('unavailable', "The model's thread has ended and cannot be replaced yet");
    }
    if (this.calls >= (this.#settings.maxCalls ?? 1024)) {
      throw new ModelError('overloaded', `${this.calls} calls are waiting for the model`);
    }
    this.#nextId += 1;
    const message: RunMessage = { kind: 'run', id: this.#nextId, inputs: ordered };
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (): boolean => {
        if (call.settled) return false;
        call.settled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        return true;
      };
      const call: Call = {
        message,
        deadline: deadlineMs === undefined ? Infinity : performance.now() + deadlineMs,
        settled: false,
        resolve: (answer) => void (settle() && resolve(answer)),
        reject: (error) => void (settle() && reject(error)),
      };
      const aborted = (): void => {
        this.#forget(call);
        call.reject(new ModelError('deadline', 'The call was given up'));
      };
      signal?.addEventListener('abort', aborted, { once: true });
      if (deadlineMs !== undefined) {
        timer = setTimeout(() => {
          this.#forget(call);
          call.reject(
            new ModelError('deadline', `The model did not answer within ${Math.round(deadlineMs)} ms`),
          );
          this.#watchHead();
        }, deadlineMs);
      }
      this.#waiting.push(call);
      this.#send();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#watch);
    clearTimeout(this.#retry);
    for (const call of [...this.#sent.splice(0), ...this.#waiting.splice(0)]) {
      call.reject(new ModelError('closed', 'The model has been unloaded'));
    }
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) await this.#end(worker);
  }

  /** A call that nobody waits for any more is not sent; once sent, its place is kept until its answer comes. */
  #forget(call: Call): void {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #send(): void {
    while (this.#worker !== undefined && this.#sent.length < PIPELINE) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      if (this.#sent.length === 0) this.#headSince = performance.now();
      this.#sent.push(call);
      this.#worker.postMessage(call.message);
    }
  }

  #take(worker: Worker, message: ThreadMessage): void {
    if (worker !== this.#worker || (message.kind !== 'answered' && message.kind !== 'failed')) return;
    const call = this.#sent.shift();
    if (call === undefined) return;
    this.#headSince = performance.now();
    if (message.kind === 'answered') call.resolve({ outputs: message.outputs, elapsedMs: message.elapsedMs });
    else call.reject(new ModelError('run-failed', message.reason));
    this.#watchHead();
    this.#send();
  }

  /** Sets the timer that ends the thread when its running call is past deadline and grace. */
  #watchHead(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    const head = this.#sent[0];
    const worker = this.#worker;
    if (worker === undefined || head === undefined || !head.settled) return;
    const late = Math.max(Math.min(head.deadline, performance.now()), this.#headSince);
    const left = late + (this.#settings.graceMs ?? 1_000) - performance.now();
    this.#watch = setTimeout(
      () => {
        if (worker === this.#worker && head === this.#sent[0])
          this.#replace(worker, 'stuck', 'the call did not end');
      },
      Math.max(0, left),
    );
  }

  #lost(worker: Worker, reason: string): void {
    if (worker === this.#worker) this.#replace(worker, 'crashed', reason);
  }

  /** The running call fails; those behind it were not begun and go to the new thread. */
  #replace(worker: Worker, why: 'stuck' | 'crashed', reason: string): void {
    this.#worker = undefined;
    void this.#end(worker);
    const [head, ...rest] = this.#sent.splice(0);
    this.#waiting.unshift(...rest.filter((call) => !call.settled));
    head?.reject(new ModelError('run-failed', `The model's thread was ended: ${reason}`));
    this.#settings.onRestart?.(why);
    this.#restart();
  }

  #restart(): void {
    if (this.#closed) return;
    if (this.#ending.size > MAX_ENDING) {
      this.#later();
      return;
    }
    this.start().catch(() => this.#later());
  }

  #later(): void {
    if (this.#closed) return;
    for (const call of this.#waiting.splice(0)) {
      call.reject(new ModelError('unavailable', "The model's thread has ended and cannot be replaced yet"));
    }
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#restart();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  /**
   * Asks the thread to end. A native call cannot be interrupted, and `terminate` while one runs ends the whole process when it
   * returns (ONNX Runtime's binding throws into a dying isolate): the thread ends itself when the call is over.
   */
  #end(worker: Worker): Promise<void> {
    this.#ending.add(worker);
    allEnding.add(worker);
    const stop: ToThread = { kind: 'stop' };
    worker.postMessage(stop);
    return new Promise((resolve) => {
      worker.once('exit', () => {
        this.#ending.delete(worker);
        allEnding.delete(worker);
        resolve();
      });
    });
  }
}
