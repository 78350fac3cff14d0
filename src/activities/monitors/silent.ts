/** Monitors watch each other: one that has fallen silent is told of, and started again. */
import type { Finding } from '../../contracts/monitoring.js';
import { FLEET_STREAM } from '../../contracts/ledger.js';
import { canonicalHash } from '../../ledger/index.js';
import type { Beat } from '../../platform/monitors/beats.js';
import { startMonitor } from '../../platform/schedules/monitors.js';
import { record } from './deliver.js';
import type { Evaluating } from './evaluate-shard.js';
import { clear, raise } from './fleet-incident.js';

/** Ticks that may fail to come before it is silence, and no less than this. */
const TICKS = 5;
const LEAST_MS = 5 * 60_000;

/** All that were here, before this one notes that it is. */
interface Seen {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly beats: readonly Beat[];
}

const silenceAfter = (seconds: number): number => Math.max(TICKS * seconds * 1_000, LEAST_MS);

/**
 * Starts them before it tells of anything: until then nobody watches their models, whoever hears of it. All that are silent are one
 * incident, since one worker that is away silences many; it is over when none is.
 * @param shard whoever looks
 * @returns shards that are silent
 */
export async function watchOthers(
  deps: Evaluating,
  shard: number,
  { now, beats }: Seen,
): Promise<readonly number[]> {
  const { shards, seconds } = deps.monitors;
  const limit = silenceAfter(seconds);
  const own = beats.find((beat) => beat.shard === shard);
  const silent: { readonly shard: number; readonly seenAt: number }[] = [];
  for (let other = 0; other < shards; other += 1) {
    if (other === shard) continue;
    // One that was never here is missed from the time on that there was anybody to miss it.
    const seenAt = beats.find((beat) => beat.shard === other)?.seenAt ?? own?.since ?? now;
    if (now - seenAt > limit) silent.push({ shard: other, seenAt });
  }
  const started = await Promise.allSettled(
    silent.map((other) => startMonitor(deps.client, deps.taskQueue, other.shard, deps.monitors)),
  );
  const cause = 'monitor-silent';
  for (const other of silent) {
    const finding = await tellSilent(deps, other.shard, other.seenAt, now);
    await raise(deps, { cause, finding, title: `Monitor ${other.shard} is silent` });
  }
  if (silent.length === 0)
    await clear(deps, cause, 'Every monitor is here. What closed meanwhile is evaluated', now);
  // People know by then, and a repeat of the tick tries again.
  for (const result of started) if (result.status === 'rejected') throw result.reason;
  return silent.map((other) => other.shard);
}

/** Told once a silence: its id is the time of the last sign of life, whoever notices. */
async function tellSilent(deps: Evaluating, shard: number, seenAt: number, now: number): Promise<Finding> {
  const [since, at] = [new Date(seenAt).toISOString(), new Date(now).toISOString()];
  const finding: Finding = {
    id: `${FLEET_STREAM}/monitor-silent/${shard}/${seenAt}`,
    model: FLEET_STREAM,
    version: null,
    kind: 'monitor-silent',
    cause: `monitor-silent/${shard}`,
    verdict: 'found',
    severity: 'critical',
    summary: `Monitor ${shard} is silent since ${since}: its models are not watched. It is started again, if it does not run`,
    features: [],
    rows: 0,
    onset: { estimate: since, from: since, to: since },
    window: { from: since, to: since, digest: canonicalHash({ shard, since }) },
    profile: null,
    detectedAt: at,
  };
  await deps.findings.add([finding]);
  await record(deps.ledger, finding);
  return finding;
}
