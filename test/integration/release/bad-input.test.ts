import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listVersions, registerFile } from '../../../src/client/models.js';
import type { RoutingTable } from '../../../src/contracts/routes.js';
import { until } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { labelledRows, MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';

const MODEL = 'refusing';

describe('releases of what is wrong', function () {
  this.timeout(60_000);
  const stage = useReleaseStage();
  let traffic: Traffic;
  let table: RoutingTable;

  before('a model with a first version in production', async function () {
    this.timeout(90_000);
    traffic = await stage().model(MODEL, {}, { rate: 50 });
    traffic.resume();
    table = await stage().table(MODEL);
  });
  /** Nothing half done: the same table, every request answered, the record whole. */
  afterEach(async () => {
    assert.deepEqual(await stage().table(MODEL), table);
    allAnswered(traffic);
    await stage().record(MODEL);
  });
  after(() => traffic?.stop());

  const summary = (release: number) =>
    until('the summary of a release', async () => {
      const { releases } = await stage().tenure.model(MODEL);
      return releases.find((known) => known.release === release && known.endedAt !== null);
    });
  const versions = async (): Promise<readonly string[]> =>
    (await listVersions(stage().session, MODEL)).map(({ version }) => version);
  const refused = async (act: () => Promise<unknown>, reason: RegExp): Promise<void> => {
    await assert.rejects(act, (error: Error & { code?: string }) => {
      assert.deepEqual([error.code, reason.test(error.message)], ['refused', true], error.message);
      return true;
    });
  };

  it('are refused for a version that is not known, and for the one in production', async () => {
    const { tenure } = stage();
    const before = await tenure.model(MODEL);
    await refused(() => tenure.submitRelease(MODEL, 'v99'), /version v99 of refusing is not registered/);
    await refused(() => tenure.submitRelease(MODEL, 'v1'), /version v1 is already in production/);
    const { releases, queue } = await tenure.model(MODEL);
    assert.deepEqual([releases, queue], [before.releases, []]);
    const refusals = (await stage().record(MODEL)).filter(({ event }) => /refused/.test(event.action));
    assert.equal(refusals.length, 2, JSON.stringify(refusals.map(({ sentence }) => sentence)));
  });

  it('do not begin: an artifact that is not its digest, does not load or has other inputs is not registered', async () => {
    const at = stage();
    const { tenure, session } = at;
    const file = join(at.folder, 'some.onnx');
    await writeFile(file, MODELS.v2);
    const other = 'a'.repeat(64);
    await refused(
      () => registerFile(session, MODEL, 'v2', file, { digest: other }),
      /has digest [0-9a-f]{64}, not a{64}/,
    );
    await refused(() => tenure.registerVersion(MODEL, { version: 'v2', digest: other }), /a{64}/);
    const damaged = await at.put(logisticModel([0.61]));
    const path = await session.artifacts().pathOf(damaged);
    await chmod(path, 0o600);
    await writeFile(path, 'something else');
    await refused(() => tenure.registerVersion(MODEL, { version: 'v2', digest: damaged }), /digest|bytes/);
    const noModel = await at.put('this is no ONNX file');
    await refused(() => tenure.registerVersion(MODEL, { version: 'v2', digest: noModel }), /load/);
    const wide = await at.put(logisticModel([1, 2, 3]));
    await refused(() => tenure.registerVersion(MODEL, { version: 'v2', digest: wide }), /input x/);
    assert.deepEqual(await versions(), ['v1']);
  });

  it('end rejected where the data set cannot be used: the gates say error', async () => {
    const at = stage();
    const good = labelledRows();
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['no-column', good.replace('x,employed', 'x,other'), /Column employed missing/],
      ['no-rows', labelledRows(() => null), /has no rows/],
      ['one-class', labelledRows((x) => [x, 1]), /one class only/],
      ['nan-label', labelledRows((x, employed) => [x, x === 9 ? 'NaN' : employed]), /Column employed .* NaN/],
    ];
    for (const [i, [version, rows, reason]] of cases.entries()) {
      await at.apply(MODEL, {}, await at.put(rows));
      const release = await at.submit(MODEL, version, logisticModel([0.5 + i / 100], -2.25));
      const view = await at.ends(MODEL, release, 'rejected');
      const gate = view.validation?.gates.find((result) => result.gate === 'data');
      assert.deepEqual([gate?.verdict, reason.test(gate?.summary ?? '')], ['error', true], gate?.summary);
      const metric = view.validation?.gates.find((result) => result.gate === 'metric:auc');
      assert.deepEqual([metric?.verdict, metric?.passed], ['error', false]);
    }
  });

  it('are queued when one is in flight, and start when it has ended', async () => {
    const at = stage();
    const { tenure } = at;
    await at.register(MODEL, 'first', logisticModel([0.7]));
    await at.register(MODEL, 'second', logisticModel([0.8]));
    const first = await tenure.submitRelease(MODEL, 'first');
    const second = await tenure.submitRelease(MODEL, 'second');
    assert.deepEqual([first.queued, second.queued], [false, true]);
    await refused(() => tenure.submitRelease(MODEL, 'second'), /already in release/);
    const { endedAt } = await tenure.outcome(MODEL, first.release).then(() => summary(first.release));
    await at.ends(MODEL, second.release, 'rejected');
    const started = (await at.record(MODEL)).find(
      ({ event }) => event.action === 'release.validated' && event.subject['release'] === second.release,
    );
    assert.ok(endedAt !== null && (started?.at ?? '') > endedAt, `${started?.at} is not after ${endedAt}`);
    const { inFlight, queue, champion } = await tenure.model(MODEL);
    assert.deepEqual([inFlight, queue, champion?.version], [null, [], 'v1']);
  });

  it('take no decision after their end', async () => {
    const { tenure } = stage();
    const decision = { decision: 'approve', approver: 'eve', reason: 'late' } as const;
    await refused(
      () => tenure.decide(MODEL, 1, decision),
      /release 1 of refusing is over: it ended succeeded/,
    );
    await refused(() => tenure.signalDecision(MODEL, 1, decision), /is over/);
    await assert.rejects(() => tenure.abort(MODEL, 1, { reason: 'late' }), /is over/);
    await assert.rejects(() => tenure.release(MODEL, 99), /release 99 of refusing is not known/);
  });
});
