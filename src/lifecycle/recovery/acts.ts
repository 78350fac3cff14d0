import type { LedgerEvent } from '../../contracts/ledger.js';
import { evidenceOf, numberIn, textIn } from './reading.js';

/** What the record says of one act on the traffic. */
export interface RecordedAct {
  readonly id: string;
  /** `release.promoted`, … */
  readonly action: string;
  /** Generations that it is recorded to have made, with the hash of each table where that is recorded. */
  readonly made: readonly { readonly generation: number; readonly table: string | null }[];
}

/** The acts that can still be in force, and what came after them. */
export interface RecordedActs {
  readonly acts: readonly RecordedAct[];
  /** Highest generation on record, 0 when there is none. */
  readonly generation: number;
}

/** A table that is in force was made by one of the newest acts. */
const KEPT = 100;
const INTENT = /\/intent$/;
/** An act that was recorded a second time, since it made another generation. */
const AGAIN = /\/again\/[^/]+$/;

/** Reads a model's events, oldest first, for who made which routing table. */
export class ActRecord {
  #acts: readonly RecordedAct[] = [];
  #generation = 0;

  next(event: LedgerEvent): void {
    const { id, action } = event;
    const generation = numberIn(evidenceOf(event, 'generation'));
    const isIntent = INTENT.test(id);
    if (!isIntent && generation === null) return;
    const name = id.replace(INTENT, '').replace(AGAIN, '');
    const known = this.#acts.find((act) => act.id === name);
    const made =
      isIntent || generation === null ? [] : [{ generation, table: textIn(evidenceOf(event, 'table')) }];
    const act = {
      id: name,
      action: isIntent && known !== undefined ? known.action : action.replace(/-requested$/, ''),
      made: [...(known?.made ?? []), ...made],
    };
    this.#acts = [...this.#acts.filter((other) => other !== known), act].slice(-KEPT);
    if (made.length > 0) this.#generation = Math.max(this.#generation, generation ?? 0);
  }

  get result(): RecordedActs {
    return { acts: this.#acts, generation: this.#generation };
  }
}

/** The act behind the change id of a routing table, under the id that the record has it by. */
export const actOfChange = (changeId: string): string =>
  changeId.replace(/\/(?:down|up)\/(?:\d+|any)$/, '').replace(/\/take-back\/(\d+)$/, '/end/$1');
