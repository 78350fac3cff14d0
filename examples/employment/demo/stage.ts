import { mkdtemp, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment, type Config, loadConfig } from '../../../src/config.js';
import { type KeptProcess, startProcess } from '../../../src/client/processes.js';
import { openSession, type Session } from '../../../src/client/session.js';
import type { Tenure } from '../../../src/client/tenure.js';
import { startStack, type Stack } from '../../../src/stack/index.js';
import type { Pace } from './pace.js';
import { gatherPeople, type People } from './people.js';
import type { Story } from './story.js';

/** Everything that the demo plays on: the embedded stack, one worker, one gateway, a client. */
export interface Stage {
  readonly stack: Stack;
  readonly session: Session;
  readonly tenure: Tenure;
  readonly gatewayUrl: string;
  readonly folder: string;
  readonly people: People;
  worker: KeptProcess;
  startWorker(): Promise<void>;
  /** @param keepFolder for finding out what went wrong */
  close(keepFolder: boolean): Promise<void>;
}

const sibling = (path: string): URL =>
  new URL(`../../../src/${path}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** A stage of its own in a temporary folder, so that every run begins with nothing; only the downloaded programs are shared. */
export async function buildStage(story: Story, pace: Pace): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-demo-'));
  const closing = new Closing();
  try {
    return await build(story, pace, folder, closing);
  } catch (error) {
    await closing.close();
    story.say(`the logs are in ${folder}`);
    throw error;
  }
}

/** What is to be ended, the last one first. */
class Closing {
  readonly #ends: (() => Promise<unknown>)[] = [];

  add(end: () => Promise<unknown>): void {
    this.#ends.unshift(end);
  }

  /** One that fails keeps no other from being ended. */
  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end().catch(() => undefined);
  }
}

async function build(story: Story, { tickSeconds }: Pace, folder: string, closing: Closing): Promise<Stage> {
  const base = loadConfig();
  const stack = await startStack({
    dataDir: folder,
    binaries: base.binaries,
    temporalAddress: base.temporal?.address ?? null,
    mongodbUri: base.mongodbUri,
    onProgress: (text) => story.say(text),
  });
  closing.add(() => stack.stop());
  const people = await gatherPeople(folder, base.path);
  closing.add(() => people.close());
  const env = {
    ...childEnvironment({ ...base, home: folder, artifacts: join(folder, 'artifacts') }, stack),
    TENURE_GATEWAY_PORT: '0',
    TENURE_LOG_LEVEL: 'info',
    TENURE_ALERTS: people.file,
    // Windows of the demo are seconds long.
    TENURE_GATEWAY_FLUSH_SECONDS: '1',
    TENURE_MONITOR_SECONDS: String(tickSeconds),
    TENURE_MONITOR_SHARDS: '1',
    TENURE_REPORT_AT: 'off',
  };
  const config: Config = loadConfig(env);
  const log = createWriteStream(join(folder, 'processes.log'), { flags: 'a' });
  closing.add(() => new Promise<void>((resolve) => log.end(resolve)));
  const start = (
    name: string,
    path: string,
    ready: RegExp,
  ): Promise<{ process: KeptProcess; line: string }> =>
    new Promise((resolve, reject) => {
      const kept = startProcess({
        name,
        entry: sibling(path),
        env,
        onLine: (line) => {
          log.write(`${name}: ${line}\n`);
          if (ready.test(line)) resolve({ process: kept, line });
        },
      });
      closing.add(() => kept.stop());
      void kept.exited.then(() =>
        reject(new Error(`${name} ended before it was ready: see ${join(folder, 'processes.log')}`)),
      );
    });
  const startWorker = async (): Promise<KeptProcess> =>
    (await start('worker', 'worker', /^Worker polls/)).process;

  const [worker, gateway] = await Promise.all([
    startWorker(),
    start('gateway', 'gateway/main', /listens on http/),
  ]);
  const session = openSession(config, { actor: 'ada.moreau' });
  closing.add(() => session.close());
  const stage: Stage = {
    stack,
    session,
    tenure: await session.tenure(),
    gatewayUrl: gateway.line.replace(/^.*listens on /, ''),
    folder,
    people,
    worker,
    startWorker: async () => {
      stage.worker = await startWorker();
    },
    close: async (keepFolder) => {
      await closing.close();
      if (!keepFolder) await rm(folder, { recursive: true, force: true });
    },
  };
  return stage;
}
