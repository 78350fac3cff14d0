/** A JSON value without NaN, Infinity or undefined: what RFC 8785 can canonicalise. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Actor {
  /** `person`: named by a message; `system`: a workflow or activity of Tenure. */
  readonly kind: 'person' | 'system';
  /** A person's name as given, or the workflow id. */
  readonly id: string;
}

/** What a caller asks to be recorded; the ledger adds sequence, previous hash and hash. */
export interface LedgerEntry {
  /** The model, each of which has a stream of its own, or `fleet`. */
  readonly stream: string;
  /** From business identity (an act id, or a message's request id), never from a run id: a repeat is harmless. */
  readonly id: string;
  /** `<resource>.<what happened>`, e.g. `release.promoted`. */
  readonly action: string;
  readonly actor: Actor;
  /** What it is about, e.g. `{ release: 3, version: 'v2', digest: '…' }`. */
  readonly subject: { readonly [key: string]: Json };
  /** What the act or decision was based on. */
  readonly evidence: { readonly [key: string]: Json };
  /** When it happened, ISO 8601 UTC with milliseconds, by the clock of whoever acted (workflow time in workflows). */
  readonly at: string;
}

/** Stream of what belongs to no model: gateways, monitors and their incidents. No model can have this name. */
export const FLEET_STREAM = 'fleet';

/** A recorded entry: the canonical bytes of these fields are what is hashed. */
export interface LedgerEvent extends LedgerEntry {
  /** Contiguous per stream, from 1. */
  readonly sequence: number;
  /** Hash of the event before it in the stream; 64 zeros for the first. */
  readonly previousHash: string;
}

/** An event as it is stored: the canonical text that was hashed, beside its fields for queries. */
export interface StoredEvent extends LedgerEvent {
  /** SHA-256 of `canonical`'s UTF-8 bytes, 64 hex digits. */
  readonly hash: string;
  readonly canonical: string;
}

/** The newest event of a stream that somebody knows of. */
export interface LedgerHead {
  readonly sequence: number;
  /** SHA-256 of the event's canonical form, 64 hex digits. */
  readonly hash: string;
}

export const EMPTY_HEAD: LedgerHead = { sequence: 0, hash: '0'.repeat(64) };

/** Events that a workflow carries because they could not be recorded yet. */
export interface UnrecordedView {
  readonly events: number;
  /** When the oldest of them happened, ISO 8601 UTC. */
  readonly oldest: string;
}
