import assert from 'node:assert/strict';
import type { FailPoint } from '../../../src/fail-points/effects.js';
import type { FailPlan } from '../../../src/fail-points/plan.js';
import { build, type Built } from '../../support/built.js';
import { Lane } from '../../support/chaos/lane.js';
import { ABORTED_AT, KINDS } from '../../support/chaos/kinds.js';
import { pointsOf } from '../../support/chaos/points.js';
import { marksIn, Troupe } from '../../support/chaos/troupe.js';
import { scale } from '../../support/scale.js';
import { getTestStack } from '../../support/stack.js';

/** Side by side: most of the time after a kill is spent waiting for a heartbeat that does not come. */
const LANES = 4;
const MODELS = 2;

/** Those that only a MongoDB that is away brings about: see servers.test.ts. */
const ELSEWHERE = /^spool\./;

/** Points that a process passes at its start are to be met in mid-work. */
const LATER: Readonly<Record<string, number>> = { 'gateway.report': 8, 'windows.insert': 2, 'slot.load': 4 };

/**
 * Between two effects a process does nothing that others see: killed before one, it leaves what it leaves when it is killed after the one
 * before. Both in long runs, after each in all.
 */
const isWanted = (point: FailPoint): boolean =>
  !ELSEWHERE.test(point) && (scale(0, 1) === 1 || point.endsWith('.after'));

const WANTED = {
  worker: pointsOf('worker').filter(isWanted),
  gateway: pointsOf('gateway').filter(isWanted),
};

const hitOf = (point: FailPoint): number => LATER[point.replace(/\.(before|after)$/, '')] ?? 1;

describe('worker and gateway killed at each of their effects', function () {
  this.timeout(scale(600_000, 900_000));
  let built: Built;
  const play = new AbortController();
  const lanes: Lane[] = [];
  const troupes: Troupe[] = [];

  before('build', async () => {
    built = await build();
  });
  after(async () => {
    play.abort(new Error('The test is over'));
    await Promise.all(lanes.map((lane) => lane.close()));
    await built?.remove();
  });

  /** Of the lane's share those at which nobody has died yet: the next life dies at the first of them that it comes to. */
  const left = (share: readonly FailPoint[], marks: string): readonly FailPlan[] => {
    const done = new Set(marksIn(marks).map(({ point }) => point));
    return share
      .filter((point) => !done.has(point))
      .map((point) => ({ point, hit: hitOf(point), action: 'kill' }));
  };

  it('end every release as it should: one end, routes, ledger, each act once, every user answered', async () => {
    const servers = await getTestStack();
    const shares = Array.from({ length: LANES }, (_, lane) => ({
      worker: WANTED.worker.filter((_point, i) => i % LANES === lane),
      gateway: WANTED.gateway.filter((_point, i) => i % LANES === lane),
    }));
    await Promise.all(
      shares.map(async ({ worker, gateway }, i) => {
        const lane = await Lane.open({
          name: `kills-${i}`,
          servers,
          built,
          gateways: 1,
          play,
          plans: (process, marks) => left(process === 'worker' ? worker : gateway, marks),
        });
        lanes.push(lane);
        const troupe = new Troupe(
          lane,
          Array.from({ length: MODELS }, (_, model) => `kills-${i}-${model}`),
          { rate: 8, abortAt: (n) => ABORTED_AT[n % ABORTED_AT.length]! },
        );
        troupes.push(troupe);
        // Each model at another kind, so that every effect is had soon.
        await troupe.play(
          (driver, n) => KINDS[(n + 1 + troupe.drivers.indexOf(driver)) % KINDS.length]!,
          () => left([...worker, ...gateway], lane.marksFolder).length === 0,
        );
      }),
    );
    const violations = (await Promise.all(troupes.map((troupe) => troupe.judge()))).flat();
    const said = lanes.map((lane) => lane.said(20)).join('\n');
    assert.deepEqual(violations, [], said);
    const killed = new Set(
      (await Promise.all(lanes.map((lane) => lane.marks()))).flat().map(({ point }) => point),
    );
    assert.deepEqual([...killed].sort(), [...WANTED.worker, ...WANTED.gateway].sort());
  });
});
