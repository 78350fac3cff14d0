import { EMPTY_HEAD, type LedgerEvent, type LedgerHead } from '../contracts/ledger.js';
import { examine } from './examine.js';
import type { BadEvent, BadKind } from './findings.js';

interface Place extends LedgerHead {
  readonly id: string;
  readonly previousHash: string;
}

/**
 * Goes along one stream in order of its sequence numbers, keeps two events in memory and judges no further than the first bad one.
 * Pure: the documents may come from a database or from an export.
 */
export class ChainCheck {
  readonly #stream: string;
  readonly #kept: LedgerHead | null;
  #count = 0;
  #last: Place | null = null;
  /** An event that does not follow the last one: the event after it tells which of the two is wrong. */
  #suspect: Place | null = null;
  /** The last event is not the kept one: rewritten, unless the event after it shows that it was inserted. */
  #notKept: BadEvent | null = null;
  #bad: BadEvent | null = null;

  /** @param kept the head that somebody outside the database knows of */
  constructor(stream: string, kept: LedgerHead | null) {
    this.#stream = stream;
    this.#kept = kept;
  }

  /** Goes on after an event that was found in order before. */
  static after(stream: string, kept: LedgerHead | null, event: LedgerEvent & LedgerHead): ChainCheck {
    const check = new ChainCheck(stream, kept);
    const { sequence, hash, id, previousHash } = event;
    check.#last = { sequence, hash, id, previousHash };
    return check;
  }

  get count(): number {
    return this.#count;
  }

  get bad(): BadEvent | null {
    return this.#bad;
  }

  /** The newest event that was found in order. */
  get head(): LedgerHead {
    return this.#last === null ? EMPTY_HEAD : { sequence: this.#last.sequence, hash: this.#last.hash };
  }

  next(document: Readonly<Record<string, unknown>>): void {
    this.#count += 1;
    if (this.#bad !== null) return;
    const expected = this.head.sequence + 1;
    const { sequence } = document;
    if (this.#suspect !== null) {
      this.#settle(document['previousHash'] === this.#suspect.hash);
    } else if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) {
      this.#fail(
        expected,
        'inserted',
        document,
        `an event with the number ${JSON.stringify(sequence)} stands before it`,
      );
    } else if (sequence < expected) {
      this.#fail(sequence, 'inserted', document, 'two events have this number');
    } else if (sequence > expected) {
      this.#fail(expected, 'missing', null, `the next event there is has number ${sequence}`);
    } else {
      this.#examine(document, sequence);
    }
  }

  /** After the last document. */
  end(): BadEvent | null {
    const kept = this.#kept;
    if (this.#bad === null && this.#suspect !== null) this.#settle(this.#suspect.hash === kept?.hash);
    if (this.#bad === null && kept !== null && kept.sequence > this.head.sequence) {
      const detail = `the events to number ${kept.sequence} are known to have been recorded`;
      this.#fail(this.head.sequence + 1, 'cut-off', null, detail);
    }
    this.#bad ??= this.#notKept;
    return this.#bad;
  }

  #examine(document: Readonly<Record<string, unknown>>, sequence: number): void {
    const found = examine(document);
    const last = this.#last;
    if (!found.sound) {
      // Events that were moved up by one to make room: the one in the room is the wrong one.
      const movedUp =
        last !== null &&
        found.text?.sequence === last.sequence &&
        found.text.previousHash === last.previousHash;
      if (movedUp)
        this.#fail(
          last.sequence,
          'inserted',
          last,
          'the event that was recorded with this number stands after it',
        );
      else this.#fail(sequence, found.bad.kind, document, found.bad.detail);
      return;
    }
    const { event, hash } = found;
    const place: Place = { sequence, hash, id: event.id, previousHash: event.previousHash };
    if (event.previousHash === this.head.hash) this.#accept(place);
    else if (last === null)
      this.#fail(sequence, 'changed', place, 'it names an event before it, but is the first');
    else this.#suspect = place;
  }

  #accept(place: Place): void {
    if (this.#notKept !== null) {
      this.#bad = this.#notKept;
      return;
    }
    this.#last = place;
    const kept = this.#kept;
    if (kept?.sequence === place.sequence && kept.hash !== place.hash) {
      const { sequence, hash, id } = place;
      const detail = `its hash is ${hash}, but ${kept.hash} is known to have been recorded`;
      this.#notKept = { stream: this.#stream, sequence, kind: 'rewritten', id, detail };
    }
  }

  /** @param follows whether what comes after the suspect follows it, so that the event before the suspect is the altered one */
  #settle(follows: boolean): void {
    const suspect = this.#suspect;
    const last = this.#last;
    if (suspect === null || last === null) return;
    if (follows)
      this.#fail(
        last.sequence,
        'changed',
        last,
        `the event after it follows one with hash ${suspect.previousHash}`,
      );
    else
      this.#fail(
        suspect.sequence,
        'changed',
        suspect,
        'it does not follow the event before it: one of the two was altered',
      );
  }

  #fail(sequence: number, kind: BadKind, at: { readonly id?: unknown } | null, detail: string): void {
    const id = typeof at?.id === 'string' ? at.id : null;
    const bad: BadEvent = { stream: this.#stream, sequence, kind, id, detail };
    this.#bad = kind === 'inserted' ? bad : (this.#notKept ?? bad);
  }
}
