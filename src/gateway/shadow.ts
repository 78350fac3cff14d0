import type { Tensor } from '../platform/onnx/tensors.js';
import type { ModelRecorder } from '../platform/windows/recorder.js';
import type { InferContext } from './context.js';
import { cellKey } from './counting.js';
import type { LiveRoute } from './live-route.js';
import { agrees } from './probes.js';

/** Copies an answered request to the shadow, which nobody waits for; too many at a time are dropped and counted. */
export function copyToShadow(
  live: LiveRoute,
  inputs: readonly Tensor[],
  championOutputs: readonly Tensor[],
  recorder: ModelRecorder,
  context: Pick<InferContext, 'counting' | 'maxShadow'>,
): void {
  const { table, slots } = live;
  const slot = slots.shadow;
  const plan = table.shadow;
  if (slot === null || plan === null) return;
  const key = cellKey(slot.ref, 'shadow');
  const seen = (outcome: string): void =>
    context.counting.metrics.shadow.inc({ model: table.model, outcome });
  if (slot.inFlight >= context.maxShadow) {
    recorder.shadow(table, key, 'dropped');
    seen('dropped');
    return;
  }
  slot.infer(inputs, { deadlineMs: table.deadlineMs }).then(
    ({ outputs }) => {
      const agreed = agrees(championOutputs, outputs, table.scoreOutput, plan.tolerance);
      recorder.shadow(table, key, 'compared', agreed);
      seen(agreed ? 'agreed' : 'differed');
    },
    () => {
      recorder.shadow(table, key, 'failed');
      seen('failed');
    },
  );
}
