import { Client, Connection } from '@temporalio/client';
import type { Difference } from '../../src/contracts/doctor.js';
import { modelWorkflowId, releaseWorkflowId } from '../../src/contracts/ids.js';
import type { TenureDatabase } from '../../src/platform/mongo/index.js';
import type { ReleaseInput } from '../../src/lifecycle/release-state.js';
import type { ReleaseStage } from './release-stage.js';
import { deleteWorkflow } from './temporal-hands.js';

/** What operators and restores do to the parts behind Tenure's back. */
export class Accidents {
  readonly client: Client;
  readonly database: TenureDatabase;
  readonly #connection: Connection;
  readonly #taskQueue: string;

  private constructor(connection: Connection, client: Client, database: TenureDatabase, taskQueue: string) {
    this.#connection = connection;
    this.client = client;
    this.database = database;
    this.#taskQueue = taskQueue;
  }

  static async open({ session }: ReleaseStage): Promise<Accidents> {
    const { temporal, namespace, taskQueue } = session.config;
    const connection = await Connection.connect({ address: temporal?.address ?? '' });
    return new Accidents(
      connection,
      new Client({ connection, namespace }),
      await session.database(),
      taskQueue,
    );
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async terminateModel(model: string): Promise<void> {
    await this.client.workflow.getHandle(modelWorkflowId(model)).terminate('an accident');
  }

  /** As if it had never been: also what was is forgotten. */
  async deleteModel(model: string): Promise<void> {
    await this.terminateModel(model);
    await deleteWorkflow(this.client, modelWorkflowId(model));
  }

  async terminateRelease(model: string, release: number): Promise<void> {
    await this.client.workflow.getHandle(releaseWorkflowId(model, release)).terminate('an accident');
  }

  /** Somebody starts the lifecycle anew, without its state. */
  async startAnew(model: string, manifest: ReleaseInput['manifest']): Promise<void> {
    await this.client.workflow.start('modelLifecycle', {
      workflowId: modelWorkflowId(model),
      taskQueue: this.#taskQueue,
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
      args: [{ manifest }],
    });
  }

  /** A release that its model never heard of. */
  async startRelease(input: ReleaseInput): Promise<void> {
    await this.client.workflow.start('modelRelease', {
      workflowId: releaseWorkflowId(input.model, input.release),
      taskQueue: this.#taskQueue,
      args: [input],
    });
  }

  /** All keys go to a version, by hand. */
  async changeRoute(model: string, change: Readonly<Record<string, unknown>>): Promise<void> {
    await this.database.collections.routes.updateOne({ _id: model }, { $set: change });
  }
}

/** `code` and `subject` of each. */
export const codesOf = (differences: readonly Difference[], model: string): readonly string[] =>
  differences
    .filter((difference) => difference.model === model)
    .map(({ code, subject }) => (subject === '' ? code : `${code} ${subject}`))
    .sort();
