/** Monitors watch each other: one that has fallen silent is told of, and started again. */
import { log } from '@temporalio/activity';
import { MongoError } from 'mongodb';
import type { Finding } from '../../contracts/monitoring.js';
import { FLEET_STREAM } from '../../contracts/ledger.js';
import { canonicalHash } from '../../ledger/index.js';
import type { Alert } from '../../platform/alerts/index.js';
import type { Beat } from '../../platform/monitors/beats.js';
import { startMonitor } from '../../platform/schedules/monitors.js';
import { record } from './deliver.js';
import type { Evaluating } from './evaluate-shard.js';

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

const findingId = (shard: number, seenAt: number): string =>
  `${FLEET_STREAM}/monitor-silent/${shard}/${seenAt}`;

/**
 * Starts them before it tells of anything: until then nobody watches their models, whoever hears of it.
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
  for (const other of silent) await tellSilent(deps, other.shard, other.seenAt, now);
  // People know by then, and a repeat of the tick tries again.
  for (const result of started) if (result.status === 'rejected') throw result.reason;
  return silent.map((other) => other.shard);
}

/** Told once a silence: its id is the time of the last sign of life, whoever notices. */
async function tellSilent(deps: Evaluating, shard: number, seenAt: number, now: number): Promise<void> {
  const [since, at] = [new Date(seenAt).toISOString(), new Date(now).toISOString()];
  const finding: Finding = {
    id: findingId(shard, seenAt),
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
  await send(deps, alertOf(shard, seenAt, finding.summary, at));
}

const alertOf = (shard: number, seenAt: number, text: string, at: string) => ({
  model: FLEET_STREAM,
  key: findingId(shard, seenAt),
  severity: 'critical' as const,
  title: `Monitor ${shard} is silent`,
  text,
  at,
});

/**
 * The monitor itself, when it is back: what was told of it is over. To be called before it notes that it is here: who dies in between
 * says it again.
 */
export async function tellBack(deps: Evaluating, shard: number, { now, beats }: Seen): Promise<void> {
  const before = beats.find((beat) => beat.shard === shard)?.seenAt;
  if (before === undefined || now - before <= silenceAfter(deps.monitors.seconds)) return;
  const text = `Monitor ${shard} is back. What closed meanwhile is evaluated`;
  await send(deps, {
    ...alertOf(shard, before, text, new Date(now).toISOString()),
    title: `Monitor ${shard} is back`,
    state: 'resolved' as const,
  });
}

/**
 * A receiver that is out of order fails no tick: the alert is kept, and the doctor's rounds tell it when the receiver is back. One that
 * could not be kept fails it, as anything does while the database is away: the repeat sends it again.
 */
async function send({ alerts }: Evaluating, alert: Alert): Promise<void> {
  try {
    await alerts.send(alert);
  } catch (error) {
    if (error instanceof MongoError) throw error;
    const { key: id, title } = alert;
    log.warn('A receiver did not take an alert of a monitor: it is tried again', { id, title, error });
  }
}
