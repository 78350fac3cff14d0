import { randomUUID } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killStack, startStack, type Stack } from '../../src/stack/index.js';
import type { Environment } from './command.js';
import { ReleaseStage } from './release-stage.js';
import { testBinaries } from './stack-binaries.js';

/** A home with an embedded stack of its own, as `tenure up` would have it: for what needs Temporal's files, or takes them away. */
export class OwnHome {
  readonly folder: string;
  /** Of database and task queue. */
  readonly name: string;
  #stack: Stack | undefined;
  #stage: ReleaseStage | undefined;

  private constructor(folder: string, name: string) {
    this.folder = folder;
    this.name = name;
    // For runs that end without `remove`.
    process.once('exit', () => killStack(folder));
  }

  /** Nothing runs yet. @param name that of the home whose backup is to be restored here */
  static async make(name = `home-${randomUUID().slice(0, 8)}`): Promise<OwnHome> {
    return new OwnHome(await realpath(await mkdtemp(join(tmpdir(), 'tenure-home-'))), name);
  }

  /** For the command: it finds the stack by the folder. */
  get env(): Environment {
    return {
      PATH: process.env['PATH'] ?? '',
      TENURE_HOME: this.folder,
      TENURE_DATABASE: this.name,
      TENURE_TASK_QUEUE: this.name,
      TENURE_CACHE: testBinaries().cacheDir,
      TENURE_USER: 'ada',
    };
  }

  get stack(): Stack {
    if (this.#stack === undefined) throw new Error('The stack does not run');
    return this.#stack;
  }

  get stage(): ReleaseStage {
    if (this.#stage === undefined) throw new Error('The stage is not open');
    return this.#stage;
  }

  async up(): Promise<Stack> {
    this.#stack = await startStack({ dataDir: this.folder, binaries: testBinaries() });
    return this.#stack;
  }

  /** Stack, worker and gateways. */
  async open(gateways: readonly string[]): Promise<ReleaseStage> {
    const { temporalAddress, mongodbUri } = await this.up();
    const home = { folder: this.folder, name: this.name };
    this.#stage = await ReleaseStage.open(gateways, { temporalAddress, mongodbUri, home });
    return this.#stage;
  }

  /** In order: worker and gateways, then the stack. */
  async down(): Promise<void> {
    await this.#stage?.close();
    this.#stage = undefined;
    await this.#stack?.stop();
    this.#stack = undefined;
  }

  async remove(): Promise<void> {
    await this.down();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
