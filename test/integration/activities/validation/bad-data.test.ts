import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import type { Gate, Manifest } from '../../../../src/contracts/manifest.js';
import type { GateResult } from '../../../../src/contracts/validation.js';
import { identityModel } from '../../../support/onnx.js';
import { gateOf, makeRows, openSite, verdictsOf } from './support.js';
import type { Row, Site } from './support.js';

const gates: readonly Gate[] = [
  { kind: 'metric', metric: 'auc', min: 0.5 },
  { kind: 'size', maxBytes: 100_000 },
];

describe('data sets of validation', () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  /** The data gate's result; the gates that need data must refer to it, the others must have run. */
  async function dataGate(
    dataDigest: string,
    validation: Partial<Manifest['validation']> = {},
  ): Promise<GateResult> {
    const report = await site.run({ dataDigest, gates, validation });
    const result = gateOf(report, 'data');
    assert.deepEqual(
      [report.passed, report.goldenDigest, gateOf(report, 'size').verdict],
      [false, null, 'passed'],
    );
    assert.equal(
      gateOf(report, 'metric:auc').summary,
      'Could not be judged, for the same reason as gate data',
    );
    assert.deepEqual(
      [result.verdict, result.passed, gateOf(report, 'metric:auc').verdict],
      ['error', false, 'error'],
    );
    return result;
  }
  const changed = (change: (row: Row, i: number) => Partial<Row>): Promise<string> =>
    site.putRows(makeRows(200).map((row, i) => ({ ...row, ...change(row, i) })));

  const cases: readonly (readonly [string, () => Promise<GateResult>, RegExp])[] = [
    ['no rows', async () => dataGate(await site.putRows([])), /has no rows/],
    [
      'one class only',
      async () => dataGate(await changed(() => ({ employed: 1 }))),
      /Column employed \(the label\) has one class only: no row has 0, of 0, 1/,
    ],
    [
      'a null label',
      async () => dataGate(await changed((_, i) => (i === 41 ? { employed: null } : {}))),
      /Column employed \(the label\) is null in row 42/,
    ],
    [
      'a NaN label',
      async () => dataGate(await changed((_, i) => (i === 41 ? { employed: 'NaN' } : {}))),
      /Column employed \(the label\) is NaN in row 42/,
    ],
    [
      'an unknown label',
      async () => dataGate(await changed((_, i) => (i === 3 ? { employed: 2 } : {}))),
      /Column employed \(the label\) is 2 in row 4; prediction.classes has 0, 1/,
    ],
    [
      'a missing label column',
      async () => dataGate(await changed(() => ({})), { target: 'hired' }),
      /Column hired missing in the data set; it has x, employed, area/,
    ],
    [
      'a null input',
      async () => dataGate(await changed((row, i) => (i === 9 ? { x: [null, row.x[1]] } : {}))),
      /Column x is null, but not nullable, in row 10/,
    ],
    [
      'rows of another width',
      async () => dataGate(await changed((_, i) => (i === 9 ? { x: [1] as unknown as Row['x'] } : {}))),
      /Column x has 1 values in row 10; the manifest says 2/,
    ],
    [
      'nothing stored under the digest',
      () => dataGate('b'.repeat(64)),
      /The data set cannot be used: No artifact with digest b+/,
    ],
    [
      'no digest in the manifest',
      () => dataGate('', { dataDigest: null }),
      /names no stored data set; apply it again/,
    ],
    [
      'neither Parquet nor CSV',
      async () => dataGate(await site.put(Buffer.from([0, 1, 2, 255, 254, 0, 0, 9]))),
      /cannot be read as Parquet or CSV|missing in the data set/,
    ],
    [
      'a broken Parquet file',
      async () => dataGate(await site.put(Buffer.from('PAR1 and nothing more'))),
      /cannot be read as Parquet or CSV/,
    ],
  ];
  for (const [name, run, message] of cases) {
    it(`${name} is an error that says so`, async () => {
      assert.match((await run()).summary, message);
    });
  }

  it('a subgroup column that is missing, or has missing values', async () => {
    const gate: Gate = {
      kind: 'subgroup',
      column: 'region',
      measure: 'equal-opportunity',
      bound: 0.5,
      enforce: true,
      minRows: 20,
      smallGroups: { policy: 'report-only' },
      exceptions: [],
    };
    const missing = await site.run({ dataDigest: await changed(() => ({})), gates: [gate] });
    assert.match(gateOf(missing, 'data').summary, /Column region missing/);
    const some = await site.run({
      dataDigest: await site.putRows(
        makeRows(2000).map((row, i) => (i % 2 === 0 ? { ...row, area: null } : row)),
      ),
      gates: [{ ...gate, column: 'area' }],
    });
    const result = gateOf(some, 'subgroup:area:equal-opportunity');
    assert.match(result.summary, /against \(missing\).*n passed/);
  });

  const columns: Manifest['schema']['inputs'] = [
    { name: 'age', datatype: 'FP32', width: 1, nullable: true, min: 0, max: 99 },
    { name: 'code', datatype: 'INT64', width: 1, nullable: false, categories: [1, 2, 3] },
    { name: 'member', datatype: 'BOOL', width: 1, nullable: false },
    { name: 'zip', datatype: 'BYTES', width: 1, nullable: false },
    { name: 'p', datatype: 'FP64', width: 1, nullable: false },
  ];
  const overrides: Partial<Manifest> = {
    schema: {
      inputs: columns,
      outputs: columns.map(({ name, datatype }) => ({ name: `out_${name}`, datatype, width: 1 })),
    },
    prediction: { score: 'out_p', classes: ['no', 'yes'], threshold: 0.5 },
  };
  const candidate = identityModel(columns.map(({ name, datatype }) => ({ name, datatype, shape: ['N', 1] })));
  const csv = (change: (fields: string[], i: number) => void = () => undefined): Buffer => {
    const lines = Array.from({ length: 400 }, (_, i) => {
      const yes = i % 3 === 0;
      const fields = [
        i % 50 === 7 ? '' : String(i % 90),
        String(1 + (i % 3)),
        yes ? 'true' : 'false',
        `0${1000 + i}`,
        String(yes ? 0.6 + (i % 40) / 100 : (i % 70) / 100),
        yes ? 'yes' : 'no',
      ];
      change(fields, i);
      return fields.join(',');
    });
    return Buffer.from(`${['age,code,member,zip,p,answer', ...lines].join('\n')}\n`);
  };

  it('CSV, plain and packed, is read with the types of the manifest', async () => {
    for (const content of [csv(), gzipSync(csv())]) {
      const report = await site.run({
        dataDigest: await site.put(content),
        gates,
        candidate,
        overrides,
        validation: { target: 'answer' },
      });
      assert.deepEqual(
        [...new Set(Object.values(verdictsOf(report)))],
        ['passed'],
        JSON.stringify(report.gates),
      );
      assert.deepEqual(gateOf(report, 'data').detail, {
        rows: 400,
        rowsOfClass: { no: 266, yes: 134 },
        missing: { age: 8 },
        outside: {},
      });
    }
  });

  it('values outside the declared ranges and categories are counted', async () => {
    const content = csv((fields, i) => {
      if (i === 5) fields[0] = '120';
      if (i < 3) fields[1] = '9';
    });
    const report = await site.run({
      dataDigest: await site.put(content),
      candidate,
      overrides,
      validation: { target: 'answer' },
    });
    assert.deepEqual(gateOf(report, 'data').detail['outside'], { age: 1, code: 3 });
    assert.match(
      gateOf(report, 'data').summary,
      /outside the ranges or categories of the manifest: age 1, code 3/,
    );
  });

  const wrong: readonly (readonly [string, (fields: string[], i: number) => void, RegExp])[] = [
    ['text in a numeric column', (fields, i) => i === 8 && (fields[0] = 'old'), /cannot be read .*age/],
    [
      'a fraction in an INT64 column',
      (fields, i) => i === 8 && (fields[1] = '1.5'),
      /Column code is 1\.5, not a whole number up to 2\^53, in row 9/,
    ],
    [
      'a null that INT64 cannot say',
      (fields, i) => i === 8 && (fields[1] = ''),
      /Column code is null, but not nullable, in row 9/,
    ],
    [
      'an infinite input',
      (fields, i) => i === 8 && (fields[0] = 'inf'),
      /Column age is Infinity, not a finite number, in row 9/,
    ],
    [
      'a value too large for FP32',
      (fields, i) => i === 8 && (fields[0] = '1e39'),
      /Column age is 1e\+39, too large for FP32, in row 9/,
    ],
  ];
  for (const [name, change, message] of wrong) {
    it(`${name} names the column`, async () => {
      const report = await site.run({
        dataDigest: await site.put(csv(change)),
        candidate,
        overrides,
        validation: { target: 'answer' },
      });
      assert.equal(gateOf(report, 'data').verdict, 'error');
      assert.match(gateOf(report, 'data').summary, message);
    });
  }
});
