import { strict as assert } from 'node:assert';
import { reportScope } from '../../../src/client/report-scope.js';

const NOW = Date.parse('2026-11-28T12:00:00.000Z');

describe('report: what is asked for', () => {
  const cases: readonly (readonly [
    since: string | undefined,
    until: string | undefined,
    from: string,
    to: string,
  ])[] = [
    [undefined, undefined, '2026-10-29T12:00:00.000Z', '2026-11-28T12:00:00.000Z'],
    ['7d', undefined, '2026-11-21T12:00:00.000Z', '2026-11-28T12:00:00.000Z'],
    ['2026-11-01', '2026-11-02', '2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z'],
    ['12h', '2026-11-02T10:00+02:00', '2026-11-01T20:00:00.000Z', '2026-11-02T08:00:00.000Z'],
    ['2026-11-01', '1d', '2026-11-01T00:00:00.000Z', '2026-11-27T12:00:00.000Z'],
  ];
  for (const [since, until, from, to] of cases)
    it(`from ${since ?? 'nothing'} to ${until ?? 'nothing'}`, () => {
      const asked = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
      assert.deepEqual(reportScope(asked, NOW), { since: from, until: to, model: null, team: null });
    });

  const wrong: readonly (readonly [asked: Parameters<typeof reportScope>[0], message: RegExp])[] = [
    [{ since: 'yesterday' }, /^--since is "yesterday": a date like 2026-11-01 \(midnight UTC\)/],
    [{ until: '2026-11-01T12:00' }, /^--until is "2026-11-01T12:00"/],
    [{ until: '2026-02-31x' }, /^--until is /],
    [{ until: '2027-01-01' }, /^--until is 2027-01-01T00:00:00.000Z: it must not be in the future/],
    [{ since: '2026-11-02', until: '2026-11-02' }, /it must be before --until/],
    [{ since: '1900-01-01' }, /at most 3660 days/],
  ];
  for (const [asked, message] of wrong)
    it(`refuses ${JSON.stringify(asked)}`, () => {
      assert.throws(() => reportScope(asked, NOW), { code: 'invalid', message });
    });
});
