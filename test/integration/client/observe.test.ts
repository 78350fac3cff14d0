import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VersionRef } from '../../../src/contracts/model.js';
import { samplesOf } from '../../../src/platform/observations/collections.js';
import { type Ran, tenureHere } from '../../support/command.js';
import { GatewayBench, monitored, post, row } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { putProfile, smallProfile } from '../../support/profile.js';

describe('tenure labels', () => {
  const bench = new GatewayBench();
  let v1: VersionRef;

  before(async () => {
    await bench.open();
    const gateway = await bench.start({ observations: bench.observations() });
    v1 = await bench.version('v1', logisticModel([1, -1, 0.5]));
    await bench.route('m', { champion: v1, ...monitored() }, [gateway]);
    await bench.route('plain', { champion: v1 }, [gateway]);
    await putProfile(bench.db, 'm', v1, smallProfile(['x']));
    for (const id of ['a', 'b', 'c']) await post(gateway.url, 'm', { id, ...row(1, 0, 0) });
    await gateway.stop();
  });
  after(() => bench.close());

  const tenure = (...args: readonly string[]): Promise<Ran> =>
    tenureHere(args, {
      MONGODB_URI: bench.uri,
      TENURE_DATABASE: bench.db.databaseName,
      TENURE_HOME: bench.folder,
    });
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(bench.folder, name);
    await writeFile(path, text);
    return path;
  };

  it('joins a file, says what it did not take and why, and takes it again without effect', async () => {
    const lines = [
      { id: 'a', label: true, at: '2026-11-28T12:00:00+02:00' },
      { id: 'b', label: false, at: '2026-11-28T10:00:00Z' },
      { id: 'gone', label: false, at: '2026-11-28T10:00:00Z' },
    ].map((line) => JSON.stringify(line));
    const path = await file('labels.jsonl', lines.join('\n'));
    const first = await tenure('labels', path, '--model', 'm');
    assert.equal(first.code, 1);
    assert.match(first.stdout, /^joined: 2 of 3 labels to requests of m, 2 counted in windows/);
    assert.match(first.stdout, /refused: 1 unknown\n {2}row 3: No request gone is known/);
    const sample = await samplesOf(bench.db).findOne({ requestId: 'a' });
    assert.deepEqual([sample?.label, sample?.labelledAt?.toISOString()], [1, '2026-11-28T10:00:00.000Z']);
    const again = await tenure('labels', path, '--model', 'm', '--json');
    const { accepted, repeated } = JSON.parse(again.stdout) as { accepted: number; repeated: number };
    assert.deepEqual([accepted, repeated], [0, 2]);
  });

  it('takes columns of other names, and refuses what it cannot read, by column and row', async () => {
    const path = await file('late.csv', 'request,paid\nc,1\n');
    const named = ['--model', 'm', '--id-column', 'request', '--label-column', 'paid'];
    const taken = await tenure('labels', path, ...named);
    assert.deepEqual([taken.code, taken.stderr], [0, '']);
    const refusals: readonly (readonly [readonly string[], number, RegExp])[] = [
      [
        [path, '--model', 'm'],
        2,
        /The file has no column id \(--id-column names another\); it has request, paid/,
      ],
      [[path, ...named, '--row-column', 'r'], 2, /Column r is not in the file; it has request, paid/],
      [[path, ...named, '--at-column', 'paid'], 2, /Column paid has type BIGINT: times are needed/],
      [[await file('empty.csv', ''), '--model', 'm'], 2, /is an empty file/],
      [[join(bench.folder, 'none.csv'), '--model', 'm'], 2, /none\.csv does not exist/],
      [
        [await file('times.csv', 'id,label,at\nc,1,soon\n'), '--model', 'm'],
        2,
        /Column at is no time in row 1 of the file/,
      ],
      [[path, '--model', 'nothing'], 1, /Model nothing has no routing table/],
      [[path, '--model', 'plain'], 1, /Model plain is not monitored/],
    ];
    for (const [args, code, message] of refusals) {
      const ran = await tenure('labels', ...args);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, message);
    }
  });
});
