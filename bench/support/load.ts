import { fork } from 'node:child_process';
import { once } from 'node:events';
import { compiled } from './compiled.js';

export interface LoadRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Target {
  readonly url: string;
  readonly path: string;
  /** Sent in turn, from the beginning again after the last. */
  readonly requests: readonly LoadRequest[];
  readonly connections: number;
  readonly seconds: number;
}

/** Each connection sends its next request when it has the answer: finds the throughput. */
export interface ClosedLoad extends Target {
  readonly kind: 'closed';
}

/** Sends at a fixed rate whatever comes back, and counts time from when a request was due: finds the time users wait. */
export interface OpenLoad extends Target {
  readonly kind: 'open';
  /** Requests a second. */
  readonly rate: number;
  /** Requests due within these first seconds are sent, not timed. */
  readonly settleSeconds: number;
  /** Only answers with all of these headers are timed. */
  readonly timed: Readonly<Record<string, string>>;
}

export interface LoadResult {
  /** Good answers a second. */
  readonly perSecond: number;
  readonly answered: number;
  /** Answers other than 2xx, and requests without one. */
  readonly bad: number;
  /** Of an open load: the first bad answer, where there was one. */
  readonly complaint?: string;
  /** Milliseconds, of an open load. */
  readonly latencies: readonly number[];
}

/**
 * Sends load from a process of its own.
 * @throws Error when an answer was not good: the speed of refusals says nothing
 */
export async function load(job: ClosedLoad | OpenLoad): Promise<LoadResult> {
  const child = fork(await compiled('bench/processes/load'), { execArgv: [] });
  const ended = once(child, 'exit');
  child.send(job);
  const [said] = (await Promise.race([once(child, 'message'), ended])) as [LoadResult | number | null];
  await ended;
  if (said === null || typeof said === 'number') throw new Error(`The load generator ended with ${said}`);
  if (said.bad > 0 || said.answered === 0) {
    throw new Error(
      `Of the requests to ${job.url}${job.path}, ${said.answered} were answered well and ${said.bad} were not${said.complaint === undefined ? '' : `: ${said.complaint}`}`,
    );
  }
  return said;
}
