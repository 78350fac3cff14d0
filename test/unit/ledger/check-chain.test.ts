import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  EMPTY_HEAD,
  type LedgerEntry,
  type LedgerHead,
  type StoredEvent,
} from '../../../src/contracts/ledger.js';
import { chain, ChainCheck, contentHash, LedgerEntryError, checkEntry } from '../../../src/ledger/index.js';

type Document = Record<string, unknown>;

const entry = (n: number): LedgerEntry => ({
  stream: 'employment',
  id: `release:employment:1/step/${n}`,
  action: 'canary.step-applied',
  actor: { kind: 'system', id: 'release:employment:1' },
  subject: { release: 1, version: 'v1' },
  evidence: { n },
  at: '2026-01-31T12:00:00.000Z',
});

function stream(length: number): { documents: Document[]; head: LedgerHead } {
  let head: LedgerHead = EMPTY_HEAD;
  const documents = Array.from({ length }, (_, i): Document => {
    const event: StoredEvent = chain(entry(i + 1), head);
    head = event;
    return { _id: event.hash, ...event };
  });
  return { documents, head: { sequence: head.sequence, hash: head.hash } };
}

function verdict(documents: readonly Document[], kept: LedgerHead | null) {
  const check = new ChainCheck('employment', kept);
  for (const document of documents) check.next(document);
  const bad = check.end();
  return bad === null ? null : { sequence: bad.sequence, kind: bad.kind };
}

/** A forger who hashes what he wrote. */
function rehashed(document: Document, changes: Partial<LedgerEntry>, previousHash: unknown): Document {
  const { sequence } = document as { sequence: number };
  const forged = chain(
    { ...(document as unknown as LedgerEntry), ...changes },
    { sequence: sequence - 1, hash: String(previousHash) },
  );
  return { _id: forged.hash, ...forged };
}

describe('ledger chain', () => {
  const { documents, head } = stream(9);
  const changed = (n: number, change: (document: Document) => Document): Document[] =>
    documents.map((document) => (document['sequence'] === n ? change(document) : document));

  it('finds nothing in a sound stream, nor in an empty one', () => {
    assert.equal(verdict(documents, head), null);
    assert.equal(verdict(documents, null), null);
    assert.equal(verdict([], null), null);
    assert.equal(verdict([], EMPTY_HEAD), null);
  });

  for (const n of [1, 2, 5, 8, 9]) {
    it(`names what was done to event ${n}`, () => {
      const lastButKept = n === 9 ? 'cut-off' : 'missing';
      const field = changed(n, (document) => ({ ...document, evidence: { n: 99 } }));
      assert.deepEqual(verdict(field, head), { sequence: n, kind: 'fields-differ' });
      const extra = changed(n, (document) => ({ ...document, approvedBy: 'nobody' }));
      assert.deepEqual(verdict(extra, head), { sequence: n, kind: 'fields-differ' });
      const text = changed(n, (document) => ({
        ...document,
        canonical: `${String(document['canonical'])} `,
      }));
      assert.deepEqual(verdict(text, head), { sequence: n, kind: 'changed' });
      const forged = changed(n, (document) =>
        rehashed(document, { action: 'release.promoted' }, document['previousHash']),
      );
      assert.deepEqual(verdict(forged, head), { sequence: n, kind: n === 9 ? 'rewritten' : 'changed' });
      const deleted = documents.filter((document) => document['sequence'] !== n);
      assert.deepEqual(verdict(deleted, head), { sequence: n, kind: lastButKept });
    });
  }

  it('names the first of two swapped events', () => {
    const [third, seventh] = [documents[2], documents[6]];
    assert.ok(third !== undefined && seventh !== undefined);
    const swapped = documents.with(2, { ...seventh, sequence: 3 }).with(6, { ...third, sequence: 7 });
    assert.deepEqual(verdict(swapped, head), { sequence: 3, kind: 'out-of-order' });
  });

  it('names an inserted event, with and without room made for it', () => {
    const fifth = documents[4];
    assert.ok(fifth !== undefined);
    const forged = rehashed(fifth, { id: 'forged' }, fifth['previousHash']);
    const movedUp = documents
      .slice(4)
      .map((document) => ({ ...document, sequence: Number(document['sequence']) + 1 }));
    assert.deepEqual(verdict([...documents.slice(0, 4), forged, ...movedUp], head), {
      sequence: 5,
      kind: 'inserted',
    });
    assert.deepEqual(verdict([...documents.slice(0, 5), forged, ...documents.slice(5)], head), {
      sequence: 5,
      kind: 'inserted',
    });
    const between = [...documents.slice(0, 4), { ...forged, sequence: 4.5 }, ...documents.slice(4)];
    assert.deepEqual(verdict(between, head), { sequence: 5, kind: 'inserted' });
  });

  it('sees a cut-off end and a rewritten suffix by the kept head, and by nothing else', () => {
    const cut = documents.slice(0, 6);
    assert.deepEqual(verdict(cut, head), { sequence: 7, kind: 'cut-off' });
    assert.equal(verdict(cut, null), null);
    let previous: Document = documents[3] ?? {};
    const suffix = documents.slice(4).map((document) => {
      previous = rehashed(document, { evidence: { n: 0 } }, previous['hash']);
      return previous;
    });
    const rewritten = [...documents.slice(0, 4), ...suffix];
    assert.deepEqual(verdict(rewritten, head), { sequence: 9, kind: 'rewritten' });
    assert.equal(verdict(rewritten, null), null);
    assert.deepEqual(verdict([], head), { sequence: 1, kind: 'cut-off' });
  });

  it('never passes a stream in which any byte of any text was changed', () => {
    const place = fc.record({
      n: fc.integer({ min: 0, max: 8 }),
      at: fc.nat(),
      by: fc.integer({ min: 1, max: 90 }),
    });
    fc.assert(
      fc.property(place, ({ n, at, by }) => {
        const text = String(documents[n]?.['canonical']);
        const i = at % text.length;
        const other = String.fromCharCode(32 + ((text.charCodeAt(i) - 32 + by) % 95));
        fc.pre(other !== text[i]);
        const canonical = text.slice(0, i) + other + text.slice(i + 1);
        assert.deepEqual(
          verdict(
            changed(n + 1, (document) => ({ ...document, canonical })),
            null,
          ),
          {
            sequence: n + 1,
            kind: 'changed',
          },
        );
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('takes an entry for the same when only its time differs', () => {
    const first = entry(1);
    assert.equal(contentHash({ ...first, at: '2027-01-01T00:00:00.000Z' }), contentHash(first));
    assert.notEqual(contentHash({ ...first, evidence: {} }), contentHash(first));
    assert.notEqual(contentHash({ ...first, actor: { kind: 'person', id: 'ada' } }), contentHash(first));
  });

  it('refuses an entry with a bad field and names it', () => {
    const bad: readonly (readonly [string, object])[] = [
      ['stream', { stream: '' }],
      ['id', { id: 'x'.repeat(1_001) }],
      ['action', { action: 'Promoted' }],
      ['actor.kind', { actor: { kind: 'robot', id: 'r2' } }],
      ['at', { at: '2026-01-31' }],
      ['at', { at: '2026-99-31T12:00:00.000Z' }],
      ['evidence', { evidence: [] }],
    ];
    for (const [field, change] of bad) {
      assert.throws(
        () => checkEntry({ ...entry(1), ...change }),
        (error: unknown) => error instanceof LedgerEntryError && error.message.includes(`: ${field} is`),
      );
    }
    assert.throws(
      () => chain({ ...entry(1), evidence: { text: 'x'.repeat(2_000_000) } }, EMPTY_HEAD),
      /artifact store/,
    );
  });
});
