import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { DatabaseClock } from '../../../src/gateway/database-clock.js';
import { until } from '../../support/until.js';

const HOUR = 3_600_000;

describe('the clock of the database, at a gateway', () => {
  const realNow = Date.now;
  const realSteady = performance.now.bind(performance);
  let clock: DatabaseClock | undefined;
  let lines: string[] = [];
  beforeEach(() => {
    lines = [];
  });
  afterEach(() => {
    clock?.stop();
    Date.now = realNow;
    performance.now = realSteady;
  });

  const clockOf = (ask: (() => Promise<number>) | null): DatabaseClock => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    return (clock = new DatabaseClock({ ask, everyMs: 5, log }));
  };
  /** Of what it says now. */
  const isNear = (said: number, time: number): void => {
    assert.ok(Math.abs(said - time) < 2_000, `${said} is not ${time}`);
    assert.ok(Number.isInteger(said));
  };

  it('is told from that of a machine that is hours behind, once, and when it is right again', async () => {
    Date.now = () => realNow() - 3 * HOUR;
    const asked = clockOf(() => Promise.resolve(realNow()));
    isNear(asked.now(), realNow() - 3 * HOUR);
    assert.deepEqual([asked.behindSeconds, asked.isOff], [null, false]);
    await asked.start();
    isNear(asked.now(), realNow());
    assert.equal(Math.round(asked.behindSeconds ?? 0), 10_800);
    assert.equal(asked.isOff, true);
    await sleep(30);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"behindSeconds":1080\d.*clock of this machine is not that of MongoDB/);
    // A clock that is set is seen at once, and moves no window.
    Date.now = () => realNow() + HOUR;
    assert.equal(Math.round(asked.behindSeconds ?? 0), -3_600);
    isNear(asked.now(), realNow());
    Date.now = realNow;
    await until('it to be right again', () => lines.length > 1);
    assert.match(lines[1] ?? '', /is right again/);
    assert.equal(asked.isOff, false);
  });

  it('goes on from the last answer while the database is away, and takes none that was long under way', async () => {
    let answer = (): Promise<number> => Promise.resolve(realNow() + 2 * HOUR);
    let answers = 0;
    const asked = clockOf(() => answer().finally(() => (answers += 1)));
    await asked.start();
    isNear(asked.now(), realNow() + 2 * HOUR);
    const since = async (next: () => Promise<number>): Promise<void> => {
      answer = next;
      const before = answers;
      await until('some answers', () => answers >= before + 3);
    };
    await since(() => Promise.reject(new Error('away')));
    isNear(asked.now(), realNow() + 2 * HOUR);
    let slow = 0;
    performance.now = () => realSteady() + slow;
    await since(() => {
      slow += 6_000;
      return Promise.resolve(realNow());
    });
    slow = 0;
    isNear(asked.now(), realNow() + 2 * HOUR);
  });

  it('is that of the machine where there is nobody to ask', async () => {
    const alone = clockOf(null);
    await alone.start();
    isNear(alone.now(), realNow());
    assert.deepEqual([alone.behindSeconds, alone.isOff, lines], [null, false, []]);
  });
});
