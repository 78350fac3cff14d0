import type { Config } from '../src/config.js';
import type { Figure } from './figure.js';

/** Something that is measured, and gives one figure or several that are seen in the same run. */
export interface Bench {
  /** Begins with the group's name, e.g. `gateway-throughput`. */
  readonly name: string;
  readonly what: string;
  /** Names of its figures, in the order in which `run` gives them. */
  readonly figures: readonly string[];
  /**
   * @throws NotMeasurable when something that it needs is not there; any other error is a failure of the bench
   */
  readonly run: (context: BenchContext) => Promise<readonly Figure[]>;
}

/** What a bench gets. All that it starts it hands to `defer`, so that nothing is left behind when it fails. */
export interface BenchContext {
  readonly config: Config;
  /** An empty folder of its own, removed at the end. */
  readonly folder: string;
  /** Progress, in plain words, one line each. */
  readonly say: (text: string) => void;
  /** Called when the bench is over, the last one first. */
  readonly defer: (end: () => unknown) => void;
  /** Runs of a simulation, instead of its own number. */
  readonly runs?: number | undefined;
  /** Rounds that are measured, instead of the bench's own number. */
  readonly rounds?: number | undefined;
  /** Where processes under test write their CPU profiles; null: they are not profiled. */
  readonly profiles: string | null;
}

/** The machine lacks what a bench needs: its figures are printed as not measurable, with this reason. */
export class NotMeasurable extends Error {
  override readonly name = 'NotMeasurable';
}
