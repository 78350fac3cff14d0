import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { CanonicalError, canonicalHash, canonicalJson } from '../../../src/ledger/index.js';

interface Golden {
  readonly cases: readonly { readonly case: string; readonly input: string; readonly canonicalHex: string }[];
}

/** A JSON value with its keys in another order, at all levels. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item)]),
  );
}

describe('canonical form (RFC 8785)', () => {
  it('gives the bytes that an independent implementation gives', async () => {
    const golden = JSON.parse(
      await readFile(new URL('golden/rfc8785.json', import.meta.url), 'utf8'),
    ) as Golden;
    assert.equal(golden.cases.length, 7);
    for (const { case: name, input, canonicalHex } of golden.cases) {
      assert.equal(Buffer.from(canonicalJson(JSON.parse(input)), 'utf8').toString('hex'), canonicalHex, name);
    }
  });

  it('is the same for every order of keys, and reads back as the same value', () => {
    const storable = fc
      .jsonValue({ noUnicodeString: false })
      .filter((value) => isStorable(JSON.stringify(value)));
    fc.assert(
      fc.property(storable, (value) => {
        const text = canonicalJson(value);
        assert.equal(canonicalJson(shuffled(value)), text);
        assert.equal(canonicalJson(JSON.parse(text)), text);
        assert.equal(canonicalHash(shuffled(value)), canonicalHash(value));
      }),
      { seed: 8785, numRuns: 300 },
    );
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    ['undefined', { evidence: { a: undefined } }, 'evidence.a'],
    ['undefined in a list', { rows: [1, undefined] }, 'rows[1]'],
    ['a hole in a list', { rows: Array.from({ length: 2 }).fill(0, 0, 1) }, 'rows[1]'],
    ['a Map', { evidence: new Map([['a', 1]]) }, 'evidence'],
    ['a Set', { evidence: new Set([1]) }, 'evidence'],
    ['a Date', { at: new Date(0) }, 'at'],
    ['a class instance', { by: new URL('http://localhost/') }, 'by'],
    ['bytes', { bytes: new Uint8Array(2) }, 'bytes'],
    ['NaN', { metrics: { auc: Number.NaN } }, 'metrics.auc'],
    ['infinity', [[Number.NEGATIVE_INFINITY]], '[0][0]'],
    ['a bigint', { n: 1n }, 'n'],
    ['a function', { f: () => 0 }, 'f'],
    ['a symbol', { s: Symbol('s') }, 's'],
    ['a symbol as key', { o: { [Symbol('s')]: 1 } }, 'o'],
    ['half a surrogate pair', { text: 'a\ud800b' }, 'text'],
    ['half a surrogate pair in a key', { 'a\udc00': 1 }, 'a\udc00'],
    ['a key with NUL', { 'a\0': 1 }, 'a\0'],
    ['a key that the driver reads as a reference', { o: { $ref: 1, $id: 2 } }, 'o.$ref'],
    ['a key that names a prototype', JSON.parse('{"o":{"__proto__":{}}}'), 'o.__proto__'],
  ];
  for (const [what, value, path] of refused) {
    it(`refuses ${what} and says where`, () => {
      assert.throws(
        () => canonicalJson(value),
        (error: unknown) => error instanceof CanonicalError && error.path === path,
      );
    });
  }

  it('refuses endless nesting instead of running out of stack', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    assert.throws(() => canonicalJson(loop), CanonicalError);
  });
});

const isStorable = (text: string): boolean =>
  !/__proto__|_bsontype|toBSON|toJSON|\$ref|\$id|\$db|\\u0000/.test(text) &&
  !/\p{Surrogate}|\\ud[89a-f]/u.test(text);
