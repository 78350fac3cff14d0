import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoError } from 'mongodb';
import { history, type HistoryEntry } from '../../../src/client/audit.js';
import { TenureError } from '../../../src/client/errors.js';
import { registerFile } from '../../../src/client/models.js';
import type { Tenure } from '../../../src/client/tenure.js';
import { lookAtRelease, type ReleaseSight } from '../../../src/client/watch.js';
import type { Manifest } from '../../../src/contracts/manifest.js';
import type { ReleaseOutcome } from '../../../src/contracts/model.js';
import type { RoutingTable } from '../../../src/contracts/routes.js';
import type { ReleaseView } from '../../../src/contracts/views.js';
import type { AlertDocument } from '../../../src/platform/mongo/documents.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import type { Driven } from '../chaos/driver.js';
import { factsOf } from '../chaos/facts.js';
import { violationsOf } from '../chaos/invariants.js';
import { chaosManifest, code, contentOf } from '../chaos/kinds.js';
import type { Lane } from '../chaos/lane.js';
import { Users } from '../chaos/users.js';
import { until } from '../gateway.js';
import { labelledRows } from '../release-plan.js';

const LOOK_EVERY_MS = 500;
const plays = new Set<Play>();
/** Longer than everything that a scenario waits for: a stop, heartbeats, a parked minute. */
const LONGEST_MS = 240_000;

/** One model on a lane, with a first version in production and users, for a scenario that breaks something in mid-release. */
export class Play {
  readonly lane: Lane;
  readonly model: string;
  readonly driven: Driven[] = [];
  #users: Users | null = null;
  #tenure: Tenure | null = null;
  #dataDigest = '';

  private constructor(lane: Lane, model: string) {
    this.lane = lane;
    this.model = model;
    plays.add(this);
  }

  /** Of those that failed before their users went home. */
  static async leaveAll(): Promise<void> {
    await Promise.all([...plays].map(async (play) => play.#users?.stop()));
    plays.clear();
  }

  /** @param rate users' requests a second; 0: nobody asks */
  static async open(lane: Lane, model: string, rate = 10): Promise<Play> {
    const play = new Play(lane, model);
    play.#tenure = await patiently(() => lane.session.tenure());
    play.#dataDigest = (await lane.session.artifacts().put(Buffer.from(labelledRows()))).digest;
    await play.apply();
    const release = await play.submit('v1');
    await play.follow(release, ({ stage }) => stage === 'soaking');
    play.#users = new Users(lane.pool, model, { rate: rate === 0 ? 0.1 : rate, code });
    await play.ends(release, 'succeeded');
    return play;
  }

  get tenure(): Tenure {
    assert.ok(this.#tenure !== null);
    return this.#tenure;
  }

  get users(): Users {
    assert.ok(this.#users !== null);
    return this.#users;
  }

  /** @param seconds how long the canary's one step lasts at least */
  async apply(seconds = 0, changes: Partial<Manifest> = {}): Promise<void> {
    const base = chaosManifest(this.model, this.#dataDigest, 'healthy');
    const steps = base.canary.steps.map((step) => ({ ...step, minSeconds: seconds }));
    await patiently(() =>
      this.tenure.applyManifest({ ...base, canary: { ...base.canary, steps }, ...changes }),
    );
  }

  /** Registers a healthy version and submits its release. */
  async submit(version: string): Promise<number> {
    const folder = join(this.lane.folder, 'files', this.model);
    await mkdir(folder, { recursive: true });
    const file = join(folder, `${version}.onnx`);
    await writeFile(file, contentOf('healthy', Number(version.slice(1))));
    await patiently(() =>
      registerFile(this.lane.session, this.model, version, file, { requestId: `register-${version}` }),
    );
    const { release } = await patiently(() =>
      this.tenure.submitRelease(this.model, version, { requestId: `submit-${version}` }),
    );
    return release;
  }

  /** A release whose canary lasts so long, once it has been looked at. */
  async inCanary(version: string, seconds: number, changes: Partial<Manifest> = {}): Promise<number> {
    await this.apply(seconds, changes);
    const release = await this.submit(version);
    await this.follow(release, ({ canary }) => (canary?.looks ?? 0) > 0);
    return release;
  }

  async follow(release: number, is: (view: ReleaseView) => boolean): Promise<ReleaseView> {
    const end = performance.now() + LONGEST_MS;
    let last: ReleaseSight | null = null;
    for (;;) {
      const sight: ReleaseSight = await patiently(() => lookAtRelease(this.tenure, this.model, release));
      if (sight.view !== null && is(sight.view)) return sight.view;
      last = sight;
      const { stage, view, ended } = last;
      if (ended || performance.now() > end)
        throw new Error(
          `Release ${release} of ${this.model} is ${stage}, waits for ${view?.waitingFor}, reason ${view?.reason}, ` +
            `parked ${JSON.stringify(view?.parked)}\n${this.lane.said()}`,
        );
      await sleep(LOOK_EVERY_MS);
    }
  }

  async ends(release: number, outcome: ReleaseOutcome): Promise<void> {
    const began = performance.now();
    const view = await this.follow(release, (seen) => seen.outcome !== null);
    assert.equal(view.outcome, outcome, `${view.reason}\n${this.lane.said()}`);
    const inTemporal = await patiently(() => this.tenure.outcome(this.model, release));
    const seconds = (performance.now() - began) / 1_000;
    this.driven.push({
      release,
      version: view.version.version,
      kind: outcome === 'aborted' ? 'aborted' : 'healthy',
      outcome: inTemporal,
      endedAt: Date.now(),
      seconds,
    });
  }

  async abort(release: number): Promise<void> {
    const request = { requestId: `abort-${release}`, reason: 'the test thought better of it' };
    await patiently(() => this.tenure.abort(this.model, release, request));
  }

  async table(): Promise<RoutingTable> {
    const { db } = await this.lane.session.database();
    const table = await patiently(() => new MongoRoutingStore(db).read(this.model));
    assert.ok(table !== null);
    return table;
  }

  /** Waits for an alert of the desk whose title and text, joined by a colon, match. */
  async alert(words: RegExp): Promise<AlertDocument> {
    return until(
      `an alert like ${words}`,
      async () => {
        const found = await this.alerts();
        return found.find(({ title, text }) => words.test(`${title}: ${text}`));
      },
      60_000,
    );
  }

  async alerts(): Promise<readonly AlertDocument[]> {
    const { collections } = await this.lane.session.database();
    return patiently(() => collections.alerts.find({ model: this.model }).toArray());
  }

  async record(): Promise<readonly HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    for await (const entry of history(this.lane.session, this.model)) entries.push(entry);
    return entries;
  }

  /** The event by which a release ended, or another of its events. */
  async event(release: number, action: string): Promise<HistoryEntry> {
    const found = (await this.record()).find(
      ({ event }) => event.action === action && event.subject['release'] === release,
    );
    assert.ok(found !== undefined, `release ${release} has no ${action}`);
    return found;
  }

  /**
   * Users go home, and everything is as it should be: ends, routes, ledger, each act once, every user answered.
   * @param own requests that the scenario itself has sent
   * @param late versions that were answering long after somebody had decided against them, for a reason that the scenario knows
   */
  async holds(own = 0, late: readonly string[] = []): Promise<void> {
    await this.users.stop();
    const facts = await factsOf(this.lane, this);
    const answers = { ...facts.answers, tries: facts.answers.tries + own };
    const expected = late.map((version) => ({
      model: this.model,
      rule: 'answers',
      what: `${version} answered users after its release had ended`,
    }));
    assert.deepEqual(violationsOf({ ...facts, answers }), expected, this.lane.said());
  }
}

/** Calls again for as long as nobody is there to answer. Only for calls that may be repeated. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const end = performance.now() + LONGEST_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const passes =
        error instanceof MongoError || (error instanceof TenureError && error.code === 'unreachable');
      if (!passes || performance.now() > end) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}
