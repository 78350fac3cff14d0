import type { LedgerEntry, LedgerEvent, LedgerHead, StoredEvent } from '../contracts/ledger.js';
import { canonicalHash, canonicalJson, sha256 } from './canonical.js';
import { LedgerEntryError } from './errors.js';

/** Largest canonical form, characters: below what Temporal takes as a payload and far below a MongoDB document. */
const MAX_EVENT_LENGTH = 2_000_000;

const MAX_NAME_LENGTH = 1_000;
const ACTION = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** The fields that are hashed, and nothing else that may hang on an object of the type. */
export function eventOf(entry: LedgerEntry, place: { sequence: number; previousHash: string }): LedgerEvent {
  const { stream, id, action, actor, subject, evidence, at } = entry;
  return {
    stream,
    sequence: place.sequence,
    id,
    action,
    actor: { kind: actor.kind, id: actor.id },
    subject,
    evidence,
    at,
    previousHash: place.previousHash,
  };
}

/** The event that follows `head`. @throws CanonicalError, LedgerEntryError */
export function chain(entry: LedgerEntry, head: LedgerHead): StoredEvent {
  const event = eventOf(entry, { sequence: head.sequence + 1, previousHash: head.hash });
  const canonical = canonicalJson(event);
  if (canonical.length > MAX_EVENT_LENGTH) {
    throw new LedgerEntryError(
      `Ledger entry ${entry.id} has ${canonical.length} characters, more than the ${MAX_EVENT_LENGTH} allowed: ` +
        'put the evidence into the artifact store and record its digest',
    );
  }
  return { ...event, hash: sha256(canonical), canonical };
}

/**
 * What makes two entries of one id the same act: all but their place in the stream and `at`. A retry after a crash or a reset may
 * read the clock again; that does not make another act, and the time of the first recording stands.
 */
export function contentHash(entry: LedgerEntry): string {
  const { stream, id, action, actor, subject, evidence } = entry;
  return canonicalHash({ stream, id, action, actor: { kind: actor.kind, id: actor.id }, subject, evidence });
}

/** Checks what the types cannot: entries come from histories and messages. @throws LedgerEntryError that names the field */
export function checkEntry(entry: LedgerEntry): void {
  name('stream', entry.stream);
  name('id', entry.id);
  name('actor.id', entry.actor.id);
  if (!['person', 'system'].includes(entry.actor.kind))
    refuse('actor.kind', entry.actor.kind, '`person` or `system`');
  if (!ACTION.test(entry.action)) refuse('action', entry.action, 'like `release.promoted`');
  if (!ISO_TIME.test(entry.at) || Number.isNaN(Date.parse(entry.at))) {
    refuse('at', entry.at, 'like 2026-01-31T12:00:00.000Z');
  }
  for (const field of ['subject', 'evidence'] as const) {
    const value: unknown = entry[field];
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      refuse(field, value, 'an object');
  }
}

function name(field: string, value: unknown): void {
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME_LENGTH || value.includes('\0')) {
    refuse(field, value, `a text of 1 to ${MAX_NAME_LENGTH} characters`);
  }
}

function refuse(field: string, value: unknown, allowed: string): never {
  throw new LedgerEntryError(
    `Ledger entry: ${field} is ${JSON.stringify(value)?.slice(0, 200)}, but must be ${allowed}`,
  );
}
