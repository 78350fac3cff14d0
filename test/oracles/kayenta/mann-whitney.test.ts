import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { rankZ, shiftInterval } from '../../../bench/peers/kayenta/mann-whitney.js';

interface Case {
  readonly name: string;
  readonly canary: readonly number[];
  readonly baseline: readonly number[];
  readonly z: number;
  readonly low: number;
  readonly high: number;
  readonly estimate: number;
}

const { confidence, cases } = JSON.parse(
  await readFile(new URL('reference.json', import.meta.url), 'utf8'),
) as { readonly confidence: number; readonly cases: readonly Case[] };

const near = (actual: number, expected: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${what}: ${actual}`);

describe('the interval that Kayenta decides by, against scipy', () => {
  for (const { name, canary, baseline, ...expected } of cases)
    it(name, () => {
      near(rankZ(canary, baseline), expected.z, 'z');
      const interval = shiftInterval(canary, baseline, confidence);
      near(interval.low, expected.low, 'low');
      near(interval.high, expected.high, 'high');
      near(interval.estimate, expected.estimate, 'estimate');
    });
});
