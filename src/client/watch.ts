import { setTimeout as sleep } from 'node:timers/promises';
import type { ReleaseStage } from '../contracts/model.js';
import type { ReleaseView } from '../contracts/views.js';
import { TenureError } from './errors.js';
import type { Tenure } from './tenure.js';

/** What can be seen of a release at one moment. */
export interface ReleaseSight {
  readonly model: string;
  readonly release: number;
  /** `queued` and `superseded`: it has not started, or never will. */
  readonly stage: ReleaseStage | 'queued' | 'superseded';
  /** Null while it is queued, and after it was superseded. */
  readonly view: ReleaseView | null;
  /** Why nothing newer can be seen at the moment; null when this is fresh. */
  readonly unreachable: string | null;
  readonly ended: boolean;
}

const ENDS: readonly ReleaseSight['stage'][] = [
  'succeeded',
  'rejected',
  'rolled-back',
  'aborted',
  'superseded',
];

/**
 * Looks at a release once, also while it is queued.
 * @throws TenureError `not-found`, `unreachable`
 */
export async function lookAtRelease(tenure: Tenure, model: string, release: number): Promise<ReleaseSight> {
  try {
    const view = await tenure.release(model, release);
    return { model, release, stage: view.stage, view, unreachable: null, ended: view.outcome !== null };
  } catch (error) {
    if (!(error instanceof TenureError) || error.code === 'unreachable') throw error;
    const { releases } = await tenure.model(model);
    const stage = releases.find((known) => known.release === release)?.stage;
    // Between the model's order and the release's first task there is nothing to ask yet.
    if (stage === undefined) throw error;
    return { model, release, stage, view: null, unreachable: null, ended: ENDS.includes(stage) };
  }
}

export interface WatchOptions {
  /** Between two looks, milliseconds (default 1,000). */
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * A release as it goes on: each time that something has changed, until it has ended. It outlasts an absent worker or server: the
 * last sight is then shown again, with the reason.
 * @throws TenureError `not-found`; `unreachable` only if nothing was ever seen
 */
export async function* watchRelease(
  tenure: Tenure,
  model: string,
  release: number,
  { everyMs = 1_000, signal }: WatchOptions = {},
): AsyncGenerator<ReleaseSight> {
  let last: ReleaseSight | null = null;
  let shown = '';
  while (true) {
    const sight = await lookAgain(tenure, model, release, last);
    const text = JSON.stringify(sight);
    if (text !== shown) yield sight;
    if (sight.ended || signal?.aborted === true) return;
    last = sight;
    shown = text;
    await sleep(everyMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

async function lookAgain(
  tenure: Tenure,
  model: string,
  release: number,
  last: ReleaseSight | null,
): Promise<ReleaseSight> {
  try {
    return await lookAtRelease(tenure, model, release);
  } catch (error) {
    if (last === null || !(error instanceof TenureError) || error.code !== 'unreachable') throw error;
    return { ...last, unreachable: error.message };
  }
}
