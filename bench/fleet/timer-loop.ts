/** What somebody would write first: each model has a workflow of its own that sleeps and evaluates it. */
import { proxyActivities, sleep } from '@temporalio/workflow';

export interface TimerLoopInput {
  readonly model: string;
  readonly digest: string;
  /** Between two ticks. */
  readonly seconds: number;
  /** Before the first one: so they do not all come at once. */
  readonly offsetMs: number;
  /** Activity of a tick. */
  readonly tick: 'evaluateOne' | 'doNothing';
}

type TickInput = Pick<TimerLoopInput, 'model' | 'digest'>;

export interface TimerLoopActivities {
  evaluateOne(input: TickInput): Promise<number>;
  doNothing(input: TickInput): Promise<number>;
}

const activities = proxyActivities<TimerLoopActivities>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: '15s',
  retry: { maximumAttempts: 20 },
});

/** Until it is terminated; a bench is over before its history is long. */
export async function timerLoop({ model, digest, seconds, offsetMs, tick }: TimerLoopInput): Promise<never> {
  await sleep(offsetMs);
  for (;;) {
    await activities[tick]({ model, digest });
    await sleep(seconds * 1_000);
  }
}
