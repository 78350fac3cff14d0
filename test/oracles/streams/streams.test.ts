/** The stream detectors against river's, index by index. See reference.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Adwin } from '../../../src/statistics/streams/adwin.js';
import { Ddm } from '../../../src/statistics/streams/ddm.js';
import type { StreamDetector } from '../../../src/statistics/streams/detector.js';
import { HddmA, HddmW } from '../../../src/statistics/streams/hddm.js';
import { PageHinkley } from '../../../src/statistics/streams/page-hinkley.js';

const reference = JSON.parse(readFileSync(new URL('reference.json', import.meta.url), 'utf8')) as {
  readonly streams: Readonly<
    Record<
      string,
      {
        readonly values: string | readonly number[];
        readonly changes: Readonly<Record<string, readonly number[]>>;
      }
    >
  >;
};

const DETECTORS: Readonly<Record<string, () => StreamDetector>> = {
  ADWIN: () => new Adwin(),
  'ADWIN, clock 1': () => new Adwin({ clock: 1 }),
  'Page-Hinkley': () => new PageHinkley(),
  'Page-Hinkley, threshold 20': () => new PageHinkley({ threshold: 20 }),
  DDM: () => new Ddm(),
  HDDM_A: () => new HddmA(),
  'HDDM_A, two-sided': () => new HddmA({ twoSided: true }),
  HDDM_W: () => new HddmW(),
  'HDDM_W, two-sided': () => new HddmW({ twoSided: true }),
};

describe('stream detectors see the changes that river 0.23.0 sees', () => {
  for (const [stream, { values, changes }] of Object.entries(reference.streams)) {
    const numbers = typeof values === 'string' ? Array.from(values, Number) : values;
    for (const [name, expected] of Object.entries(changes)) {
      it(`${name} in ${stream}: ${expected.length} changes`, () => {
        const detector = DETECTORS[name]!();
        const found = numbers.flatMap((value, index) => (detector.update(value) === 'change' ? [index] : []));
        assert.deepEqual(found, expected);
      });
    }
  }
});
