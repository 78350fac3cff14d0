import * as fc from 'fast-check';
import type { Json, LedgerEvent } from '../../src/contracts/ledger.js';
import type { ReleaseStage, VersionRef } from '../../src/contracts/model.js';
import { changeChampion, goBack, rollBackTarget } from '../../src/lifecycle/champions.js';
import { person, system } from '../../src/lifecycle/entries.js';
import { applyReport } from '../../src/lifecycle/model-reports.js';
import {
  clearQueue,
  dropQueued,
  expiredWarm,
  initialModelState,
  isFrozen,
  nextToStart,
  queueRelease,
  release,
  releaseRefusal,
  startRelease,
  type ModelState,
} from '../../src/lifecycle/model-state.js';
import { withBasisChange } from '../../src/lifecycle/revalidation.js';
import { manifest, monitoring } from './manifests.js';

export const refNumber = (number: number): VersionRef => ({
  version: `v${number}`,
  digest: String(number).padStart(64, '0'),
});

export type Step =
  | { readonly kind: 'submit'; readonly version: number; readonly supersede: boolean }
  | { readonly kind: 'advance'; readonly to: 'validated' | 'deployed' | 'canary' | 'promoted' }
  | { readonly kind: 'end'; readonly outcome: 'rejected' | 'rolled-back' | 'aborted' | 'succeeded' }
  | { readonly kind: 'roll-back' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'freeze'; readonly seconds: number | null }
  | { readonly kind: 'unfreeze' }
  | { readonly kind: 'apply'; readonly windowSeconds: number; readonly purpose?: string }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'retire' };

const OUTCOMES = ['succeeded', 'succeeded', 'succeeded', 'rolled-back', 'aborted', 'rejected'] as const;

/** Weighted so that most lives see several champions; few end early by a retirement. */
export const steps = (retires: boolean): fc.Arbitrary<readonly Step[]> => {
  const of = <K extends Step['kind']>(
    weight: number,
    kind: K,
    fields: {
      [F in Exclude<keyof Extract<Step, { kind: K }>, 'kind'>]: fc.Arbitrary<Extract<Step, { kind: K }>[F]>;
    },
  ): fc.WeightedArbitrary<Step> => ({
    weight,
    arbitrary: fc.record({ kind: fc.constant(kind), ...fields }) as unknown as fc.Arbitrary<Step>,
  });
  return fc.array(
    fc.oneof(
      of(12, 'submit', { version: fc.nat(20), supersede: fc.boolean() }),
      of(8, 'advance', { to: fc.constantFrom('validated', 'deployed', 'canary', 'promoted') }),
      of(10, 'end', { outcome: fc.constantFrom(...OUTCOMES) }),
      of(3, 'roll-back', {}),
      of(2, 'drop', {}),
      of(2, 'freeze', { seconds: fc.option(fc.integer({ min: 60, max: 9000 })) }),
      of(1, 'unfreeze', {}),
      of(4, 'apply', {
        windowSeconds: fc.constantFrom(60, 600, 3600),
        purpose: fc.constantFrom('to tell who is employed', 'to tell who gets a loan'),
      }),
      of(4, 'wait', { seconds: fc.constantFrom(1, 300, 4000) }),
      of(retires ? 1 : 0, 'retire', {}),
    ),
    { minLength: 1, maxLength: 60, size: 'max' },
  );
};

/** The life of a model by the state functions of the lifecycle, with the events that it and its releases record. */
export class RecordedLife {
  state: ModelState = initialModelState(
    manifest({ name: 'm', monitoring: monitoring({ revalidateSeconds: 86_400 }) }),
  );
  readonly events: LedgerEvent[] = [];
  #now = Date.parse('2026-01-01T00:00:00.000Z');
  #requests = 0;
  #promoted = false;

  constructor() {
    this.#apply(3600);
  }

  get now(): number {
    return this.#now;
  }

  do(step: Step): void {
    this.#now += 1000;
    this.#step(step);
    this.#loop();
  }

  #step(step: Step): void {
    const { state } = this;
    switch (step.kind) {
      case 'submit':
        return this.#submit(refNumber(step.version), step.supersede);
      case 'advance':
        return this.#advance(step.to);
      case 'end':
        return this.#end(step.outcome, 'as the test says');
      case 'roll-back':
        return this.#rollBack();
      case 'drop':
        return this.#drop();
      case 'freeze': {
        const until = step.seconds === null ? null : new Date(this.#now + step.seconds * 1000).toISOString();
        this.state = { ...state, freeze: { reason: 'holidays', by: 'otto', until } };
        this.#request('model.frozen', {}, { reason: 'holidays', until });
        return;
      }
      case 'unfreeze':
        if (state.freeze === null) return;
        this.state = { ...state, freeze: null };
        this.#request('model.unfrozen', {}, { reason: 'over' });
        return;
      case 'apply':
        return this.#apply(step.windowSeconds, step.purpose);
      case 'wait':
        this.#now += step.seconds * 1000;
        return;
      case 'retire':
        return this.#retire();
    }
  }

  #apply(rollbackWindowSeconds: number, purpose = this.state.manifest.purpose): void {
    if (this.state.retired) return;
    const revision = this.state.manifestRevision + 1;
    const next = { ...this.state.manifest, rollbackWindowSeconds, purpose };
    const isValidatedAnew = this.state.champions.length > 0 && purpose !== this.state.manifest.purpose;
    const applied = { ...this.state, manifest: next, manifestRevision: revision };
    this.state = isValidatedAnew ? withBasisChange(applied, ['purpose'], this.#now) : applied;
    this.#request('manifest.applied', { revision }, { manifest: next as unknown as Json });
  }

  #submit(version: VersionRef, supersede: boolean): void {
    if (releaseRefusal(this.state, version, supersede) !== null) return;
    const queued = queueRelease(this.state, { version, submittedBy: 'otto', supersede, now: this.#now });
    this.state = queued.state;
    const superseded = [...queued.superseded, ...(queued.abort === null ? [] : [queued.abort])];
    this.#request('release.submitted', { release: queued.release, ...version }, { superseded });
    if (queued.abort !== null) this.#end('aborted', `superseded by release ${queued.release}`);
  }

  #advance(to: 'validated' | 'deployed' | 'canary' | 'promoted'): void {
    const { inFlight } = this.state;
    if (inFlight === null || this.#promoted) return;
    switch (to) {
      case 'validated':
        return this.#ofRelease(inFlight, 'release.validated', {});
      case 'deployed':
        return this.#ofRelease(inFlight, 'release.deployed', { generation: this.#generation() });
      case 'canary':
        this.#ofRelease(inFlight, 'canary.step-applied', { generation: this.#generation(), weight: 0.1 });
        return this.#report(inFlight, 'canary', this.state.champion);
      case 'promoted': {
        const { version, digest } = release(this.state, inFlight) ?? refNumber(0);
        this.#promoted = true;
        this.#ofRelease(inFlight, 'release.promoted', { generation: this.#generation() });
        return this.#report(inFlight, 'soaking', { version, digest });
      }
    }
  }

  #end(outcome: 'rejected' | 'rolled-back' | 'aborted' | 'succeeded', reason: string): void {
    const { inFlight, champions } = this.state;
    if (inFlight === null) return;
    if (outcome === 'succeeded' && !this.#promoted) this.#advance('promoted');
    const flying = release(this.state, inFlight) ?? refNumber(0);
    const [current, former] = champions;
    const before =
      this.#promoted && current?.release === inFlight
        ? former?.until === current.since
          ? former
          : null
        : this.state.champion;
    this.#promoted = false;
    if (outcome === 'succeeded') {
      this.#ofRelease(inFlight, 'release.succeeded', { generation: this.#generation() });
      return this.#report(
        inFlight,
        'succeeded',
        { version: flying.version, digest: flying.digest },
        `${flying.version} serves`,
      );
    }
    this.#ofRelease(inFlight, `release.${outcome}`, { reason, generation: this.#generation() });
    this.#report(
      inFlight,
      outcome,
      before === null ? null : { version: before.version, digest: before.digest },
      reason,
    );
  }

  /** A queued release is aborted. */
  #drop(): void {
    const number = this.state.queue.at(-1);
    const known = number === undefined ? undefined : release(this.state, number);
    if (number === undefined || known === undefined) return;
    this.state = dropQueued(this.state, number, 'not needed', this.#now);
    const { version, digest } = known;
    this.#request(
      'release.aborted',
      { release: number, version, digest },
      { reason: 'not needed', queued: true },
    );
  }

  #rollBack(): void {
    const found = rollBackTarget(this.state, undefined);
    if ('refusal' in found) return;
    const { target } = found;
    const id = this.#request('model.rollback-requested', { ...target }, { reason: 'complaints' });
    this.#end('aborted', 'rolled back');
    if (this.state.champion?.digest === target.digest) return;
    this.state = goBack(this.state, target, this.#now);
    this.#record(`model:m/${id}/model.rolled-back`, 'model.rolled-back', target, {
      reason: 'complaints',
      generation: this.#generation(),
    });
  }

  #retire(): void {
    if (this.state.retired) return;
    const id = this.#request('model.retirement-requested', {}, { reason: 'replaced' });
    this.#end('aborted', 'retired');
    const none = { ...changeChampion(this.state, null, 0, this.#now), warm: [] };
    this.state = { ...clearQueue(none, 'the model is retired', this.#now), retired: true };
    this.#record(`model:m/${id}/model.retired`, 'model.retired', {}, { generation: this.#generation() });
  }

  /** What the main loop does by itself. */
  #loop(): void {
    if (this.state.freeze !== null && !isFrozen(this.state, this.#now)) {
      const { until } = this.state.freeze;
      this.state = { ...this.state, freeze: null };
      this.#record(
        `model:m/thaw/${until}`,
        'model.unfrozen',
        {},
        { reason: 'the time of the freeze is over' },
      );
    }
    const next = nextToStart(this.state);
    if (next !== null) {
      this.state = startRelease(this.state, next);
      return;
    }
    const expired =
      this.state.inFlight === null && !this.state.retired ? expiredWarm(this.state, this.#now) : [];
    if (expired.length === 0) return;
    const unloaded = expired.map(({ version }) => version);
    this.state = {
      ...this.state,
      warm: this.state.warm.filter(({ version }) => !unloaded.includes(version)),
    };
    this.#record(
      `model:m/warm/${this.#now}`,
      'model.rollback-window-ended',
      { unloaded },
      {
        generation: this.#generation(),
      },
    );
  }

  #report(
    number: number,
    stage: ReleaseStage,
    champion: VersionRef | null,
    reason: string | null = null,
  ): void {
    const at = new Date(this.#now).toISOString();
    const { generation, head } = this.state;
    this.state = applyReport(this.state, {
      release: number,
      stage,
      at,
      reason,
      champion,
      former: null,
      generation,
      head,
    });
  }

  #generation(): number {
    const generation = (this.state.generation ?? 0) + 1;
    this.state = { ...this.state, generation };
    return generation;
  }

  #request(action: string, subject: LedgerEvent['subject'], evidence: LedgerEvent['evidence']): string {
    const id = `r${(this.#requests += 1)}`;
    this.#record(`model:m/request/${id}`, action, subject, evidence, 'otto');
    return id;
  }

  #ofRelease(number: number, action: string, evidence: LedgerEvent['evidence']): void {
    const { version, digest } = release(this.state, number) ?? refNumber(0);
    const id = `release:m:${number}/${action}/${this.events.length}`;
    this.#record(id, action, { release: number, version, digest }, evidence);
  }

  #record(id: string, action: string, subject: object, evidence: LedgerEvent['evidence'], by?: string): void {
    const sequence = this.events.length + 1;
    this.events.push({
      stream: 'm',
      sequence,
      previousHash: String(sequence - 1).padStart(64, '0'),
      id,
      action,
      actor: by === undefined ? system('model:m') : person(by),
      subject: { ...(subject as LedgerEvent['subject']) },
      evidence,
      at: new Date(this.#now).toISOString(),
    });
    this.state = { ...this.state, head: { sequence, hash: String(sequence).padStart(64, '0') } };
  }
}
