import type { LedgerEvent } from '../contracts/ledger.js';
import { CanonicalError, canonicalJson, sha256 } from './canonical.js';
import { eventOf } from './event.js';
import type { BadEvent } from './findings.js';

/** One stored document, looked at alone. */
export type Examined =
  | { readonly sound: true; readonly event: LedgerEvent; readonly hash: string }
  | {
      readonly sound: false;
      readonly bad: Pick<BadEvent, 'kind' | 'detail'>;
      /** What its text says, where the text itself is as it was hashed. */
      readonly text: LedgerEvent | null;
    };

const FIELDS = [
  '_id',
  'stream',
  'sequence',
  'id',
  'action',
  'actor',
  'subject',
  'evidence',
  'at',
  'previousHash',
  'hash',
  'canonical',
];

/** Whether a document is in itself what was recorded: text, hash and fields agree. */
export function examine(document: Readonly<Record<string, unknown>>): Examined {
  const { canonical, hash } = document;
  if (typeof canonical !== 'string' || typeof hash !== 'string') {
    return unsound('fields-differ', 'its canonical text or its hash is not there');
  }
  const actual = sha256(canonical);
  if (actual !== hash) return unsound('changed', `its text hashes to ${actual}, but ${hash} is stored`);
  const fields = document as unknown as LedgerEvent;
  if (isCanonicalOf(fields, canonical)) {
    const odd = Object.keys(document).find((field) => !FIELDS.includes(field));
    const text = eventOf(fields, fields);
    if (odd !== undefined) return unsound('fields-differ', `it has a field ${odd} that no event has`, text);
    if (document['_id'] !== hash) return unsound('fields-differ', 'its key is not its hash', text);
    return { sound: true, event: text, hash };
  }
  const text = parse(canonical);
  if (text === null) return unsound('changed', 'its text is not the canonical form of an event');
  const differing = FIELDS.filter(
    (field) => field in text && !isSame(document[field], text[field as keyof LedgerEvent]),
  );
  if (differing.join() === 'sequence') {
    return unsound(
      'out-of-order',
      `the event that was recorded as number ${text.sequence} stands here`,
      text,
    );
  }
  return unsound('fields-differ', `its fields differ from its hashed text: ${differing.join(', ')}`, text);
}

function isCanonicalOf(fields: LedgerEvent, canonical: string): boolean {
  try {
    return canonicalJson(eventOf(fields, fields)) === canonical;
  } catch {
    // Missing parts, dates, numbers that are none: not what was hashed.
    return false;
  }
}

function parse(canonical: string): LedgerEvent | null {
  try {
    const value = JSON.parse(canonical) as LedgerEvent;
    return isCanonicalOf(value, canonical) && Number.isSafeInteger(value.sequence) ? value : null;
  } catch {
    return null;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    return canonicalJson(a) === canonicalJson(b);
  } catch (error) {
    if (error instanceof CanonicalError) return false;
    throw error;
  }
}

const unsound = (kind: BadEvent['kind'], detail: string, text: LedgerEvent | null = null): Examined => ({
  sound: false,
  bad: { kind, detail },
  text,
});
