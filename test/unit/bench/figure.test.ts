import assert from 'node:assert/strict';
import { type Bench, NotMeasurable } from '../../../bench/bench.js';
import { BENCHES, choose } from '../../../bench/benches.js';
import { type Aim, cells, figure, jsonLine, notMeasurable } from '../../../bench/figure.js';
import { compare, median, quantile, sideBySide } from '../../../bench/support/rounds.js';
import { runBench } from '../../../bench/support/session.js';
import { loadConfig } from '../../../src/config.js';

const AT_LEAST: Aim = { of: 'ratio', at: 'least', bound: 0.8 };

describe('Figures of the benches', () => {
  it('prints the line that the issue asks for, and nothing else', () => {
    const seen = figure({
      name: 'a',
      unit: 'requests/s',
      ours: 1234.567,
      theirs: 1000,
      aim: AT_LEAST,
      note: 'n',
    });
    assert.equal(
      jsonLine(seen),
      '{"name":"a","ours":1235,"theirs":1000,"unit":"requests/s","ratio":1.235,"aim":"ratio at least 0.8","holds":true}',
    );
    assert.equal(
      jsonLine(notMeasurable('b', 'there is no Python')),
      '{"name":"b","ours":null,"theirs":null,"unit":"","ratio":null,"aim":null,"holds":null}',
    );
  });

  it('compares with the aim in its direction, at the bound too', () => {
    const holds = (ours: number, aim: Aim) => figure({ name: 'a', unit: 's', ours, theirs: 10, aim }).holds;
    assert.deepEqual([holds(8, AT_LEAST), holds(7.99, AT_LEAST)], [true, false]);
    const atMost: Aim = { of: 'ratio', at: 'most', bound: 2 };
    assert.deepEqual([holds(20, atMost), holds(20.1, atMost)], [true, false]);
    const seconds: Aim = { of: 'ours', at: 'most', bound: 10 };
    assert.deepEqual([holds(10, seconds), holds(10.1, seconds)], [true, false]);
    assert.equal(holds(Number.NaN, seconds), false);
    assert.equal(figure({ name: 'a', unit: 's', ours: 1, aim: seconds }).aim, 'at most 10 s');
  });

  it('takes the ratio that was measured round by round', () => {
    const seen = figure({ name: 'a', unit: 's', ours: 8, theirs: 10, ratio: 0.75, aim: AT_LEAST });
    assert.deepEqual([seen.ratio, seen.holds], [0.75, false]);
  });

  it('has no ratio and no verdict where there is nothing to compare or no aim', () => {
    const { theirs, ratio, aim, holds } = figure({ name: 'a', unit: 's', ours: 1 });
    assert.deepEqual([theirs, ratio, aim, holds], [null, null, null, null]);
    assert.throws(() => figure({ name: 'a', unit: 's', ours: 1, aim: AT_LEAST }), /nothing to compare with/);
  });

  it('says in words what is not met', () => {
    const seen = figure({ name: 'a', unit: 's', ours: 12_345.6, theirs: 20_000, aim: AT_LEAST });
    assert.deepEqual(cells(seen), ['a', '12,346', '20,000', 's', '0.617', 'ratio at least 0.8', 'NOT MET']);
  });
});

describe('Rounds of the benches', () => {
  it('throws the first round away, lets each go first in turn and takes the median of the ratios', async () => {
    const order: string[] = [];
    const values = { ours: [99, 1, 4, 3], theirs: [1, 2, 2, 1] };
    const next = (who: 'ours' | 'theirs') => () => {
      order.push(who);
      return Promise.resolve(values[who].shift() ?? Number.NaN);
    };
    const seen = await sideBySide({ rounds: 3, ours: next('ours'), theirs: next('theirs') });
    assert.deepEqual(seen, { ours: 3, theirs: 2, ratio: 2, ratios: [0.5, 2, 3] });
    assert.deepEqual(order, ['ours', 'theirs', 'theirs', 'ours', 'ours', 'theirs', 'theirs', 'ours']);
  });

  it('has medians and quantiles by rank', () => {
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.deepEqual([quantile(hundred, 0.99), quantile(hundred, 0.5), quantile([7], 0.99)], [99, 50, 7]);
    assert.throws(() => median([]), /no median/);
    assert.throws(() => quantile([], 0.5), /no quantile/);
    assert.throws(() => compare([]), /no median/);
  });
});

describe('Choosing benches', () => {
  const bench = (name: string, ...figures: string[]): Bench => ({
    name,
    what: name,
    figures,
    run: () => Promise.resolve([]),
  });
  const all = [
    bench('gateway-load', 'gateway-p99', 'gateway-throughput'),
    bench('ledger-append', 'ledger-append'),
  ];
  const chosen = (...names: string[]) => choose(all, names).flatMap(({ figures }) => figures);

  it('takes all without a name, a group by its beginning, a figure or a bench by its name', () => {
    assert.deepEqual(chosen(), ['gateway-p99', 'gateway-throughput', 'ledger-append']);
    assert.deepEqual(chosen('gateway'), ['gateway-p99', 'gateway-throughput']);
    assert.deepEqual(chosen('gateway-p99'), ['gateway-p99']);
    assert.deepEqual(chosen('gateway-load', 'ledger'), [
      'gateway-p99',
      'gateway-throughput',
      'ledger-append',
    ]);
  });

  it('takes a whole name as itself alone', () => {
    const two = [bench('stack', 'stack', 'stack-memory')];
    assert.deepEqual(
      choose(two, ['stack-memory']).map(({ figures }) => figures),
      [['stack-memory']],
    );
    assert.deepEqual(
      choose(two, ['stack']).map(({ figures }) => figures),
      [['stack']],
    );
  });

  it('refuses a name that fits nothing, and says what is allowed', () => {
    assert.throws(
      () => chosen('gatway'),
      /--only is "gatway": no figure begins with it; allowed are gateway-p99, /,
    );
  });

  it('has names that are unique and begin with a group that the issue names', () => {
    const names = BENCHES.flatMap(({ figures }) => figures);
    assert.equal(new Set(names).size, names.length);
    for (const name of names)
      assert.match(name, /^(gateway|ledger|release|canary|stack|fleet|detect|profile|windows)-[a-z0-9-]+$/);
  });
});

describe('Running a bench', () => {
  const settings = { config: loadConfig({}), profiles: null, say: () => {} };
  const only = { name: 'a', what: 'a', figures: ['a'] };

  it('ends what was started, the last first, also when it fails', async () => {
    const ended: string[] = [];
    const failing: Bench = {
      ...only,
      run: ({ defer }) => {
        defer(() => ended.push('first'));
        defer(() => ended.push('second'));
        return Promise.reject(new Error('It broke'));
      },
    };
    await assert.rejects(runBench(failing, settings), /It broke/);
    assert.deepEqual(ended, ['second', 'first']);
  });

  it('gives figures that say why they cannot be measured', async () => {
    const lacking: Bench = { ...only, run: () => Promise.reject(new NotMeasurable('python3 is not there')) };
    assert.deepEqual(await runBench(lacking, settings), [notMeasurable('a', 'python3 is not there')]);
  });

  it('refuses figures other than those named', async () => {
    const wrong: Bench = { ...only, run: () => Promise.resolve([figure({ name: 'b', unit: 's', ours: 1 })]) };
    await assert.rejects(runBench(wrong, settings), /a gave the figures b, not a/);
  });
});
