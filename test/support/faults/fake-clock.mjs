/**
 * A fake clock for one process, loaded before its module (`--import`): real clocks cannot be set for one process alone. Steered by
 * the file in TENURE_TEST_FAKE_CLOCK, JSON: `offsetMs` is added to what Date says; `rate` makes all time pass so many times as
 * fast, for Date, performance.now and timers.
 */
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import promises from 'node:timers/promises';

const file = process.env.TENURE_TEST_FAKE_CLOCK;
const RealDate = globalThis.Date;
const realNow = performance.now.bind(performance);
const realInterval = timers.setInterval;
const epoch = RealDate.now() - realNow();

/** Those of the process, with the time that they were given; there are few. */
const intervals = new Map();
let rate = 1;
let offsetMs = 0;
/** Where the present rate began, in real and in fake steady time. */
let real = realNow();
let fake = real;
const steady = () => fake + (realNow() - real) * rate;
const now = () => Math.round(epoch + steady() + offsetMs);

function read() {
  try {
    const said = JSON.parse(readFileSync(file, 'utf8'));
    fake = steady();
    real = realNow();
    rate = said.rate ?? 1;
    offsetMs = said.offsetMs ?? 0;
    // Node sets an interval anew, each time that it is over, by this.
    for (const [interval, ms] of intervals) interval._repeat = ms / rate;
  } catch {
    // Not there yet, or half written: as it was.
  }
}

read();
realInterval(read, 100).unref();

globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};
performance.now = steady;
const { setTimeout: realTimeout } = timers;
globalThis.setTimeout = timers.setTimeout = Object.assign(
  (act, ms, ...rest) => realTimeout(act, (ms ?? 1) / rate, ...rest),
  realTimeout,
);
globalThis.setInterval = timers.setInterval = (act, ms, ...rest) => {
  const interval = realInterval(act, (ms ?? 1) / rate, ...rest);
  intervals.set(interval, ms ?? 1);
  return interval;
};
const wait = promises.setTimeout;
promises.setTimeout = (ms, value, options) => wait((ms ?? 1) / rate, value, options);
syncBuiltinESMExports();
