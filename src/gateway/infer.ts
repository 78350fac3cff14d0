import { ModelError } from '../platform/onnx/errors.js';
import { matchInputs, type Tensor } from '../platform/onnx/tensors.js';
import type { ModelAnswer } from '../platform/onnx/thread.js';
import type { KeyTracker } from '../platform/windows/keys.js';
import type { ModelRecorder } from '../platform/windows/recorder.js';
import type { InferContext } from './context.js';
import { cellKey } from './counting.js';
import type { LiveRoute } from './live-route.js';
import type { ModelRoutes } from './model-routes.js';
import { markRequest, scoreOf } from './probes.js';
import { checkOutputs, HttpError, type InferRequest, readInferRequest } from './protocol.js';
import { copyToShadow } from './shadow.js';
import type { Slot } from './slots.js';
import { hashKey, type KeyHash, roleOf, type SplitRole } from './split.js';

export interface InferCall {
  readonly body: unknown;
  /** Version in the path. */
  readonly version: string | null;
  readonly requestId: string;
  /** Value of the routing-key header; null: the request id is the key. */
  readonly key: string | null;
  readonly purpose: 'conformance' | 'drill' | null;
  /** `performance.now()` when the deadline began. */
  readonly began: number;
}

export interface Answered {
  readonly version: string;
  readonly outputs: readonly Tensor[];
  readonly wanted: readonly string[] | null;
  readonly fallback: boolean;
}

const RETRY_AFTER_SECONDS = 1;

/** Kind of error for the windows. */
const kindOf = (error: unknown): string => {
  if (!(error instanceof ModelError)) return 'internal';
  // The same input fitted the champion: what another version makes of it is that version's doing.
  return error.code === 'wrong-input' ? 'run-failed' : error.code;
};

/** @throws HttpError for everything but an answer */
export function infer(
  routes: ModelRoutes,
  live: LiveRoute,
  call: InferCall,
  context: InferContext,
): Promise<Answered> {
  return new Inference(routes, live, call, context).run();
}

class Inference {
  readonly #routes: ModelRoutes;
  readonly #live: LiveRoute;
  readonly #call: InferCall;
  readonly #context: InferContext;
  readonly #recorder: ModelRecorder;

  constructor(routes: ModelRoutes, live: LiveRoute, call: InferCall, context: InferContext) {
    this.#routes = routes;
    this.#live = live;
    this.#call = call;
    this.#context = context;
    this.#recorder = context.counting.recorder(routes.model);
  }

  get #leftMs(): number {
    return this.#live.table.deadlineMs - (performance.now() - this.#call.began);
  }

  async run(): Promise<Answered> {
    const { table, slots } = this.#live;
    if (slots.champion === null && this.#call.version === null) {
      const reason = table.unavailableReason ?? 'no version of this model is in production';
      throw new HttpError(503, `${this.#routes.model} is not available: ${reason}`);
    }
    const forced = this.#call.version === null ? null : this.#forced(this.#call.version);
    const request = this.#read(forced ?? slots.champion);
    if (forced !== null) return this.#single(forced, 'forced', request);
    const champion = slots.champion as Slot;
    if (this.#call.purpose === 'conformance') return this.#single(champion, 'forced', request);

    const hash = hashKey(table.salt, this.#call.key ?? request.id ?? this.#call.requestId);
    const isDrill = this.#call.purpose === 'drill' || table.phase === 'drill';
    const inForce = this.#context.leaseHeld(table) && !this.#live.tripped && !this.#live.suspended;
    const role = inForce ? roleOf(table, hash.h) : 'champion';
    const kind = isDrill ? 'drill' : inForce ? 'split' : 'unsplit';
    const copied =
      table.shadow !== null && slots.shadow !== null && this.#context.random() < table.shadow.share;
    const answer = await (role === 'champion'
      ? this.#champion(champion, request, hash, kind)
      : this.#trial(slots[role] as Slot, role, champion, request, hash, kind));
    if (copied && !answer.fallback && role === 'champion') {
      copyToShadow(this.#live, request.inputs, answer.outputs, this.#recorder, this.#context);
    }
    if (!isDrill) this.#keep(request, answer, answer.fallback ? 'champion' : role);
    return answer;
  }

  #keep({ inputs }: InferRequest, { outputs }: Answered, role: SplitRole): void {
    const { table, slots } = this.#live;
    const { ref } = slots[role] as Slot;
    const { requestId } = this.#call;
    this.#context.observing?.keeper.answered(table, { requestId, ref, role, inputs, outputs });
  }

  #forced(version: string): Slot {
    const slot = this.#routes.loaded(version);
    if (slot !== null) return slot;
    const known = this.#routes.versions().join(', ');
    throw new HttpError(
      404,
      `${this.#routes.model} has no version ${version} on this gateway; it has ${known || 'none'}`,
    );
  }

  /** Malformed requests are told from the model's errors before anything is counted for a version. */
  #read(slot: Slot | null): InferRequest {
    try {
      const request = readInferRequest(this.#call.body, this.#live.table.nullable);
      if (slot === null) return request;
      const { inputs, outputs } = slot.thread.metadata;
      checkOutputs(request.outputs, outputs);
      return { ...request, inputs: matchInputs(inputs, request.inputs) };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      if (slot !== null) this.#recorder.count(this.#live.table, cellKey(slot.ref, 'champion'), 'clientError');
      throw new HttpError(400, error.message);
    }
  }

  /** A request for one version, counted apart; nobody falls back. */
  async #single(slot: Slot, kind: 'forced', request: InferRequest): Promise<Answered> {
    const { table, slots } = this.#live;
    const role =
      slot === slots.champion
        ? 'champion'
        : slot === slots.holdback
          ? 'holdback'
          : slot === slots.shadow
            ? 'shadow'
            : 'candidate';
    const key = cellKey(slot.ref, role);
    const began = performance.now();
    try {
      this.#admit(slot, role);
      const answer = await slot.infer(request.inputs, { deadlineMs: this.#leftMs });
      this.#recorder.count(table, key, kind);
      this.#seen(slot, role, 'forced', began, answer.elapsedMs);
      return this.#answered(slot, answer, request, false);
    } catch (error) {
      if (!(error instanceof HttpError)) {
        this.#recorder.count(table, key, kind, kindOf(error));
        this.#seen(slot, role, kindOf(error), began, null);
      }
      throw failure(error);
    }
  }

  async #champion(
    slot: Slot,
    request: InferRequest,
    hash: KeyHash,
    kind: 'split' | 'unsplit' | 'drill',
  ): Promise<Answered> {
    this.#admit(slot, 'champion');
    const note = this.#begin(slot, 'champion', hash, kind, request);
    try {
      const answer = await slot.infer(request.inputs, { deadlineMs: this.#leftMs });
      this.#live.noteChampionTime(note.ms());
      note.end(answer, null);
      return this.#answered(slot, answer, request, false);
    } catch (error) {
      note.end(null, error);
      throw failure(error);
    }
  }

  async #trial(
    slot: Slot,
    role: Exclude<SplitRole, 'champion'>,
    champion: Slot,
    request: InferRequest,
    hash: KeyHash,
    kind: 'split' | 'unsplit' | 'drill',
  ): Promise<Answered> {
    const { table, trialMs } = this.#live;
    if (slot.inFlight >= table.maxConcurrency) {
      this.#recorder.count(table, cellKey(slot.ref, role), 'shed');
      if (!table.fallback) throw this.#shed();
      return this.#fallBack(champion, request, () => undefined);
    }
    const note = this.#begin(slot, role, hash, kind, request);
    const spent = table.deadlineMs - this.#leftMs;
    try {
      const answer = await slot.infer(request.inputs, { deadlineMs: trialMs - spent });
      note.end(answer, null);
      return this.#answered(slot, answer, request, false);
    } catch (error) {
      const record = note.fail(error);
      if (table.fallback) return this.#fallBack(champion, request, record);
      record();
      throw failure(error);
    }
  }

  /** @param record counts why, in the moment in which the end is: else a batch would hold a failure, and the next one its answer */
  async #fallBack(champion: Slot, request: InferRequest, record: () => void): Promise<Answered> {
    const { table } = this.#live;
    const key = cellKey(champion.ref, 'champion');
    const began = performance.now();
    let answer: ModelAnswer;
    try {
      this.#admit(champion, 'champion');
      this.#context.counting.metrics.fallbacks.inc({ model: this.#routes.model });
      answer = await champion.infer(request.inputs, { deadlineMs: Math.max(1, this.#leftMs) });
    } catch (error) {
      record();
      // Its own answer says that there was no place; it is counted as shed.
      if (!(error instanceof HttpError)) {
        this.#recorder.count(table, key, 'fallback', kindOf(error));
        this.#seen(champion, 'champion', kindOf(error), began, null);
      }
      throw failure(error);
    }
    record();
    this.#recorder.count(table, key, 'fallback');
    this.#seen(champion, 'champion', 'fallback', began, answer.elapsedMs);
    return this.#answered(champion, answer, request, true);
  }

  /** @throws HttpError 503 when too many are with the version */
  #admit(slot: Slot, role: SplitRole | 'shadow'): void {
    if (slot.inFlight < this.#live.table.maxConcurrency) return;
    this.#recorder.count(this.#live.table, cellKey(slot.ref, role), 'shed');
    throw this.#shed();
  }

  #shed(): HttpError {
    this.#context.counting.metrics.shed.inc({ model: this.#routes.model });
    const { maxConcurrency } = this.#live.table;
    return new HttpError(
      503,
      `More than ${maxConcurrency} requests are in flight; try again`,
      RETRY_AFTER_SECONDS,
    );
  }

  /** Opens the books for a request, before it runs; `end` closes them, or what `fail` returns, when it is known what became of it. */
  #begin(
    slot: Slot,
    role: SplitRole,
    hash: KeyHash,
    kind: 'split' | 'unsplit' | 'drill',
    { inputs }: InferRequest,
  ) {
    const { table } = this.#live;
    const key = cellKey(slot.ref, role);
    const began = performance.now();
    const { trialMs } = this.#live;
    const tracker: KeyTracker | null = kind === 'split' ? this.#recorder.keysOf(table) : null;
    const first = tracker?.begin(hash.identity) ?? false;
    const ms = (): number => performance.now() - began;
    /** What protects users is done at once; what is counted, when the result is called. */
    const judge = (answer: ModelAnswer | null, error: unknown): (() => void) => {
      const late = answer !== null && performance.now() - this.#call.began > trialMs;
      const kindOfError = answer === null ? kindOf(error) : late ? 'late' : null;
      const elapsedMs = answer?.elapsedMs ?? null;
      this.#seen(slot, role, answer === null ? kindOf(error) : 'ok', began, elapsedMs);
      if (kind === 'drill') return () => this.#recorder.count(table, key, kind, kindOfError);
      const { bad, absent } = markRequest(table.guardrails, answer, kindOfError);
      const score = answer === null ? null : scoreOf(answer.outputs, table.scoreOutput);
      const rows = answer === null ? null : (slot.features?.rows(inputs, answer.outputs) ?? null);
      if (role === 'candidate' && kind === 'split' && this.#live.noteCandidate(bad, new Date()))
        this.#context.tripped(this.#live);
      return () => {
        this.#recorder.answered(table, key, kind, { elapsedMs, score, error: kindOfError, bad, rows });
        if (tracker !== null)
          this.#recorder.key(table, slot.ref.digest, tracker, hash.identity, first, bad, absent);
      };
    };
    return {
      ms,
      end: (answer: ModelAnswer | null, error: unknown): void => judge(answer, error)(),
      fail: (error: unknown) => judge(null, error),
    };
  }

  #seen(slot: Slot, role: string, outcome: string, began: number, elapsedMs: number | null): void {
    this.#context.counting.metrics.requests.seen(
      this.#routes.model,
      slot.ref.version,
      role,
      outcome,
      performance.now() - began,
      elapsedMs,
    );
  }

  #answered(slot: Slot, { outputs }: ModelAnswer, request: InferRequest, fallback: boolean): Answered {
    return { version: slot.ref.version, outputs, wanted: request.outputs, fallback };
  }
}

function failure(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (!(error instanceof ModelError)) return new HttpError(500, 'The request failed inside the gateway');
  switch (error.code) {
    case 'deadline':
      return new HttpError(504, error.message);
    case 'wrong-input':
      return new HttpError(400, error.message);
    case 'overloaded':
    case 'unavailable':
    case 'closed':
      return new HttpError(503, error.message, RETRY_AFTER_SECONDS);
    case 'digest-mismatch':
    case 'load-failed':
    case 'run-failed':
      return new HttpError(500, `The model failed on this input: ${error.message}`);
  }
}
