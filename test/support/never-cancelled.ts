/** Interceptors for the time-skipping server; see `skippingBundle` in workflow-env.ts. */
import {
  ActivityCancellationType,
  CancellationScope,
  ContinueAsNew,
  proxySinks,
  type Sinks,
  type WorkflowInterceptors,
} from '@temporalio/workflow';

/** What the script behind the activities is told instead of the server. */
export interface ScriptSinks extends Sinks {
  script: { cancelled(activityId: string): void };
}

/**
 * A cancelled activity ends for its workflow as ever, and the server is never asked to cancel it. That is what `ABANDON` is for, which
 * does not do: the SDK's core takes the failure of an abandoned activity for an error of the workflow. The workflow ends when such
 * activities have: one that is left under way at the end of its workflow holds this server's time for good.
 */
export const interceptors = (): WorkflowInterceptors => {
  const { script } = proxySinks<ScriptSinks>();
  const left = new Set<Promise<unknown>>();
  return {
    inbound: [
      {
        async execute(input, next) {
          const allLeft = () => CancellationScope.nonCancellable(() => Promise.allSettled(left));
          try {
            const result = await next(input);
            await allLeft();
            return result;
          } catch (error) {
            if (!(error instanceof ContinueAsNew)) await allLeft();
            throw error;
          }
        },
      },
    ],
    outbound: [
      {
        scheduleActivity(input, next) {
          const scope = CancellationScope.current();
          const waits =
            input.options.cancellationType === ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;
          if (waits || !scope.cancellable || scope.consideredCancelled) return next(input);
          const activity = CancellationScope.nonCancellable(() => next(input));
          let isOver = false;
          const ended = activity.then(
            () => void (isOver = true),
            () => void (isOver = true),
          );
          const cancelled = scope.cancelRequested.catch((error: unknown) => {
            if (!isOver) {
              left.add(ended);
              script.cancelled(String(input.seq));
            }
            throw error;
          });
          // Nobody hears of it any more once the activity has ended.
          cancelled.catch(() => undefined);
          return Promise.race([activity, cancelled]);
        },
      },
    ],
  };
};
