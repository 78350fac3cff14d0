import { setTimeout as sleep } from 'node:timers/promises';

/** How long processes are stopped: longer than every lease, heartbeat and time limit of a call. */
export const ninetySeconds = (): Promise<void> => sleep(90_000, undefined, { ref: false });
