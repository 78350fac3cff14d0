/** One tick of a monitor: the models of a shard, some at a time. */
import { heartbeat } from '@temporalio/activity';
import { MongoError } from 'mongodb';
import type { Manifest } from '../../contracts/manifest.js';
import type { HealthRecord } from '../../contracts/monitoring.js';
import type { WindowCounts } from '../../contracts/window-counts.js';
import type { ShardReport } from '../../contracts/monitors.js';
import { canonicalHash } from '../../ledger/index.js';
import { shardOf } from '../../lifecycle/monitor-ticks.js';
import {
  type Detector,
  type DetectorPlace,
  type FleetIncidents,
  type ManifestReader,
  type MonitorBeats,
  type RosterReader,
  type WatchedModel,
} from '../../platform/monitors/index.js';
import { type MonitoredReading, readMonitored } from '../../platform/windows/monitored.js';
import { evaluateModel } from '../../statistics/monitor/evaluate.js';
import type { Evaluation, MonitoredProfile } from '../../statistics/monitor/types.js';
import { deliver, type Delivering } from './deliver.js';
import type { MonitorDeps } from './deps.js';
import { type Due, dueOf } from './due.js';
import { afterFailure, afterSuccess } from './failing.js';
import type { Profiles } from './profiles.js';

/** Models that are read, judged and stored at a time, and windows of them that are held in memory. */
const AT_ONCE = { models: 100, windows: 2_000 } as const;
const FAILED_LISTED = 20;

export interface Evaluating extends MonitorDeps, Delivering {
  readonly beats: MonitorBeats;
  readonly incidents: FleetIncidents;
  readonly roster: RosterReader;
  readonly manifests: ManifestReader;
  readonly profiles: Profiles;
}

interface DueModel extends WatchedModel {
  readonly manifest: Manifest;
  readonly due: Due | null;
}

type Tick = { -readonly [K in 'evaluated' | 'found' | 'told']: number } & {
  readonly failed: { readonly model: string; readonly reason: string }[];
};

type Evaluated = Pick<ShardReport, 'models' | 'evaluated' | 'found' | 'told' | 'failed'>;

export async function evaluateModels(deps: Evaluating, shard: number): Promise<Evaluated> {
  const all = await deps.roster.read();
  return evaluateRoster(
    deps,
    all.filter(({ model }) => shardOf(model, deps.monitors.shards) === shard),
  );
}

/** Whatever these models' windows have that has closed; others are not looked at. */
export async function evaluateRoster(deps: Evaluating, roster: readonly WatchedModel[]): Promise<Evaluated> {
  const names = roster.map(({ model }) => model);
  const [manifests, places, now] = [
    await deps.manifests.read(names),
    await deps.detectors.places(names),
    await deps.beats.now(),
  ];
  const due = roster.flatMap((watched) => dueModel(watched, manifests, places, now));
  const tick: Tick = { evaluated: 0, found: 0, told: 0, failed: [] };
  let at = 0;
  for (const some of portions(due)) {
    heartbeat(`${at} of ${due.length}`);
    await evaluateSome(deps, some, now, tick);
    at += some.length;
  }
  return { models: roster.length, ...tick, failed: tick.failed.slice(0, FAILED_LISTED) };
}

function dueModel(
  watched: WatchedModel,
  manifests: ReadonlyMap<string, Manifest>,
  places: ReadonlyMap<string, DetectorPlace>,
  now: number,
): DueModel[] {
  const manifest = manifests.get(watched.model);
  const place = places.get(watched.model);
  // Of before there was monitoring: absent.
  if (manifest === undefined || (manifest.monitoring ?? null) === null) return [];
  const due = dueOf(manifest.monitoring as NonNullable<Manifest['monitoring']>, place ?? null, now);
  return due === null && place?.waits !== true ? [] : [{ ...watched, manifest, due }];
}

function* portions(due: readonly DueModel[]): Generator<readonly DueModel[]> {
  let some: DueModel[] = [];
  let held = 0;
  for (const one of due) {
    const { from = 0, to = 0, length = 1 } = one.due?.windows ?? {};
    const windows = (to - from) / length;
    if (some.length === AT_ONCE.models || (some.length > 0 && held + windows > AT_ONCE.windows)) {
      yield some;
      some = [];
      held = 0;
    }
    some.push(one);
    held += windows;
  }
  if (some.length > 0) yield some;
}

/**
 * What a model's health is goes first: who dies after that does the evaluation again, as nothing was carried. Then what is carried and
 * what is to be told are stored, of each model in one act, which decides who evaluated its windows; then it is told.
 */
async function evaluateSome(
  deps: Evaluating,
  models: readonly DueModel[],
  now: number,
  tick: Tick,
): Promise<void> {
  const known = await deps.detectors.read(models.map(({ model }) => model));
  const queries = models.flatMap(({ model, champion, due }) =>
    due === null ? [] : [{ model, champion: champion.digest, windows: due.windows, slots: due.slots }],
  );
  const readings = await readMonitored(deps.db, queries);
  const health: HealthRecord[] = [];
  const next: Detector[] = [];
  for (const one of models) {
    const before = known.get(one.model) ?? null;
    try {
      if (before !== null && (await deliver(deps, before))) tick.told += 1;
      const evaluated = await evaluateOne(deps, one, before, readings.get(one.model), now);
      if (evaluated === null) continue;
      health.push(evaluated.health);
      next.push(evaluated.detector);
    } catch (error) {
      // A database or server that is away is nobody's fault; it fails the tick, which is tried again.
      if (!isOfModel(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      tick.failed.push({ model: one.model, reason });
      const failing = await afterFailure(deps, one, before, reason, now);
      if (failing.told) tick.told += 1;
      health.push(failing.health);
    }
  }
  await deps.findings.setHealth(health);
  const carried = await deps.detectors.carry(next);
  for (const detector of next) {
    if (!carried.has(detector._id)) continue;
    tick.evaluated += 1;
    tick.found += (detector.outbox?.findings ?? []).filter(({ verdict }) => verdict === 'found').length;
    if (await deliver(deps, detector)) tick.told += 1;
  }
}

/** What a model's own data or manifest made fail. */
const isOfModel = (error: unknown): boolean =>
  !(error instanceof MongoError) &&
  (error instanceof RangeError || error instanceof TypeError || isNamed(error));

const OF_MODEL: ReadonlySet<string> = new Set(['ProfileError', 'CanonicalError']);
const isNamed = (error: unknown): boolean => error instanceof Error && OF_MODEL.has(error.name);

async function evaluateOne(
  deps: Evaluating,
  model: DueModel,
  before: Detector | null,
  reading: MonitoredReading | undefined,
  now: number,
): Promise<{ readonly detector: Detector; readonly health: HealthRecord } | null> {
  if (reading === undefined || model.due === null) return null;
  const state = before?.state ?? null;
  const profiled = state?.version === model.champion.digest ? state.profile : null;
  const profile = await deps.profiles.of(model, reading.windows, profiled);
  const {
    findings,
    cleared,
    state: next,
    health,
  } = evaluationOf(model, model.due, profile, before, reading, now);
  const all = { findings, cleared: [...cleared, ...afterSuccess(before, now)] };
  return {
    health,
    detector: {
      _id: model.model,
      revision: (before?.revision ?? 0) + 1,
      evaluatedTo: next.evaluatedTo,
      slotsTo: next.slotsTo,
      state: next,
      outbox: all.findings.length + all.cleared.length === 0 ? null : all,
      failed: null,
    },
  };
}

const countsIn = (
  features: MonitoredReading['windows'][number]['features'],
  profile: MonitoredProfile | null,
): WindowCounts | null =>
  (profile === null ? undefined : features.get(profile.digest)) ?? [...features.values()][0] ?? null;

function evaluationOf(
  { model, champion, manifest }: DueModel,
  due: Due,
  profile: MonitoredProfile | null,
  before: Detector | null,
  reading: MonitoredReading,
  now: number,
): Evaluation {
  const { settings, objectives } = { settings: manifest.monitoring, objectives: manifest.objectives };
  if (settings === null) throw new TypeError(`Model ${model} is not monitored`);
  const evaluation = evaluateModel({
    model,
    version: champion,
    settings,
    objectives,
    profile,
    windows: reading.windows.map(({ features, late, ...window }) => ({
      ...window,
      features: countsIn(features, profile),
      late: late.map(({ from, to, features: counts }) => ({ from, to, features: countsIn(counts, profile) })),
    })),
    slots: reading.slots,
    state: before?.state ?? null,
    now,
    strange: [...due.skipped, ...reading.strange],
    digestOf: canonicalHash,
  });
  // Also where nothing closed of the one kind: both go on from here.
  const { state } = evaluation;
  return {
    ...evaluation,
    state: {
      ...state,
      evaluatedTo: Math.max(state.evaluatedTo, due.windows.to),
      slotsTo: Math.max(state.slotsTo, due.slots.to),
    },
  };
}
