import assert from 'node:assert/strict';
import { age, categories, inputNames } from '../../../examples/employment/columns.js';
import { readTable, years } from '../../../examples/employment/data.js';
import type { Part, Table } from '../../../examples/employment/data.js';
import { readRows } from '../../../examples/employment/rows.js';
import type { RequestRow } from '../../../examples/employment/rows.js';

async function take(rows: AsyncIterable<RequestRow>): Promise<RequestRow[]> {
  const result: RequestRow[] = [];
  for await (const row of rows) result.push(row);
  return result;
}

describe('employment data', () => {
  const tables = new Map<Part, Table>();
  const table = (part: Part): Table => tables.get(part) as Table;

  before(async () => {
    for (const part of ['train', 'validation', ...years] as const) tables.set(part, await readTable(part));
  });

  it('has every row of the source, each in one part', () => {
    assert.equal(table('train').rows + table('validation').rows, 68_785);
    assert.equal(table(2016).rows + table(2017).rows + table(2018).rows, 208_892);
    const ids = new Set([...tables.values()].flatMap((each) => [...each.ids]));
    assert.equal(ids.size, 68_785 + 208_892);
  });

  it('keeps to the codes that the columns name', () => {
    for (const [part, { columns, labels }] of tables) {
      for (const { name, from = 0, to } of [age, ...categories]) {
        const outside = columns.get(name)?.find((value) => value < from || value > to);
        assert.equal(outside, undefined, `${name} of ${part}`);
      }
      assert.deepEqual(new Set(labels), new Set([0, 1]));
    }
  });

  it('has the rare groups of RAC1P among the validation rows', () => {
    const groups = [...(table('validation').columns.get('RAC1P') ?? [])];
    assert.equal(groups.filter((group) => group === 4).length, 1);
    assert.equal(groups.filter((group) => group === 7).length, 4);
  });

  it('knows the age of 95 only from 2017', () => {
    const oldest = [...tables].map(([part, { columns }]) => [part, Math.max(...(columns.get('AGEP') ?? []))]);
    assert.deepEqual(Object.fromEntries(oldest), { train: 94, validation: 94, 2016: 94, 2017: 95, 2018: 95 });
  });

  it('turns rows into inference requests, in the order of the file', async () => {
    const rows = await take(readRows({ year: 2017, limit: 3_000 }));
    const { columns, ids, labels } = table(2017);
    assert.equal(rows.length, 3_000);
    rows.forEach(({ routingKey, body, label }, row) => {
      assert.equal(routingKey, `person-${ids[row]}`);
      assert.equal(label, labels[row]);
      assert.deepEqual(
        body.inputs.map(({ name, data }) => [name, data[0]]),
        inputNames.map((name) => [name, columns.get(name)?.[row]]),
      );
    });
    assert.deepEqual(rows[0]?.body.inputs[0], {
      name: 'AGEP',
      shape: [1, 1],
      datatype: 'FP32',
      data: [columns.get('AGEP')?.[0]],
    });
    assert.equal(rows[0]?.body.inputs[1]?.datatype, 'INT64');
  });

  it('takes up a year where it was left', async () => {
    const all = await take(readRows({ year: 2018, limit: 25 }));
    const rest = await take(readRows({ year: 2018, offset: 10, limit: 15 }));
    assert.deepEqual(rest, all.slice(10));
    assert.equal((await take(readRows({ year: 2018, offset: 70_130 }))).length, 1);
    assert.equal((await take(readRows({ year: 2018, limit: 0 }))).length, 0);
  });

  it('refuses a selection that is no whole number', async () => {
    await assert.rejects(
      take(readRows({ year: 2016, limit: -1 })),
      /limit is -1, expected a whole number from 0/,
    );
    await assert.rejects(take(readRows({ year: 2016, offset: 0.5 })), /offset is 0\.5/);
  });
});
