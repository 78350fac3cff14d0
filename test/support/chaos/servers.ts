import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../src/stack/index.js';
import { mongodArgument } from '../../../src/stack/mongod.js';
import { findByArgument, isRunning, signal } from '../../../src/processes/identity.js';
import { temporalArgument } from '../../../src/stack/temporal.js';
import type { StageServers } from '../release-stage.js';
import { testBinaries } from '../stack-binaries.js';
import { startThrowAway, type ThrowAway } from '../throw-away.js';

export const SERVERS = ['mongod', 'temporal'] as const;
export type Server = (typeof SERVERS)[number];

const ARGUMENT: Readonly<Record<Server, (dataDir: string) => string>> = {
  mongod: mongodArgument,
  temporal: temporalArgument,
};

/** A Temporal server and a mongod of their own, which are killed and started again on the same data and ports. */
export class Servers implements StageServers {
  readonly temporalAddress: string;
  readonly mongodbUri: string;
  readonly #stack: ThrowAway;

  private constructor(stack: ThrowAway) {
    this.#stack = stack;
    this.temporalAddress = stack.stack.temporalAddress;
    this.mongodbUri = stack.stack.mongodbUri;
  }

  static async start(): Promise<Servers> {
    return new Servers(await startThrowAway());
  }

  /** SIGKILL; returns when the process has gone. */
  async kill(server: Server): Promise<void> {
    const found = findByArgument(ARGUMENT[server](this.#stack.folder));
    for (const identity of found) signal(identity, 'SIGKILL');
    while (found.some(isRunning)) await sleep(10);
  }

  /** Starts what does not run, as `tenure up` does after a crash. @throws Error when its port was lost to somebody else */
  async revive(): Promise<void> {
    const again = await startStack({ dataDir: this.#stack.folder, binaries: testBinaries() });
    const { temporalAddress, mongodbUri } = this;
    if (again.temporalAddress !== temporalAddress || again.mongodbUri !== mongodbUri)
      throw new Error(`The servers came back at ${again.temporalAddress} and ${again.mongodbUri}`);
  }

  end(): Promise<void> {
    return this.#stack.end();
  }
}
