/** Interceptors for the time-skipping server; see `skippingBundle` in workflow-env.ts. */
import { ActivityCancellationType, CancellationScope, type WorkflowInterceptors } from '@temporalio/workflow';

/**
 * A cancelled activity ends for its workflow as ever, and the server is never asked to cancel it. That is what `ABANDON` is for, which
 * does not do: the SDK's core takes the failure of an abandoned activity for an error of the workflow.
 */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const scope = CancellationScope.current();
        const waits = input.options.cancellationType === ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;
        if (waits || !scope.cancellable || scope.consideredCancelled) return next(input);
        const activity = CancellationScope.nonCancellable(() => next(input));
        // Nobody hears of it any more once the scope is cancelled.
        activity.catch(() => undefined);
        return Promise.race([activity, scope.cancelRequested]);
      },
    },
  ],
});
