import assert from 'node:assert/strict';
import {
  allDigests,
  judgeConfirmation,
  sendsNothing,
  servingDigests,
  Watch,
} from '../../../src/activities/traffic/confirmation.js';
import type { GatewayRecord, ObservedRoute } from '../../../src/contracts/routes.js';
import { desired } from '../../support/gateway.js';

const NOW = Date.parse('2026-01-31T12:00:00.000Z');
const D = 'd'.repeat(64);

const gateway = (
  silentSeconds: number,
  seen: Partial<ObservedRoute> | null,
  status: GatewayRecord['status'] = 'serving',
): GatewayRecord => ({
  gateway: 'g',
  boot: 'b',
  url: 'http://127.0.0.1:9',
  startedAt: '2026-01-31T11:00:00.000Z',
  seenAt: new Date(NOW - silentSeconds * 1_000).toISOString(),
  status,
  observed: seen === null ? {} : { m: { generation: 5, ready: [D], failed: [], trips: [], ...seen } },
});

function verdict(record: GatewayRecord, watched = 3): string {
  const judged = judgeConfirmation({
    model: 'm',
    generation: 5,
    digests: [D],
    gateways: [record],
    now: NOW,
    silentSeconds: 17,
    watchedSeconds: () => watched,
  });
  const { confirmed, waiting, unreachable, failed } = judged;
  return [
    confirmed.length > 0 && 'confirmed',
    waiting.length > 0 && 'waiting',
    unreachable.length > 0 && 'unreachable',
    failed.length > 0 && 'failed',
  ]
    .filter(Boolean)
    .join();
}

describe('confirmation by gateways', () => {
  it('needs the generation and every digest ready', () => {
    assert.equal(verdict(gateway(1, {})), 'confirmed');
    assert.equal(verdict(gateway(1, { generation: 6 })), 'confirmed');
    assert.equal(verdict(gateway(1, { generation: 4 })), 'waiting');
    assert.equal(verdict(gateway(1, { ready: [] })), 'waiting');
    assert.equal(verdict(gateway(1, null)), 'waiting');
  });

  it('counts out the silent only when lease and margin are over', () => {
    assert.equal(verdict(gateway(17, { generation: 4 })), 'waiting');
    assert.equal(verdict(gateway(17.001, { generation: 4 })), 'unreachable');
    assert.equal(verdict(gateway(3_600, { generation: 5 })), 'unreachable');
    assert.equal(verdict(gateway(-5, {})), 'confirmed');
  });

  it('does not believe a clock alone, which can be set: it looks for as long as one who lives needs to be heard of', () => {
    assert.equal(verdict(gateway(3_600, { generation: 4 }), 2.9), 'waiting');
    assert.equal(verdict(gateway(3_600, { generation: 4 }), 3), 'unreachable');
    // Set back: everybody seems to have been heard of a moment ago, or will be.
    assert.equal(verdict(gateway(-3_600, { generation: 4 }), 17), 'waiting');
    assert.equal(verdict(gateway(-3_600, { generation: 4 }), 17.001), 'unreachable');
  });

  it('watches only what it has seen: from the first answer to the last question, of the same word', () => {
    const watch = new Watch();
    const silent = gateway(60, {});
    watch.see([silent], 0, 1_000);
    assert.equal(watch.seconds('g'), 0);
    // The watcher itself may be stopped between question and answer: what it did not see does not count.
    watch.see([silent], 3_000, 90_000);
    assert.equal(watch.seconds('g'), 2);
    watch.see([silent], 91_000, 92_000);
    assert.equal(watch.seconds('g'), 90);
    watch.see([{ ...silent, seenAt: new Date(NOW).toISOString() }], 93_000, 94_000);
    assert.equal(watch.seconds('g'), 0);
    assert.equal(watch.seconds('never seen'), 0);
  });

  it('hears of versions that cannot be loaded only where they matter, and only of this generation', () => {
    const failed = [{ digest: D, reason: 'broken' }];
    assert.equal(verdict(gateway(1, { ready: [], failed })), 'failed');
    assert.equal(verdict(gateway(1, { generation: 4, ready: [], failed })), 'waiting');
    assert.equal(verdict(gateway(1, { failed: [{ digest: 'e'.repeat(64), reason: 'old' }] })), 'confirmed');
  });

  it('does not ask gateways that have left', () => {
    assert.equal(verdict(gateway(1, { generation: 4 }, 'stopped')), '');
    assert.equal(verdict(gateway(1, { generation: 4 }, 'retired')), '');
  });

  it('knows which versions a route needs', () => {
    const v = (n: string) => ({ version: `v${n}`, digest: n.repeat(64) });
    const route = desired({ champion: v('1'), candidate: { ...v('2'), weight: 0 }, warm: [v('3'), v('1')] });
    assert.deepEqual(servingDigests(route), ['1'.repeat(64), '2'.repeat(64)]);
    assert.deepEqual(allDigests(route), ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)]);
    assert.equal(sendsNothing(route), false);
    assert.equal(sendsNothing(desired({ warm: [v('3')] })), true);
  });
});
