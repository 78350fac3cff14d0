import assert from 'node:assert/strict';
import type { InputColumn } from '../../../../src/activities/validation/columns.js';
import { withoutPersons } from '../../../../src/activities/validation/golden-personal.js';
import type { InputField } from '../../../../src/contracts/manifest.js';
import { seededRandom } from '../../../../src/statistics/metrics/random.js';

const ROWS = 1_000;
const rows = Array.from({ length: ROWS }, (_, i) => i);
const field = (name: string, datatype: InputField['datatype'], personal: boolean): InputField => ({
  name,
  datatype,
  width: 1,
  nullable: false,
  personal,
});

describe('golden rows of a model with personal inputs', () => {
  const column = (given: InputField, values: InputColumn['values']): InputColumn => ({
    field: given,
    values,
    missing: 0,
    outside: 0,
  });
  const income = Float64Array.from(rows, (i) => 1_000 + i * i + 0.125);
  const age = Float64Array.from(rows, (i) => 18 + (i % 60));
  const town = rows.map((i) => (i % 3 === 0 ? 'Bern' : i % 3 === 1 ? 'Biel' : `hamlet ${i}`));
  const amount = Float64Array.from(rows, (i) => i);
  const data = {
    rows: ROWS,
    labels: new Float64Array(ROWS),
    classRows: [],
    groups: new Map(),
    inputs: [
      column(field('income', 'FP64', true), income),
      column(field('age', 'INT64', true), age),
      column(field('town', 'BYTES', true), town),
      column(field('amount', 'FP64', false), amount),
    ],
  };
  const chosen = [0, 7, 500, 999];
  const shown = withoutPersons(data, Uint32Array.from(rows), chosen, seededRandom(1));
  const of = (name: string): (string | number)[] =>
    chosen.map((row) => shown.inputs.find((one) => one.field.name === name)!.values[row]!);

  it("hold no person's value, and are of the same kind", () => {
    assert.ok(of('income').every((value) => !income.includes(Number(value)) && Number(value) < 1_000_000));
    assert.ok(
      of('age').every((value) => Number.isInteger(value) && Number(value) >= 18 && Number(value) < 78),
    );
    assert.ok(of('town').every((value) => value === 'Bern' || value === 'Biel'));
    assert.deepEqual(of('amount'), chosen);
  });

  it('are the same for the same data, and the data stay as they are', () => {
    const again = withoutPersons(data, Uint32Array.from(rows), chosen, seededRandom(1));
    assert.deepEqual(again, shown);
    assert.equal(town[2], 'hamlet 2');
    const none = { ...data, inputs: data.inputs.slice(3) };
    assert.deepEqual(withoutPersons(none, Uint32Array.from(rows), chosen, seededRandom(1)), none);
  });

  it('use a code of many as it is, and of texts that nobody shares the most frequent', () => {
    const codes = {
      ...data,
      inputs: [
        column(
          field('code', 'FP32', true),
          Float64Array.from(rows, () => 16),
        ),
      ],
    };
    const [code] = withoutPersons(codes, Uint32Array.from(rows), [3], seededRandom(2)).inputs;
    assert.equal(code?.values[3], 16);
    const names = {
      ...data,
      inputs: [
        column(
          field('name', 'BYTES', true),
          rows.map((i) => `n${i % 999}`),
        ),
      ],
    };
    const [name] = withoutPersons(names, Uint32Array.from(rows), [3], seededRandom(2)).inputs;
    assert.equal(name?.values[3], 'n0');
  });
});
