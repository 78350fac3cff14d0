import type { FreezeActivities } from '../contracts/activities.js';
import { readFreezeWindows } from '../lifecycle/freeze-windows.js';

/** Asked with workflow time, so that a repeat says the same. */
export const createFreezeActivities = (): FreezeActivities => ({
  readFreezeWindows: ({ windows, at }) => Promise.resolve(readFreezeWindows(windows, at)),
});
