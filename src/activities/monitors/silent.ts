/** Monitors watch each other: one that has fallen silent is told of, and started again. */
import type { Finding } from '../../contracts/monitoring.js';
import { FLEET_STREAM } from '../../contracts/ledger.js';
import { canonicalHash } from '../../ledger/index.js';
import { startMonitor } from '../../platform/schedules/monitors.js';
import { record } from './deliver.js';
import type { Evaluating } from './evaluate-shard.js';

/** Ticks that may fail to come before it is silence, and no less than this. */
const TICKS = 5;
const LEAST_MS = 5 * 60_000;

const silenceAfter = (seconds: number): number => Math.max(TICKS * seconds * 1_000, LEAST_MS);

const findingId = (shard: number, seenAt: number): string =>
  `${FLEET_STREAM}/monitor-silent/${shard}/${seenAt}`;

/**
 * @param shard whoever looks
 * @returns shards that are silent
 */
export async function watchOthers(deps: Evaluating, shard: number): Promise<readonly number[]> {
  const { shards, seconds } = deps.monitors;
  const [now, beats] = [await deps.beats.now(), await deps.beats.all()];
  const limit = silenceAfter(seconds);
  const own = beats.find((beat) => beat.shard === shard);
  const silent: number[] = [];
  for (let other = 0; other < shards; other += 1) {
    if (other === shard) continue;
    // One that was never here is missed from the time on that there was anybody to miss it.
    const seenAt = beats.find((beat) => beat.shard === other)?.seenAt ?? own?.since ?? now;
    if (now - seenAt <= limit) continue;
    silent.push(other);
    await tellSilent(deps, other, seenAt, now);
    await startMonitor(deps.client, deps.taskQueue, other, deps.monitors);
  }
  return silent;
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
  await deps.alerts.send(alertOf(shard, seenAt, finding.summary, at));
}

const alertOf = (shard: number, seenAt: number, text: string, at: string) => ({
  model: FLEET_STREAM,
  key: findingId(shard, seenAt),
  severity: 'critical' as const,
  title: `Monitor ${shard} is silent`,
  text,
  at,
});

/** The monitor itself, when it is back: what was told of it is over. */
export async function tellBack(deps: Evaluating, shard: number, before: number | null): Promise<void> {
  if (before === null) return;
  const now = await deps.beats.now();
  if (now - before <= silenceAfter(deps.monitors.seconds)) return;
  const text = `Monitor ${shard} is back. What closed meanwhile is evaluated`;
  await deps.alerts.send({
    ...alertOf(shard, before, text, new Date(now).toISOString()),
    title: `Monitor ${shard} is back`,
    state: 'resolved' as const,
  });
}
