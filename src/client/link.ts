import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type ConnectionOptions, type WorkflowHandle } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { modelWorkflowId, releaseWorkflowId } from '../contracts/ids.js';
import type { Request } from '../contracts/messages.js';
import { accepts } from './accepts.js';
import { explain, NO_WORKER, NOT_REACHABLE, TenureError } from './errors.js';
import { untilProcessed } from './unprocessed.js';

export interface TenureOptions {
  readonly connection: ConnectionOptions;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Who acts, unless a call says otherwise. */
  readonly actor: string;
  /** How long a call waits for a worker, milliseconds (default a minute). */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 60_000;
const PROBE_MS = 3_000;

/** @throws TenureError `unreachable` */
export async function connect({ connection }: TenureOptions): Promise<Connection> {
  const made = Connection.lazy({ connectTimeout: '5s', ...connection });
  try {
    await made.ensureConnected();
    return made;
  } catch (error) {
    // Else it would go on trying for as long as the process lives.
    await made.close();
    const { address } = connection;
    if (address !== undefined && (await accepts(address))) throw hanging(address, error);
    const reason = error instanceof Error ? error.message : String(error);
    throw new TenureError(
      'unreachable',
      `${NOT_REACHABLE} at ${address}: ${reason}. Start the stack with \`tenure up\`, or set TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
}

const hanging = (address: string | undefined, cause: unknown): TenureError =>
  new TenureError('unreachable', `Temporal does not answer at ${address}: it hangs, or the way to it does`, {
    cause,
  });

/** A connection to Temporal, and how its workflows are talked to: with bounded patience, and errors that say what to do. */
export class Link {
  protected readonly client: Client;
  protected readonly options: TenureOptions;
  readonly #connection: Connection;
  readonly #calls = new Map<Promise<unknown>, AbortController>();
  #closed = false;

  protected constructor(connection: Connection, options: TenureOptions) {
    this.#connection = connection;
    this.options = options;
    this.client = new Client({ connection, namespace: options.namespace });
  }

  /**
   * Gives up the calls that are under way, and waits until they are: one that is about to be tried again on a closed connection
   * would bring the process down.
   */
  async close(): Promise<void> {
    this.#closed = true;
    for (const controller of this.#calls.values()) controller.abort();
    // Between two tries a call does not hear of it, and goes on until its time is over.
    await Promise.race([
      Promise.allSettled(this.#calls.keys()),
      sleep(this.patienceMs, undefined, { ref: false }),
    ]);
    await this.#connection.close();
  }

  protected modelHandle(model: string): WorkflowHandle {
    return this.client.workflow.getHandle(modelWorkflowId(model));
  }

  protected releaseHandle(model: string, release: number): WorkflowHandle {
    return this.client.workflow.getHandle(releaseWorkflowId(model, release));
  }

  protected get patienceMs(): number {
    return this.options.patienceMs ?? PATIENCE_MS;
  }

  protected request({ requestId, actor }: Partial<Request>): Request {
    return { requestId: requestId ?? randomUUID(), actor: actor ?? this.options.actor };
  }

  protected update<T, R extends Request>(
    model: string,
    update: UpdateDefinition<T, [R]>,
    request: R,
  ): Promise<T> {
    return this.patiently(model, () =>
      this.modelHandle(model).executeUpdate<T, [R]>(update, { args: [request], updateId: request.requestId }),
    );
  }

  protected async patiently<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.underWay(() =>
        this.#connection.withDeadline(Date.now() + this.patienceMs, () => untilProcessed(call)),
      );
    } catch (error) {
      throw await this.#whoIsAway(
        explain(error, `model ${what} is not known here: apply its manifest first`),
      );
    }
  }

  /**
   * A call of a workflow that is over some time, as a model's is not.
   * @param see where what is known of it stands, for a message
   * @throws TenureError `not-found`
   */
  protected async about<T>(
    workflowId: string,
    { name, see }: { readonly name: string; readonly see: string },
    call: (handle: WorkflowHandle) => Promise<T>,
  ): Promise<T> {
    const handle = this.client.workflow.getHandle(workflowId);
    try {
      return await this.patiently(name, () => call(handle));
    } catch (error) {
      if (!(error instanceof TenureError) || error.code !== 'not-found') throw error;
      throw new TenureError('not-found', `${name} is not known, or over: see ${see}`, { cause: error });
    }
  }

  /** A call that got no answer in time says nothing of who did not give it: the worker, or a Temporal that hangs. */
  async #whoIsAway(error: unknown): Promise<unknown> {
    const message = error instanceof TenureError ? error.message : '';
    const wasSent = message.startsWith(NO_WORKER);
    if (!wasSent && !message.startsWith(NOT_REACHABLE)) return error;
    try {
      await this.#connection.withDeadline(Date.now() + PROBE_MS, () =>
        this.#connection.workflowService.getSystemInfo({}),
      );
      return error;
    } catch {
      const { address } = this.options.connection;
      const isThere = wasSent || (address !== undefined && (await accepts(address)));
      return isThere ? hanging(address, error) : error;
    }
  }

  protected underWay<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new TenureError('unreachable', 'the connection to Temporal was closed');
    const controller = new AbortController();
    const made = this.#connection.withAbortSignal(controller.signal, call);
    this.#calls.set(made, controller);
    void made.finally(() => this.#calls.delete(made)).catch(() => undefined);
    return made;
  }
}
