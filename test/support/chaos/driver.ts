import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerFile } from '../../../src/client/models.js';
import type { Tenure } from '../../../src/client/tenure.js';
import { lookAtRelease, type ReleaseSight } from '../../../src/client/watch.js';
import type { ReleaseStage } from '../../../src/contracts/model.js';
import { labelledRows } from '../release-plan.js';
import { chaosManifest, code, contentOf, type Kind } from './kinds.js';
import type { Lane } from './lane.js';
import { Users } from './users.js';

export interface Driven {
  readonly release: number;
  readonly version: string;
  readonly kind: Kind;
  /** As the workflow returned it. */
  readonly outcome: string;
  /** Epoch milliseconds. */
  readonly endedAt: number;
  readonly seconds: number;
}

const LOOK_EVERY_MS = 1_000;
/** No release takes so long unless something is stuck. */
const LONGEST_MS = 900_000;

export interface DriverOptions {
  /** Requests a second of the model's users. */
  readonly rate: number;
  /** At which stage an aborted release is aborted. */
  readonly abortAt: (n: number) => ReleaseStage;
  readonly onEnd?: (model: string, driven: Driven) => void;
}

/** One model with its users, and one release of it after another, by somebody who does not give up while servers come and go. */
export class Driver {
  readonly model: string;
  readonly driven: Driven[] = [];
  readonly #lane: Lane;
  readonly #options: DriverOptions;
  #users: Users | null = null;
  #dataDigest = '';
  #kind: Kind | null = null;

  constructor(lane: Lane, model: string, options: DriverOptions) {
    this.#lane = lane;
    this.model = model;
    this.#options = options;
  }

  get users(): Users {
    if (this.#users === null) throw new Error(`${this.model} has no users yet: open it first`);
    return this.#users;
  }

  /** A first version in production. Its users come when it serves, and stay. */
  async open(): Promise<void> {
    const { digest } = await this.#lane.session.artifacts().put(Buffer.from(labelledRows()));
    this.#dataDigest = digest;
    await this.release('healthy');
  }

  async stop(): Promise<void> {
    await this.#users?.stop();
  }

  /** Applies, registers, submits, does what people do with it, and sees it end. */
  async release(kind: Kind): Promise<Driven> {
    const began = performance.now();
    const n = this.driven.length + 1;
    const version = `v${n}`;
    const tenure = await this.#lane.insist('connect', () => this.#lane.session.tenure());
    if (this.#kind !== kind) {
      const manifest = chaosManifest(this.model, this.#dataDigest, kind);
      const requestId = randomUUID();
      await this.#lane.insist('apply', () => tenure.applyManifest(manifest, { requestId }));
      this.#kind = kind;
    }
    await this.#register(version, contentOf(kind, n));
    const requestId = randomUUID();
    const { release } = await this.#lane.insist('submit', () =>
      tenure.submitRelease(this.model, version, { requestId }),
    );
    await this.#follow(tenure, release, kind);
    const outcome = await this.#lane.insist('outcome', () => tenure.outcome(this.model, release), LONGEST_MS);
    const seconds = (performance.now() - began) / 1_000;
    const driven = { release, version, kind, outcome, endedAt: Date.now(), seconds };
    this.driven.push(driven);
    this.#options.onEnd?.(this.model, driven);
    return driven;
  }

  async #register(version: string, content: Buffer): Promise<void> {
    const folder = join(this.#lane.folder, 'files', this.model);
    await mkdir(folder, { recursive: true });
    const file = join(folder, `${version}.onnx`);
    await writeFile(file, content);
    const requestId = randomUUID();
    await this.#lane.insist('register', () =>
      registerFile(this.#lane.session, this.model, version, file, { requestId }),
    );
  }

  async #follow(tenure: Tenure, release: number, kind: Kind): Promise<void> {
    const abortAt = kind === 'aborted' ? this.#options.abortAt(release) : null;
    const requestId = randomUUID();
    const until = performance.now() + LONGEST_MS;
    let aborted = false;
    for (;;) {
      const sight = await this.#lane.insist('look', () => lookAtRelease(tenure, this.model, release));
      if (sight.ended) return;
      const { view, stage } = sight;
      // The first version is served while it soaks.
      if (this.#users === null && stage === 'soaking') {
        const { rate } = this.#options;
        this.#users = new Users(this.#lane.pool, this.model, { rate, code });
      }
      if (
        abortAt !== null &&
        !aborted &&
        stage !== 'queued' &&
        stage !== 'superseded' &&
        isAtLeast(stage, abortAt)
      ) {
        await this.#tolerant(() =>
          tenure.abort(this.model, release, { requestId, reason: 'somebody thought better of it' }),
        );
        aborted = true;
      }
      if (view?.approval !== null && view?.approval !== undefined)
        await this.#tolerant(() =>
          tenure.decide(this.model, release, {
            decision: 'approve',
            approver: 'ann',
            reason: 'seen',
            requestId,
          }),
        );
      if (view?.parked != null) await this.#tolerant(() => tenure.retry(this.model, release));
      if (performance.now() > until) throw new Error(stuck(this.model, release, sight, this.#lane));
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** What comes too late changes nothing. */
  async #tolerant(act: () => Promise<unknown>): Promise<void> {
    await this.#lane.insist('act', act).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error)) throw error;
    });
  }
}

const ORDER: readonly ReleaseStage[] = [
  'validating',
  'awaiting-approval',
  'deploying',
  'canary',
  'promoting',
  'soaking',
];

const isAtLeast = (stage: ReleaseStage, least: ReleaseStage): boolean =>
  ORDER.indexOf(stage) >= ORDER.indexOf(least);

const stuck = (model: string, release: number, { stage, view }: ReleaseSight, lane: Lane): string =>
  `release ${release} of ${model} has not ended: ${stage}, waiting for ${view?.waitingFor}, ` +
  `parked: ${JSON.stringify(view?.parked)}\n${lane.said()}`;
