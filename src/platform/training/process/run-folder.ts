/**
 * What is kept of a run between its attempts, as `<root>/<run>/`: the order, the trainer's checkpoints, and a folder for each
 * attempt. All under the run's business identity, so that whoever tries again on this machine finds it.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import type { ProcessIdentity } from '../../../processes/identity.js';
import type { Trained, TrainingOrder } from '../platform.js';

/** What of an attempt that ended well must be known to take it over. */
export type Outcome = Pick<Trained, 'model' | 'metrics' | 'seconds' | 'log'>;

export class RunFolder {
  readonly path: string;
  readonly #order: string;

  /** @param order of which the attempts are; what another one left under the same run is not seen */
  constructor(root: string, order: TrainingOrder) {
    this.path = runPath(root, order.run);
    this.#order = digestOf(order);
  }

  get checkpoints(): string {
    return join(this.path, `checkpoints-${this.#order.slice(0, 16)}`);
  }

  /**
   * Claims the next attempt: from now on no earlier one may start anything.
   * @returns its number, from 1
   */
  async claim(): Promise<number> {
    await mkdir(join(this.path, 'attempts'), { recursive: true });
    await mkdir(this.checkpoints, { recursive: true });
    // Seen as used, so that it stays.
    const now = new Date();
    await utimes(this.path, now, now);
    for (;;) {
      const attempt = Math.max(0, ...(await this.attempts())) + 1;
      try {
        await mkdir(this.folder(attempt));
        return attempt;
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
    }
  }

  folder(attempt: number): string {
    return join(this.path, 'attempts', String(attempt));
  }

  #file(attempt: number, name: string): string {
    return join(this.folder(attempt), name);
  }

  attempts(): Promise<readonly number[]> {
    return attemptsIn(this.path);
  }

  isNewest = async (attempt: number): Promise<boolean> => Math.max(...(await this.attempts())) === attempt;

  /** Written before the trainer may start. */
  recordLeader(attempt: number, leader: ProcessIdentity): Promise<void> {
    return writeJson(this.#file(attempt, LEADER), leader);
  }

  recordOutcome(attempt: number, outcome: Outcome): Promise<void> {
    return writeJson(this.#file(attempt, OUTCOME), { order: this.#order, outcome });
  }

  /** Of an attempt that ended well, while its model is still what it was. */
  async outcomeOf(attempt: number): Promise<Outcome | null> {
    const found = await readJson<{ readonly order: string; readonly outcome: Outcome }>(
      this.#file(attempt, OUTCOME),
    );
    if (found === null || found.order !== this.#order) return null;
    const { outcome } = found;
    const model = await fileDigest(outcome.model.file);
    return model?.digest === outcome.model.digest ? outcome : null;
  }

  /** Frees its space. One that still writes keeps some, until the run is forgotten. */
  async drop(attempt: number): Promise<void> {
    await rm(this.folder(attempt), { recursive: true, force: true }).catch((error: unknown) => {
      if (!hasCode(error, 'ENOTEMPTY')) throw error;
    });
  }
}

const LEADER = 'process.json';
const OUTCOME = 'outcome.json';

export const runPath = (root: string, run: string): string => join(root, encodeURIComponent(run));

/** Numbers of the attempts of a run that there is something of, in their order. */
export async function attemptsIn(path: string): Promise<readonly number[]> {
  const names = await readdir(join(path, 'attempts')).catch(orNothing);
  return names
    .map(Number)
    .filter(Number.isSafeInteger)
    .sort((a, b) => a - b);
}

/** First process of an attempt; null when it has not come so far. */
export const leaderIn = (path: string, attempt: number): Promise<ProcessIdentity | null> =>
  readJson<ProcessIdentity>(join(path, 'attempts', String(attempt), LEADER));

const digestOf = ({ data, champion, ...order }: TrainingOrder): string =>
  createHash('sha256')
    .update(
      // Paths differ between machines and stores; what is in the files does not.
      canonicalize({ ...order, data: data.digest, champion: champion?.digest ?? null }) ?? '',
    )
    .digest('hex');

/** Of a regular file; null when there is none. A link is none: it could lead anywhere. */
export async function fileDigest(
  file: string,
): Promise<{ readonly digest: string; readonly sizeBytes: number } | null> {
  const found = await lstat(file).catch(orNull);
  if (found?.isFile() !== true) return null;
  const hash = createHash('sha256');
  for await (const part of createReadStream(file, { highWaterMark: 1024 ** 2 })) hash.update(part as Buffer);
  return { digest: hash.digest('hex'), sizeBytes: found.size };
}

/** Appears whole or not at all. */
async function writeJson(path: string, value: object): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function readJson<T>(path: string): Promise<T | null> {
  const text = await readFile(path, 'utf8').catch(orNull);
  return text === null ? null : (JSON.parse(text) as T);
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const orNothing = (error: unknown): string[] => orNull(error) ?? [];

function orNull(error: unknown): null {
  if (hasCode(error, 'ENOENT')) return null;
  throw error;
}
