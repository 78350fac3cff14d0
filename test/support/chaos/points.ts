import { EFFECTS, type Effect, FAIL_POINTS, type FailPoint } from '../../../src/fail-points/effects.js';

/** Kind of process that comes to a fail point. */
export const processOf = (point: FailPoint): string =>
  EFFECTS[point.replace(/\.(before|after)$/, '') as Effect].process;

/** Fail points of one kind of process: `worker`, `gateway` or `compactor`. */
export const pointsOf = (process: string): readonly FailPoint[] =>
  FAIL_POINTS.filter((point) => processOf(point) === process);
