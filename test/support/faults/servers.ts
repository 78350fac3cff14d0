import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killStack, startStack, type Stack } from '../../../src/stack/index.js';
import { mongodArgument } from '../../../src/stack/mongod.js';
import { findByArgument, signal } from '../../../src/processes/identity.js';
import { temporalArgument } from '../../../src/stack/temporal.js';
import { until } from '../gateway.js';
import { getTestStack } from '../stack.js';
import { testBinaries } from '../stack-binaries.js';

export type ServerName = 'mongod' | 'temporal';

/** A server for one scenario, which may stop, kill and start it; the other one is the test run's. */
export class OwnServers {
  readonly dataDir: string;
  readonly #own: readonly ServerName[];
  #stack: Stack | null = null;

  private constructor(dataDir: string, own: readonly ServerName[]) {
    this.dataDir = dataDir;
    this.#own = own;
  }

  /** @param folder of the data; a throw-away one when absent */
  static async start(own: readonly ServerName[], folder?: string): Promise<OwnServers> {
    const dataDir = await realpath(folder ?? (await mkdtemp(join(tmpdir(), 'tenure-faults-'))));
    process.once('exit', () => killStack(dataDir));
    const servers = new OwnServers(dataDir, own);
    await servers.start();
    return servers;
  }

  get addresses(): { readonly temporalAddress: string; readonly mongodbUri: string } {
    if (this.#stack === null) throw new Error('The servers have not been started');
    return this.#stack;
  }

  /** Again, on the same data and ports, what does not run. */
  async start(): Promise<void> {
    const shared = await getTestStack();
    this.#stack = await startStack({
      dataDir: this.dataDir,
      binaries: testBinaries(),
      ...(this.#own.includes('mongod') ? {} : { mongodbUri: shared.mongodbUri }),
      ...(this.#own.includes('temporal') ? {} : { temporalAddress: shared.temporalAddress }),
    });
  }

  send(server: ServerName, name: NodeJS.Signals): void {
    const found = findByArgument(this.#argument(server));
    if (found.length !== 1) throw new Error(`${found.length} processes are ${server}`);
    for (const identity of found) signal(identity, name);
  }

  pid(server: ServerName): number {
    const [found] = findByArgument(this.#argument(server));
    if (found === undefined) throw new Error(`No process is ${server}`);
    return found.pid;
  }

  isRunning(server: ServerName): boolean {
    return findByArgument(this.#argument(server)).length > 0;
  }

  async kill(server: ServerName): Promise<void> {
    this.send(server, 'SIGKILL');
    await until(`the end of ${server}`, () => !this.isRunning(server));
  }

  async close(): Promise<void> {
    // What is stopped ends by no other signal.
    killStack(this.dataDir);
    await this.#stack?.stop();
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  #argument(server: ServerName): string {
    return server === 'mongod' ? mongodArgument(this.dataDir) : temporalArgument(this.dataDir);
  }
}
