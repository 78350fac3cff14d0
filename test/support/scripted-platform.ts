import { createHash } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type {
  AlertMessage,
  LookRequest,
  LookTaken,
  Recorded,
  TenureActivities,
  TrafficChange,
  TrafficChanged,
  WaitingActivities,
} from '../../src/contracts/activities.js';
import type { CanaryCounts } from '../../src/contracts/canary.js';
import { FailureType } from '../../src/contracts/failures.js';
import type { LedgerEntry, LedgerHead } from '../../src/contracts/ledger.js';
import type { VersionRecord, VersionRef } from '../../src/contracts/model.js';
import type { ChallengerJudgement, RetrainingWork, TrainingSet } from '../../src/contracts/retraining.js';
import type { DesiredRoute } from '../../src/contracts/routes.js';
import { readFreezeWindows } from '../../src/lifecycle/freeze-windows.js';
import type { ValidationReport } from '../../src/contracts/validation.js';

export const digestOf = (version: string): string => createHash('sha256').update(version).digest('hex');
export const refOf = (version: string): VersionRef => ({ version, digest: digestOf(version) });

export type Activity = keyof TenureActivities | 'awaitLook' | keyof RetrainingWork;

/** Shares of bad first outcomes by arm, and what makes them. */
export interface Traffic {
  /** Routing keys a second of workflow time. */
  readonly keysPerSecond: number;
  readonly candidateBad: number;
  readonly championBad: number;
  /** Real share of the candidate, when it is not the configured one. */
  readonly realShare?: number;
}

export const HEALTHY: Traffic = { keysPerSecond: 1000, candidateBad: 0, championBad: 0 };

/**
 * What the workflows act on, without any server: a ledger, a routing table and traffic by script. Time does not skip while
 * an activity runs, so a look answers at once and says at which time of the script it was taken.
 */
export class ScriptedPlatform implements TenureActivities, WaitingActivities, RetrainingWork {
  readonly ledger: (LedgerEntry & { sequence: number })[] = [];
  readonly changes: TrafficChange[] = [];
  readonly alerts: AlertMessage[] = [];
  readonly versions = new Map<string, VersionRecord>();
  readonly calls: Activity[] = [];
  route: { generation: number; changeId: string; desired: DesiredRoute } | null = null;
  traffic: Traffic = HEALTHY;
  /** Called before an activity does anything: throw to make it fail, await to hold it up. */
  before: (activity: Activity, input: never) => Promise<void> | void = () => undefined;
  report: Partial<ValidationReport> = {};
  /** Nothing can be recorded; acts towards safety go ahead and hand their entries back. */
  ledgerAway = false;
  trips: LookTaken['trips'] = [];
  shadow = { compared: 0, agreed: 0, failed: 0, dropped: 0 };
  readonly #unloadable = new Set<string>();
  readonly #cancelled = new Set<string>();
  readonly #untold = new Map<string, () => void>();
  #clock = 0;
  #generations: { generation: number; share: number; keys: number }[] = [];

  get actions(): string[] {
    return this.ledger.map(({ action }) => action);
  }

  /** What serves by default. */
  get serving(): string | null {
    return this.route?.desired.champion?.version ?? null;
  }

  /** Makes an activity fail: each call, or so many, with what `error` makes. */
  fail(activity: Activity, error: () => Error, times = Number.POSITIVE_INFINITY): void {
    let left = times;
    const { before } = this;
    this.before = (called, input) => {
      if (called !== activity || left <= 0) return before(called, input);
      left -= 1;
      throw error();
    };
  }

  /** Holds looks up from the time at which `when` is so until the function that it returns is called. */
  holdLooks(when: () => boolean): () => void {
    let release: () => void = () => undefined;
    let held: Promise<void> | undefined = new Promise<void>((resolve) => (release = resolve));
    const { before } = this;
    this.before = (activity, input) =>
      activity === 'awaitLook' && held !== undefined && when()
        ? Promise.race([held, this.#untilCancelled()])
        : before(activity, input);
    return () => {
      held = undefined;
      release();
    };
  }

  /** By a workflow that the server does not tell of it: a look that is held up ends, as one that is told does. */
  cancelled(workflowId: string, activityId: string): void {
    const key = `${workflowId}/${activityId}`;
    this.#cancelled.add(key);
    this.#untold.get(key)?.();
  }

  #untilCancelled(): Promise<void> {
    const { workflowExecution, activityId } = Context.current().info;
    const key = `${workflowExecution?.workflowId}/${activityId}`;
    return new Promise((resolve) => {
      if (this.#cancelled.has(key)) resolve();
      else this.#untold.set(key, resolve);
    });
  }

  /** Everything works again. */
  mend(): void {
    this.before = () => undefined;
    this.ledgerAway = false;
  }

  count(activity: Activity): number {
    return this.calls.filter((called) => called === activity).length;
  }

  /** What has been recorded under an action, oldest first. */
  recorded(action: string): readonly LedgerEntry[] {
    return this.ledger.filter((entry) => entry.action === action);
  }

  /** The version serves alone, as after a release long ago. */
  preset(version: VersionRef): void {
    const desired = { phase: 'steady', champion: version, candidate: null, holdback: null, shadow: null };
    this.route = { generation: 1, changeId: 'preset', desired: desired as unknown as DesiredRoute };
  }

  register(model: string, version: string): VersionRef {
    const record = {
      model,
      ...refOf(version),
      sizeBytes: 1,
      lineage: {},
      registeredBy: 'eve',
      registeredAt: new Date().toISOString(),
    };
    this.versions.set(version, record);
    return refOf(version);
  }

  #append(entries: readonly LedgerEntry[]): LedgerHead {
    if (this.ledgerAway) throw new Error('the ledger is away');
    for (const entry of entries) {
      const known = this.ledger.find(({ id, stream }) => id === entry.id && stream === entry.stream);
      if (known === undefined) this.ledger.push({ ...entry, sequence: this.ledger.length + 1 });
      else if (JSON.stringify({ ...known, sequence: 0 }) !== JSON.stringify({ ...entry, sequence: 0 }))
        throw ApplicationFailure.nonRetryable(
          `another event has the id ${entry.id}`,
          FailureType.LedgerConflict,
        );
    }
    const last = this.ledger.find(({ id }) => id === entries.at(-1)?.id);
    const sequence = last?.sequence ?? this.ledger.length;
    return { sequence, hash: digestOf(`${sequence}:${last?.id}`) };
  }

  recordEvents = async (input: { entries: readonly LedgerEntry[] }): Promise<LedgerHead> => {
    await this.#begin('recordEvents', input);
    return this.#append(input.entries);
  };

  registerVersion: TenureActivities['registerVersion'] = async (input) => {
    await this.#begin('registerVersion', input);
    this.register(input.manifest.name, input.version);
    const record = this.versions.get(input.version) as VersionRecord;
    return { accepted: true, record, head: { sequence: 0, hash: '' } };
  };

  findVersion: TenureActivities['findVersion'] = async (input) => {
    await this.#begin('findVersion', input);
    return this.versions.get(input.version) ?? null;
  };

  /** No gateway can load the version any more. */
  refuse(version: string): void {
    this.#unloadable.add(version);
  }

  changeTraffic = async (change: TrafficChange): Promise<TrafficChanged> => {
    await this.#begin('changeTraffic', change);
    const { champion, candidate } = change.desired;
    for (const routed of [champion, candidate])
      if (routed !== null && this.#unloadable.has(routed.version))
        throw ApplicationFailure.nonRetryable(
          `gateway g1 cannot load ${routed.version}`,
          FailureType.ArtifactInvalid,
        );
    return this.#change(change, 1);
  };

  rehearseRollback: TenureActivities['rehearseRollback'] = async (change) => {
    await this.#begin('rehearseRollback', change);
    return { ...this.#change(change, 2), rollbackSeconds: 0.5 };
  };

  #change(change: TrafficChange, by: number): TrafficChanged & Recorded {
    const away = this.ledgerAway && change.safety;
    if (this.ledgerAway && !away) throw new Error('the ledger is away');
    const generation = this.route?.generation ?? 0;
    if (this.route?.changeId !== change.changeId) {
      if (change.expectedGeneration !== 'any' && change.expectedGeneration !== generation)
        throw ApplicationFailure.nonRetryable(`the table is at ${generation}`, FailureType.StaleGeneration);
      this.route = { generation: generation + by, changeId: change.changeId, desired: change.desired };
      this.changes.push(change);
      const { candidate, holdback } = change.desired;
      const share = holdback === null ? (candidate?.weight ?? 1) : 1 - holdback.share;
      this.#generations.push({ generation: this.route.generation, share, keys: 0 });
    }
    const entries = [...change.before, change.after];
    const head = away ? null : this.#append(entries);
    return {
      generation: this.route.generation,
      confirmed: ['g1'],
      unreachable: [],
      seconds: 0.1,
      head,
      unrecorded: away ? entries : [],
    };
  }

  checkConformance: TenureActivities['checkConformance'] = async (input) => {
    await this.#begin('checkConformance', input);
    return { gateways: 1, rows: 5, worstDifference: 0 };
  };

  validateVersion: TenureActivities['validateVersion'] = async (input) => {
    await this.#begin('validateVersion', input);
    return {
      model: input.manifest.name,
      version: input.version.version,
      digest: input.version.digest,
      dataDigest: 'd'.repeat(64),
      rows: 1000,
      gates: [],
      passed: true,
      goldenDigest: 'e'.repeat(64),
      evidenceHash: 'f'.repeat(64),
      ...this.report,
    };
  };

  readBaseline: TenureActivities['readBaseline'] = async (input) => {
    await this.#begin('readBaseline', input);
    return { requests: 20_000, bad: { errors: 0 }, latencyMs: {} };
  };

  readFreezeWindows: TenureActivities['readFreezeWindows'] = async (input) => {
    await this.#begin('readFreezeWindows', input);
    return readFreezeWindows(input.windows, input.at);
  };

  verifyDecisions: TenureActivities['verifyDecisions'] = async (input) => {
    await this.#begin('verifyDecisions', input);
    return input.decisions.map((decision) => ({ ...decision, roles: [`role-${decision.approver}`] }));
  };

  sendAlert: TenureActivities['sendAlert'] = async (input) => {
    await this.#begin('sendAlert', input);
    if (!this.alerts.some(({ key }) => key === input.key)) this.alerts.push(input);
  };

  /** Labels that a count finds. */
  labels = 1_000;
  /** Minutes between two moments of any schedule. */
  scheduleEvery = 24 * 60;
  set: TrainingSet = {
    training: { digest: '1'.repeat(64), rows: 900 },
    comparison: { digest: '2'.repeat(64), rows: 500 },
    referenceRows: 400,
    recentRows: 1_000,
    unusableRows: 0,
  };
  judgement: ChallengerJudgement = {
    kind: 'compared',
    metric: 'auc',
    method: 'delong',
    challenger: 0.9,
    champion: 0.8,
    gain: 0.1,
    lower: 0.05,
    upper: 0.15,
    rows: 500,
  };

  readRetrainingSigns: TenureActivities['readRetrainingSigns'] = async (input) => {
    await this.#begin('readRetrainingSigns', input);
    const after = input.schedule === null ? null : Date.parse(input.schedule.after);
    const next = after === null ? null : new Date(after + this.scheduleEvery * 60_000).toISOString();
    return { labels: this.labels, next };
  };

  assembleTrainingSet: RetrainingWork['assembleTrainingSet'] = async (input) => {
    await this.#begin('assembleTrainingSet', input);
    return this.set;
  };

  trainChallenger: RetrainingWork['trainChallenger'] = async (input) => {
    await this.#begin('trainChallenger', input);
    const digest = digestOf(`retrained-${input.retraining}`);
    return {
      digest,
      sizeBytes: 9,
      metrics: { auc: 0.9 },
      attempt: 1,
      adopted: false,
      seconds: 1,
      cutBytes: 0,
    };
  };

  judgeChallenger: RetrainingWork['judgeChallenger'] = async (input) => {
    await this.#begin('judgeChallenger', input);
    return this.judgement;
  };

  /** Answers at once, with what there is at the next look's keys or at its latest time. */
  awaitLook = async (request: LookRequest): Promise<LookTaken> => {
    await this.#begin('awaitLook', request);
    const current = this.#generations.at(-1);
    const now = Date.now();
    const start = Math.max(this.#clock, now);
    const wait = Math.max(0, Math.min(request.untilTime, request.whenNew?.from ?? request.untilTime) - now);
    const seen = this.#generations.reduce((total, { keys }) => total + keys, 0);
    const missing = Math.max(0, request.untilKeys - seen);
    const { keysPerSecond } = this.traffic;
    const seconds = Math.min(keysPerSecond > 0 ? missing / keysPerSecond : Infinity, wait / 1000);
    this.#clock = start + Math.ceil(seconds * 1000);
    if (current !== undefined) current.keys += Math.ceil(seconds * this.traffic.keysPerSecond);
    const why = this.trips.length > 0 ? 'trip' : seconds * 1000 < wait ? 'keys' : 'time';
    return {
      why,
      counts: this.#counts(request),
      shadow: this.shadow,
      trips: this.trips,
      takenAt: this.#clock,
    };
  };

  #counts(request: LookRequest): CanaryCounts {
    const arm = (keys: number, share: number) => {
      const bad = Math.round(keys * share);
      const each = Object.fromEntries(request.guardrails.map((name) => [name, bad]));
      return { requests: keys, keys, firstBad: each, newBad: each, bad: each };
    };
    return {
      sampleRate: 1,
      generations: this.#generations
        .filter(({ keys }) => keys > 0)
        .map(({ generation, share, keys }) => {
          const candidate = Math.round(keys * (this.traffic.realShare ?? share));
          return {
            generation,
            candidateShare: share,
            candidate: arm(candidate, this.traffic.candidateBad),
            champion: arm(keys - candidate, this.traffic.championBad),
          };
        }),
    };
  }

  async #begin(activity: Activity, input: unknown): Promise<void> {
    this.calls.push(activity);
    const { heartbeat, cancelled } = Context.current();
    const beating = setInterval(() => heartbeat(), 500);
    try {
      // As with the real ones, cancelling reaches an activity that is held up.
      await Promise.race([this.before(activity, input as never), cancelled]);
    } finally {
      clearInterval(beating);
    }
  }
}
