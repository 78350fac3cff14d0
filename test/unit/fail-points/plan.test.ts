import assert from 'node:assert/strict';
import { loadConfig } from '../../../src/config.js';
import { FAIL_POINTS } from '../../../src/fail-points/effects.js';
import { failPlanText, markName, parseFailPlans, parseMark } from '../../../src/fail-points/plan.js';
import { effect, setHook } from '../../../src/fail-points/reach.js';

const SETTINGS = {
  TENURE_FAIL_POINT: 'ledger.insert.after:2',
  TENURE_FAIL_FOLDER: '/tmp/marks',
  TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
};

describe('fail points', () => {
  afterEach(() => setHook(null));

  it('are read from one text, by default the first hit and a kill', () => {
    assert.deepEqual(parseFailPlans('routes.set.before, ledger.insert.after:3=pause'), [
      { point: 'routes.set.before', hit: 1, action: 'kill' },
      { point: 'ledger.insert.after', hit: 3, action: 'pause' },
    ]);
  });

  it('come out as they went in, as settings and as marks', () => {
    for (const point of FAIL_POINTS)
      for (const action of ['kill', 'pause', 'slow-250', 'fail-ENOSPC'] as const) {
        const plan = { point, hit: 7, action };
        assert.deepEqual(parseFailPlans(failPlanText(plan)), [plan]);
        assert.deepEqual(parseMark(markName({ ...plan, pid: 41 })), { ...plan, pid: 41 });
      }
    assert.equal(parseMark('.DS_Store'), null);
  });

  for (const wrong of [
    '',
    'ledger.insert',
    'nowhere.before',
    'routes.set.before:0',
    'routes.set.after=wait',
    'routes.set.after=slow',
    'routes.set.after=fail-x',
  ])
    it(`refuse ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => parseFailPlans(wrong), /name\[:hit\]/);
    });

  it('are armed only by a process that was told twice, and told where to leave its marks', () => {
    assert.equal(loadConfig({}).failPoints, null);
    assert.equal(loadConfig({ TENURE_FAIL_POINTS_ALLOWED: 'this is a test' }).failPoints, null);
    const { TENURE_FAIL_POINTS_ALLOWED: _, ...once } = SETTINGS;
    assert.throws(() => loadConfig(once), /refused unless TENURE_FAIL_POINTS_ALLOWED is "this is a test"/);
    assert.throws(() => loadConfig({ ...SETTINGS, TENURE_FAIL_POINTS_ALLOWED: 'yes' }), /refused unless/);
    assert.throws(() => loadConfig({ ...SETTINGS, TENURE_FAIL_FOLDER: '' }), /TENURE_FAIL_FOLDER/);
    assert.throws(() => loadConfig({ ...SETTINGS, TENURE_FAIL_POINT: 'x' }), /TENURE_FAIL_POINT: "x" is not/);
    assert.deepEqual(loadConfig(SETTINGS).failPoints, {
      plans: [{ point: 'ledger.insert.after', hit: 2, action: 'kill' }],
      folder: '/tmp/marks',
    });
  });

  it('are on both sides of an effect, and cost nothing unarmed', async () => {
    const reached: string[] = [];
    const act = async (): Promise<string> => {
      reached.push('act');
      return 'done';
    };
    assert.equal(await effect('routes.set', act), 'done');
    setHook(async (point) => void reached.push(point));
    assert.equal(await effect('routes.set', act), 'done');
    assert.deepEqual(reached, ['act', 'routes.set.before', 'act', 'routes.set.after']);
  });

  it('behind an effect that threw are not reached', async () => {
    const reached: string[] = [];
    setHook(async (point) => void reached.push(point));
    await assert.rejects(
      effect('routes.set', () => Promise.reject(new Error('stale'))),
      /stale/,
    );
    assert.deepEqual(reached, ['routes.set.before']);
  });
});
