/** Monitors watch each other: one that has fallen silent is told of, and started again. */
import type { Finding } from '../../contracts/monitoring.js';
import { FLEET_STREAM } from '../../contracts/ledger.js';
import { canonicalHash } from '../../ledger/index.js';
import { type Sight, sightOf, silenceAfter } from '../../lifecycle/monitor-silence.js';
import { startMonitor } from '../../platform/schedules/monitors.js';
import { record } from './deliver.js';
import type { Evaluating } from './evaluate-shard.js';
import { lookAtIncident, type SeenIncident, settle } from './fleet-incident.js';

/** What a monitor sees before it notes that it is here. */
interface Around extends Sight {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Looked at first: what others do to it meanwhile is newer than what was seen of the monitors. */
  readonly incident: SeenIncident | null;
}

/** That it was away itself is recorded here, since a repeat of the tick would not see it any more once it has noted that it is here. */
export async function lookAround(deps: Evaluating, shard: number): Promise<Around> {
  const { shards, seconds } = deps.monitors;
  const incident = await lookAtIncident(deps);
  const [now, beats] = [await deps.beats.now(), await deps.beats.all()];
  const sight = sightOf(beats, { shard, shards, limitMs: silenceAfter(seconds), now });
  if (sight.unknown.length > 0 || beats.some((beat) => beat.shard >= shards))
    await deps.beats.expect(sight.unknown, shards);
  if (sight.awaySince !== null) await note(deps, back(shard, sight.awaySince, now));
  return { ...sight, now, incident };
}

/**
 * Starts them before it tells of anything: until then nobody watches their models, whoever hears of it. All that are silent are one
 * incident, since one worker that is away silences many; it is over when none is.
 * @returns shards that are silent
 */
export async function watchOthers(
  deps: Evaluating,
  { silent, allHere, fresh, now, incident }: Around,
): Promise<readonly number[]> {
  const shards = silent.map(({ shard }) => shard);
  // One that is new may have ended at once, by a worker that knows of fewer of them.
  const started = await Promise.allSettled(
    [...shards, ...fresh].map((shard) => startMonitor(deps.client, deps.taskQueue, shard, deps.monitors)),
  );
  const findings = silent.map(({ shard, seenAt }) => silence(shard, seenAt, now));
  const known = new Set(incident?.over === false ? incident.findings : []);
  for (const finding of findings) if (!known.has(finding.id)) await note(deps, finding);
  if (silent.length > 0 || allHere) await settle(deps, incident, { findings, now });
  // People know by then, and a repeat of the tick tries again.
  for (const result of started) if (result.status === 'rejected') throw result.reason;
  return shards;
}

async function note(deps: Evaluating, finding: Finding): Promise<void> {
  await deps.findings.add([finding]);
  await record(deps.ledger, finding);
}

const silence = (shard: number, seenAt: number, now: number): Finding =>
  findingOf(shard, seenAt, now, {
    severity: 'critical',
    summary: `Monitor ${shard} is silent since ${iso(seenAt)}: its models are not watched. It is started again, if it does not run`,
  });

/** Of a silence that is over, and that nobody may have noticed: as where all of them were stopped. */
const back = (shard: number, seenAt: number, now: number): Finding =>
  findingOf(shard, seenAt, now, {
    severity: 'warning',
    summary: `Monitor ${shard} was away from ${iso(seenAt)} to ${iso(now)}: its models were not watched. What closed meanwhile is evaluated`,
  });

const iso = (at: number): string => new Date(at).toISOString();

/** Found once a silence: its id is the time of the last sign of life, whoever notices. */
function findingOf(
  shard: number,
  seenAt: number,
  now: number,
  said: Pick<Finding, 'severity' | 'summary'>,
): Finding {
  const since = iso(seenAt);
  return {
    id: `${FLEET_STREAM}/monitor-silent/${shard}/${seenAt}`,
    model: FLEET_STREAM,
    version: null,
    kind: 'monitor-silent',
    cause: `monitor-silent/${shard}`,
    verdict: 'found',
    ...said,
    features: [],
    rows: 0,
    onset: { estimate: since, from: since, to: since },
    window: { from: since, to: since, digest: canonicalHash({ shard, since }) },
    profile: null,
    detectedAt: iso(now),
  };
}
