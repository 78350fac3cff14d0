import { readFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../../contracts/ledger.js';
import type { NotTrained, Trained, TrainingFailure, TrainingOrder, TrainingPlatform } from '../platform.js';
import { CANNOT_TRAIN, metricsOf, requestOf } from './contract.js';
import { canWatch, endFamily } from './family.js';
import { attemptsIn, fileDigest, leaderIn, RunFolder, runPath } from './run-folder.js';
import { runTrainer, type TrainerEnd } from './trainer.js';

export interface ProcessPlatformSettings {
  /** Folder of the runs. One a machine: attempts find each other there. */
  readonly folder: string;
  /** PATH of trainers; nothing else of the worker's environment reaches them. */
  readonly path: string;
  /** Between being asked to end and being ended, milliseconds; 10 s unless given. */
  readonly graceMs?: number;
  /** Between two looks at a trainer, milliseconds; 1 s unless given. */
  readonly lookMs?: number;
  /** What no attempt has touched for so long goes, milliseconds; 7 days unless given. */
  readonly keepMs?: number;
}

const DAY_MS = 24 * 3600_000;
const METRICS_BYTES = 64 * 1024;

type Watch = Parameters<TrainingPlatform['train']>[1];

/** Trains with a command on this machine. The contract is in docs/training.md. Needs /proc. */
export class ProcessPlatform implements TrainingPlatform {
  readonly #settings: Required<ProcessPlatformSettings>;

  constructor(settings: ProcessPlatformSettings) {
    this.#settings = { graceMs: 10_000, lookMs: 1_000, keepMs: 7 * DAY_MS, ...settings };
  }

  async train(order: TrainingOrder, watch: Watch): Promise<Trained | NotTrained> {
    watch.signal.throwIfAborted();
    if (!canWatch())
      throw new Error(
        'The training platform `process` needs a machine with /proc, to hold limits and to end what it started: run this worker on Linux',
      );
    await this.#sweep(order.run);
    const folder = new RunFolder(this.#settings.folder, order);
    const attempt = await folder.claim();
    const earlier = (await folder.attempts()).filter((other) => other < attempt);
    for (const other of earlier) await this.#end(order.run, other);
    for (const other of earlier.toReversed()) {
      const outcome = await folder.outcomeOf(other);
      if (outcome !== null) return { outcome: 'trained', ...outcome, attempt: other, adopted: true };
    }
    for (const other of earlier) await folder.drop(other);
    return this.#run(order, watch, folder, attempt);
  }

  async forget(run: string): Promise<void> {
    const path = runPath(this.#settings.folder, run);
    for (const attempt of await attemptsIn(path)) await this.#end(run, attempt);
    await rm(path, { recursive: true, force: true });
  }

  async #end(run: string, attempt: number): Promise<void> {
    const leader = await leaderIn(runPath(this.#settings.folder, run), attempt);
    if (leader !== null) await endFamily({ mark: markOf(run, attempt), leader }, this.#settings.graceMs);
  }

  async #run(
    order: TrainingOrder,
    { signal, onProgress }: Watch,
    folder: RunFolder,
    attempt: number,
  ): Promise<Trained | NotTrained> {
    const own = folder.folder(attempt);
    const places = {
      model: join(own, 'output', 'model.onnx'),
      metrics: join(own, 'output', 'metrics.json'),
      checkpoints: folder.checkpoints,
    };
    const work = join(own, 'work');
    const request = join(own, 'request.json');
    await mkdir(join(own, 'output'), { recursive: true });
    await mkdir(work, { recursive: true });
    await writeFile(request, JSON.stringify(requestOf(order, attempt, places), null, 2));
    const began = performance.now();
    const secondsSoFar = (): number => Math.round((performance.now() - began) / 100) / 10;
    const end = await runTrainer({
      mark: markOf(order.run, attempt),
      command: order.command,
      folder: work,
      environment: {
        PATH: this.#settings.path,
        HOME: work,
        TMPDIR: work,
        LANG: 'C.UTF-8',
        TENURE_TRAINING_REQUEST: request,
      },
      timeoutMs: order.timeoutSeconds * 1000,
      memoryMb: order.memoryMb,
      graceMs: this.#settings.graceMs,
      lookMs: this.#settings.lookMs,
      signal,
      // Whoever claims a later attempt finds this record, or this attempt finds the claim: never do both start.
      mayStart: async (leader) => {
        await folder.recordLeader(attempt, leader);
        return folder.isNewest(attempt);
      },
      onLook: (seen) => onProgress({ attempt, seconds: secondsSoFar(), ...seen }),
    });
    if (end.why === 'not-started')
      throw new Error(`Attempt ${attempt} of ${order.run} was overtaken by a later one`);
    const seconds = secondsSoFar();
    const failure = failureOf(order, end);
    const model = failure === null ? await fileDigest(places.model) : null;
    if (failure !== null || model === null || model.sizeBytes === 0) {
      const [why, message] = failure ?? noModel(model === null ? 'no file' : 'an empty file');
      return { outcome: 'failed', why, message, detail: detailOf(end), attempt, seconds, log: end.log };
    }
    const metrics = await readMetrics(places.metrics);
    const outcome = { model: { file: places.model, ...model }, metrics, seconds, log: end.log };
    await folder.recordOutcome(attempt, outcome);
    return { outcome: 'trained', ...outcome, attempt, adopted: false };
  }

  /** Runs that ended elsewhere, or that nobody came back to. */
  async #sweep(own: string): Promise<void> {
    const { folder: root, keepMs } = this.#settings;
    await mkdir(root, { recursive: true });
    for (const name of await readdir(root)) {
      const run = runOf(name);
      if (run === null) continue;
      const found = await stat(join(root, name)).catch(() => null);
      if (run !== own && found !== null && Date.now() - found.mtimeMs > keepMs) await this.forget(run);
    }
  }
}

const markOf = (run: string, attempt: number): string => `${run}/${attempt}`;

/** Null for what is no run's folder. */
function runOf(name: string): string | null {
  try {
    return decodeURIComponent(name);
  } catch {
    return null;
  }
}

type Failure = readonly [TrainingFailure, string];

const noModel = (what: string): Failure => [
  'no-model',
  `The trainer ended with exit code 0, but left ${what} at output.model of its request`,
];

/** What is wrong with how it ended; null when nothing is. */
function failureOf(order: TrainingOrder, end: TrainerEnd): Failure | null {
  const { why, exitCode, signal } = end;
  const said = lastLineOf(end);
  const [program = ''] = order.command;
  switch (why) {
    case 'timeout':
      return [
        'timeout',
        `The trainer was ended after ${order.timeoutSeconds} seconds; make it quicker or raise retraining.timeoutSeconds${said}`,
      ];
    case 'memory':
      return [
        'memory',
        `The trainer was ended because it used ${end.peakMemoryMb} MiB of memory, more than the ${order.memoryMb} allowed; use less or raise retraining.memoryMb${said}`,
      ];
    case 'exit':
    case 'not-started':
      if (exitCode === 0) return null;
      if (exitCode === CANNOT_TRAIN)
        return ['data', `The trainer says that these data give no model (exit code ${CANNOT_TRAIN})${said}`];
      if (exitCode === 127 || exitCode === 126)
        return [
          'start',
          `${program} cannot be started (exit code ${exitCode}); use an absolute path or one on the worker's PATH${said}`,
        ];
      return [
        'exit',
        exitCode === null
          ? `The trainer was ended by ${signal}${said}`
          : `The trainer ended with exit code ${exitCode}${said}`,
      ];
  }
}

function lastLineOf({ log }: TrainerEnd): string {
  const line = `${log.head}${log.tail}`.trim().split('\n').at(-1)?.slice(-300) ?? '';
  return line === '' ? '' : `; it wrote last: ${line}`;
}

const detailOf = (end: TrainerEnd): { readonly [key: string]: Json } => ({
  exitCode: end.exitCode,
  signal: end.signal,
  peakMemoryMb: end.peakMemoryMb,
  cutBytes: end.log.cutBytes,
});

async function readMetrics(file: string): Promise<Trained['metrics']> {
  const found = await stat(file).catch(() => null);
  if (found?.isFile() !== true || found.size > METRICS_BYTES) return null;
  return metricsOf(await readFile(file, 'utf8'));
}
