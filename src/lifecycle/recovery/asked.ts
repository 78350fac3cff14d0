import { modelWorkflowId } from '../../contracts/ids.js';
import type { LedgerEvent } from '../../contracts/ledger.js';
import type { ModelState, PendingAct } from '../model-state.js';
import { evidenceOf, numberIn, textIn } from './reading.js';

/** What people or the policy asked of a model and is not done yet, as its record has it. */
export class AskedActs {
  readonly #model: string;
  /** With the time of the request, epoch milliseconds. */
  #asked: readonly { readonly act: PendingAct; readonly since: number }[] = [];

  constructor(model: string) {
    this.#model = model;
  }

  copy(): AskedActs {
    const copy = new AskedActs(this.#model);
    copy.#asked = this.#asked;
    return copy;
  }

  get acts(): readonly PendingAct[] {
    return this.#asked.map(({ act }) => act);
  }

  ask(act: PendingAct, since: number): void {
    this.#asked = [
      ...this.#asked.filter(({ act: other }) => other.requestId !== act.requestId),
      { act, since },
    ];
  }

  /** The request that this event is about. */
  requestOf({ id }: LedgerEvent): string {
    const prefix = `${modelWorkflowId(this.#model)}/request/`;
    return id.startsWith(prefix) ? id.slice(prefix.length) : id;
  }

  /** Acts of a request are recorded under ids that begin with its own. */
  done({ id }: LedgerEvent): void {
    this.#asked = this.#asked.filter(
      ({ act }) => !id.startsWith(`${modelWorkflowId(this.#model)}/${act.requestId}/`),
    );
  }

  /** A model does what it was asked for before it starts another release. */
  releaseStarted(now: number): void {
    this.#asked = this.#asked.filter(({ since }) => since >= now);
  }

  /** Ending the release in flight may have been the whole way back. */
  releaseEnded({ champion, inFlight }: ModelState): void {
    if (inFlight !== null) return;
    this.#asked = this.#asked.filter(
      ({ act }) => act.kind !== 'roll-back' || act.to.digest !== champion?.digest,
    );
  }

  retired(): void {
    this.#asked = [];
  }
}

/**
 * What a rollback that the policy asked for has beside one of a person: by the finding it is the system's act, and the incident of it
 * hears when users are protected. Nothing for a person's.
 */
export function askedByPolicy(event: LedgerEvent): { readonly finding?: string; readonly incident?: number } {
  const finding = event.actor.kind === 'system' ? textIn(evidenceOf(event, 'finding')) : null;
  const incident = numberIn(evidenceOf(event, 'incident'));
  if (finding === null) return {};
  return incident === null ? { finding } : { finding, incident };
}
