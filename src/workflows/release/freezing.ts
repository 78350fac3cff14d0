import { condition } from '@temporalio/workflow';
import { freezeWindowsOf } from '../../lifecycle/freezing.js';
import { isHistoryLong } from '../support/continuing.js';
import { run } from '../support/run.js';
import type { ReleaseContext } from './context.js';

/** Whether promotion is held back now: by a freeze of the model, or by a window of its manifest. Never asked on the way back. */
export async function isHeldBack(context: ReleaseContext): Promise<boolean> {
  const { state } = context;
  const windows = freezeWindowsOf(state.input.manifest);
  if (state.frozen || windows.length === 0) return state.frozen;
  const now = Date.now();
  const known = state.freezeReading ?? null;
  if (known === null || Date.parse(known.until) <= now) {
    const reading = await context.parking.untilDone('read the freeze windows', () =>
      run('readFreezeWindows', 'whether promotion is held back now', { windows, at: now }),
    );
    state.freezeReading = reading;
    if (reading.reason !== null)
      context.recorder.addLazily(
        context.entry(context.id('held-back', context.next('held-back')), 'release.held-back', {
          reason: reading.reason,
          until: reading.until,
        }),
      );
  }
  return state.frozen || state.freezeReading?.reason !== null;
}

/** What promotion waits for then; which freeze it is stands beside it. */
export const THAW = 'the end of the freeze';

/** When to ask again, epoch milliseconds; none while somebody's word is needed. */
export const nextAsking = ({ state }: ReleaseContext): readonly number[] =>
  state.frozen || !state.freezeReading?.reason ? [] : [Date.parse(state.freezeReading.until)];

/** Waits until there is something to ask again; returns early when the history has grown long. */
export async function awaitThaw(context: ReleaseContext): Promise<void> {
  const { state } = context;
  context.waitFor(THAW);
  const isLong = (): boolean => isHistoryLong(state.input.historyLimit);
  const [until] = nextAsking(context);
  if (until === undefined) return condition(() => !state.frozen || isLong());
  const left = until - Date.now();
  if (left > 0) await condition(() => state.frozen || isLong(), left, { summary: 'end of a freeze window' });
}
