import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Execution } from '../../contracts/doctor.js';
import { incidentWorkflowId, modelWorkflowId, releaseWorkflowId } from '../../contracts/ids.js';
import { modelState, releaseState } from '../../contracts/messages.js';
import type { ModelView, ReleaseView } from '../../contracts/views.js';

/** A workflow that does not answer within this time has a reason that somebody should look at. */
const ANSWER_MS = 10_000;

/** What Temporal says of models and releases, each asked for by its id. */
export class Executions {
  readonly #client: Client;
  readonly #taskQueue: string;

  constructor(client: Client, taskQueue: string) {
    this.#client = client;
    this.#taskQueue = taskQueue;
  }

  async lifecycle(model: string): Promise<Execution<ModelView>> {
    const found = await this.#execution(modelWorkflowId(model), (handle) => handle.query(modelState));
    if (found.state !== 'open' || found.view === null) return found;
    // A worker of the version before, which is being replaced, may have answered.
    const { acts = [], parked = null, unrecorded = null } = found.view as Partial<ModelView>;
    return { state: 'open', view: { ...found.view, acts, parked, unrecorded } };
  }

  async release(model: string, number: number): Promise<Execution<ReleaseView>> {
    const id = releaseWorkflowId(model, number);
    const found = await this.#execution(id, (handle) => handle.query(releaseState));
    if (found.state !== 'open' || found.view === null) return found;
    const { unrecorded = null } = found.view as Partial<ReleaseView>;
    return { state: 'open', view: { ...found.view, unrecorded } };
  }

  /** Whether it is there: what it says is of no interest here. */
  async incident(model: string, number: number): Promise<Execution<null>> {
    return this.#execution(incidentWorkflowId(model, number), () => Promise.resolve(null));
  }

  /** Names of models, and numbers of releases, that may run: where to look. Visibility lags, so nothing is decided by it. */
  async hints(): Promise<{
    readonly models: readonly string[];
    readonly releases: ReadonlyMap<string, readonly number[]>;
  }> {
    const query = `TaskQueue = '${this.#taskQueue}' AND ExecutionStatus = 'Running'`;
    const models: string[] = [];
    const releases = new Map<string, number[]>();
    for await (const { workflowId } of this.#client.workflow.list({ query })) {
      const [, model] = /^model:(.+)$/.exec(workflowId) ?? [];
      const [, ofModel, number] = /^release:(.+):(\d+)$/.exec(workflowId) ?? [];
      if (model !== undefined) models.push(model);
      if (ofModel !== undefined) releases.set(ofModel, [...(releases.get(ofModel) ?? []), Number(number)]);
    }
    return { models, releases };
  }

  async #execution<V>(id: string, ask: (handle: WorkflowHandle) => Promise<V>): Promise<Execution<V>> {
    const handle = this.#client.workflow.getHandle(id);
    try {
      const { status } = await handle.describe();
      if (status.name !== 'RUNNING') return { state: 'closed', how: status.name };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { state: 'missing' };
      throw error;
    }
    const view = await this.#client
      .withDeadline(Date.now() + ANSWER_MS, () => ask(handle))
      // Whatever the reason, what counts is that it is open and does not answer.
      .catch(() => null);
    return { state: 'open', view };
  }
}
