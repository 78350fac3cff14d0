import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** An activity's surroundings without a server, and without a log line for each failure that a test provokes. */
export const activityEnvironment = (): MockActivityEnvironment =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

/** Runs a call of an activity in it; typed, which the environment's own `run` is not. */
export const inActivity = <R>(environment: MockActivityEnvironment, call: () => Promise<R>): Promise<R> =>
  environment.run<[], R, () => Promise<R>>(call);
