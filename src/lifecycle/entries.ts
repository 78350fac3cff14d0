import type { Actor, Json, LedgerEntry, UnrecordedView } from '../contracts/ledger.js';

export const person = (id: string): Actor => ({ kind: 'person', id });
export const system = (workflowId: string): Actor => ({ kind: 'system', id: workflowId });

/**
 * A ledger entry without `undefined` in it, which the canonical form refuses.
 * @param now epoch milliseconds
 */
export function ledgerEntry(options: {
  readonly stream: string;
  readonly id: string;
  readonly action: string;
  readonly actor: Actor;
  readonly subject: Readonly<Record<string, unknown>>;
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly now: number;
}): LedgerEntry {
  const { stream, id, action, actor, subject, evidence, now } = options;
  return {
    stream,
    id: wellFormed(id),
    action,
    actor: { ...actor, id: wellFormed(actor.id) },
    subject: plain(subject),
    evidence: plain(evidence ?? {}),
    at: new Date(now).toISOString(),
  };
}

/** @param entries that should have been recorded by now */
export function unrecordedView(entries: readonly LedgerEntry[]): UnrecordedView | null {
  const [oldest] = entries.map(({ at }) => at).sort();
  return oldest === undefined ? null : { events: entries.length, oldest };
}

/** A JSON round trip is what the workflow's history does to a value anyway: do it once, where the entry is made. */
const plain = (value: Readonly<Record<string, unknown>>): { readonly [key: string]: Json } =>
  JSON.parse(
    JSON.stringify(value, (_key, field: unknown) => (typeof field === 'string' ? wellFormed(field) : field)),
  ) as { readonly [key: string]: Json };

/** Half a surrogate pair, which anybody may send in a text, has no canonical form: the entry could never be written. */
const wellFormed = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, '\uFFFD');
