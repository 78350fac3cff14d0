import { readdirSync } from 'node:fs';
import { type FailMark, parseMark } from '../../../src/fail-points/plan.js';
import { Driver, type DriverOptions } from './driver.js';
import { factsOf } from './facts.js';
import { type ModelFacts, type Violation, violationsOf } from './invariants.js';
import type { Kind } from './kinds.js';
import type { Lane } from './lane.js';

/** The same as `Lane.marks`, for those who cannot wait: a supervisor that is about to start a process. */
export const marksIn = (folder: string): readonly FailMark[] =>
  readdirSync(folder).flatMap((file) => parseMark(file) ?? []);

/** Several models on one lane, each with one release after another. */
export class Troupe {
  readonly lane: Lane;
  readonly drivers: readonly Driver[];

  constructor(lane: Lane, models: readonly string[], options: DriverOptions) {
    this.lane = lane;
    this.drivers = models.map((model) => new Driver(lane, model, options));
  }

  /** Opens every model, then releases kind after kind, until `enough`. One that fails ends the play of all on the lane. */
  async play(kinds: (driver: Driver, n: number) => Kind, enough: () => boolean): Promise<void> {
    const played = await Promise.allSettled(
      this.drivers.map(async (driver) => {
        try {
          await driver.open();
          for (let n = 0; !enough(); n += 1) await driver.release(kinds(driver, n));
        } catch (error) {
          this.lane.giveUp(error);
          throw error;
        }
      }),
    );
    const failed = played.filter((result) => result.status === 'rejected');
    if (failed.length > 0) await Promise.all(this.drivers.map((driver) => driver.stop()));
    this.lane.signal.throwIfAborted();
  }

  /** Sends the users home, and finds what became of every model. */
  async facts(): Promise<readonly ModelFacts[]> {
    await Promise.all(this.drivers.map((driver) => driver.stop()));
    return Promise.all(this.drivers.map((driver) => factsOf(this.lane, driver)));
  }

  async judge(): Promise<readonly Violation[]> {
    return (await this.facts()).flatMap(violationsOf);
  }
}
