import type { LedgerEvent, LedgerHead } from '../../contracts/ledger.js';
import { EMPTY_HEAD } from '../../contracts/ledger.js';
import type { BadLedger } from '../../contracts/doctor.js';
import type { Lineage, VersionRecord } from '../../contracts/model.js';
import { followStream, type LedgerCollection } from '../../ledger/index.js';
import { ActRecord, type RecordedActs } from '../../lifecycle/recovery/acts.js';
import { ModelRecord, type RecordedModel } from '../../lifecycle/recovery/record.js';
import { isDigest } from '../../platform/registry/index.js';

/** What a model's record says, verified. */
export interface ReadRecord {
  readonly bad: BadLedger | null;
  readonly head: LedgerHead;
  readonly recorded: RecordedModel;
  readonly acts: RecordedActs;
  /** As they were registered. */
  readonly versions: readonly VersionRecord[];
}

/** Models whose records are remembered; what is beyond is read whole each time. */
const MOST = 5_000;
/** Events that were verified are read again after so long. */
const WHOLE_AGAIN_MS = 24 * 3600_000;

/** Reads and verifies the records of models. What was verified is remembered, so that a round reads what is new. */
export class Records {
  readonly #events: LedgerCollection;
  readonly #known = new Map<string, Reading>();

  constructor(events: LedgerCollection) {
    this.#events = events;
  }

  /** @param kept the newest event that the workflows know of; asked for before this */
  async read(model: string, kept: LedgerHead | null, whole: boolean): Promise<ReadRecord> {
    const known = this.#known.get(model);
    this.#known.delete(model);
    const fresh = whole || known === undefined || Date.now() - known.wholeAt > WHOLE_AGAIN_MS;
    let reading = fresh ? new Reading(model) : known;
    let bad = await reading.follow(this.#events, kept);
    if (bad === 'changed') {
      reading = new Reading(model);
      bad = await reading.follow(this.#events, kept);
    }
    if (bad === 'changed') throw new Error(`The record of ${model} changes while it is read`);
    if (bad === null) this.#remember(model, reading);
    return reading.record(bad);
  }

  #remember(model: string, reading: Reading): void {
    this.#known.set(model, reading);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST) break;
      this.#known.delete(oldest);
    }
  }
}

class Reading {
  readonly wholeAt = Date.now();
  readonly #model: string;
  readonly #state: ModelRecord;
  readonly #acts = new ActRecord();
  readonly #versions = new Map<string, VersionRecord>();
  #head: LedgerHead = EMPTY_HEAD;

  constructor(model: string) {
    this.#model = model;
    this.#state = new ModelRecord(model);
  }

  async follow(events: LedgerCollection, kept: LedgerHead | null): Promise<BadLedger | null | 'changed'> {
    const followed = await followStream(events, this.#model, {
      kept,
      after: this.#head,
      onEvent: (event) => this.#take(event),
    });
    if (followed === null) return 'changed';
    this.#head = followed.head;
    if (followed.bad === null) return null;
    const { sequence, kind, detail } = followed.bad;
    return { sequence, kind, detail };
  }

  record(bad: BadLedger | null): ReadRecord {
    return {
      bad,
      head: this.#head,
      recorded: this.#state.end(this.#head),
      acts: this.#acts.result,
      versions: [...this.#versions.values()],
    };
  }

  #take(event: LedgerEvent): void {
    this.#state.next(event);
    this.#acts.next(event);
    const version = registration(this.#model, event);
    if (version !== null) this.#versions.set(version.version, version);
  }
}

function registration(model: string, event: LedgerEvent): VersionRecord | null {
  if (event.action !== 'version.registered') return null;
  const { version, digest } = event.subject;
  const { sizeBytes, lineage } = event.evidence;
  if (typeof version !== 'string' || !isDigest(digest) || typeof sizeBytes !== 'number') return null;
  return {
    model,
    version,
    digest,
    sizeBytes,
    lineage: typeof lineage === 'object' && lineage !== null ? (lineage as Lineage) : {},
    registeredBy: event.actor.id,
    registeredAt: event.at,
  };
}
