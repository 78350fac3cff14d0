import { condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { RecordedEnd, TrafficChange } from '../../contracts/activities.js';
import { FailureType } from '../../contracts/failures.js';
import type { Actor } from '../../contracts/ledger.js';
import type { DesiredRoute } from '../../contracts/routes.js';
import type { PendingAct } from '../../lifecycle/model-state.js';
import { isHistoryLong } from '../support/continuing.js';
import { applicationFailure, describeFailure, recordedEnd } from '../support/failures.js';
import { FIRST_PAUSE_MS, nextPause } from '../support/pauses.js';
import { runTowardsSafety } from '../support/run.js';
import type { ModelContext } from './context.js';

/** `overtaken`: people asked for something newer meanwhile. `later`: the history has grown long, try again in a new run. */
type Done = 'done' | 'impossible' | 'overtaken' | 'later' | RecordedEnd;

/**
 * An act that waits for nobody and retries without end until it is seen done.
 * @returns `impossible` when no retry can help, because a version cannot be loaded; the end of the release that the act is about,
 * when the ledger holds one
 */
export async function towardsSafety(
  context: ModelContext,
  act: PendingAct,
  options: {
    readonly id: string;
    readonly summary: string;
    readonly desired: DesiredRoute;
    readonly action: string;
    readonly subject: Readonly<Record<string, unknown>>;
    readonly evidence: Readonly<Record<string, unknown>>;
    readonly actor: Actor;
    /** The new generation is to be above this one too. */
    readonly above?: number;
  },
): Promise<Done> {
  const { id, summary, desired, action, subject, evidence, actor, above } = options;
  const changeId = `${workflowInfo().workflowId}/${id}/${action}`;
  const at = act.at === null ? Date.now() : Date.parse(act.at);
  const change: TrafficChange = {
    model: context.model,
    changeId,
    desired,
    expectedGeneration: 'any',
    before: [context.entry(`${changeId}/intent`, `${action}-requested`, subject, evidence, actor, at)],
    after: context.entry(changeId, action, subject, evidence, actor, at),
    safety: true,
    ...(above === undefined ? {} : { above }),
  };
  const over = (): void => context.parking.end('unverified', summary);
  for (let pause = FIRST_PAUSE_MS, told = false; ;) {
    try {
      const changed = await runTowardsSafety(summary, change);
      over();
      context.recorder.take(changed);
      context.parking.tellCountedOut(changeId, changed);
      context.update({ ...context.state, generation: changed.generation, alarm: null });
      return 'done';
    } catch (error) {
      if (isCancellation(error)) throw error;
      const end = recordedEnd(error);
      if (end !== null) {
        over();
        return end;
      }
      if (act.kind === 'roll-back' && applicationFailure(error)?.type === FailureType.ArtifactInvalid) {
        over();
        return 'impossible';
      }
      const why = describeFailure(error);
      context.update({ ...context.state, alarm: `${summary} is not verified: ${why}` });
      if (!told)
        context.parking.begin({
          origin: 'unverified',
          what: summary,
          severity: 'critical',
          title: `Not verified: ${summary}`,
          text: why,
          key: `${changeId}/unverified`,
        });
      told = true;
      const { retries } = context.parking;
      const overtaken = (): boolean => context.state.pending.at(-1) !== act;
      await condition(() => context.parking.retries !== retries || overtaken(), pause, {
        summary: `try again: ${summary}`,
      });
      pause = nextPause(error, pause);
      if (overtaken()) {
        over();
        context.recorder.add(
          context.entry(`${changeId}/overtaken`, 'model.act-overtaken', { act: summary }, { why }),
        );
        return 'overtaken';
      }
      if (isHistoryLong(context.historyLimit)) return 'later';
    }
  }
}
